"""A map as JSON text: one at a time, with every rule of what counts as a map."""

import json
from collections.abc import Mapping
from typing import Any


def decoded(text: str) -> dict[str, str]:
    """A JSON object of scalars. Numbers keep their text; a key whose value is null is left out.

    Raises ValueError at anything else, also at a key that stands there twice.
    """
    try:
        found = _value(text)
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error
    if "\\u" in text:
        # JSON can spell half a surrogate pair, which is no text: this raises UnicodeEncodeError.
        json.dumps(found, ensure_ascii=False).encode()
    if not isinstance(found, dict):
        raise ValueError(f"{type(found).__name__} is no JSON object")  # noqa: TRY004 (as json does)
    if ONLY_TEXT.issuperset(map(type, found.values())):
        return found
    return _scalars(found)


def _value(text: str) -> Any:
    """What a JSON text says; one without blanks around it, as AWS writes them, is read faster."""
    if text[:1] == "{":
        found, end = DECODER.raw_decode(text)
        if end == len(text):
            return found
    return DECODER.decode(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _no_number(text: str) -> str:
    raise ValueError(f"{text} is no JSON")


def _scalars(found: Mapping[str, Any]) -> dict[str, str]:
    """`found`, not all of whose values are text, with every value as text."""
    as_text: dict[str, str] = {}
    for key, value in found.items():
        if isinstance(value, bool):
            as_text[key] = "true" if value else "false"
        elif isinstance(value, str):
            as_text[key] = value
        elif value is not None:
            raise ValueError(f"{key} holds no single value")
    return as_text


# Made once: a text is shorter than what making a decoder takes.
DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=str, parse_float=str, parse_constant=_no_number
)
ONLY_TEXT = {str}

"""Parse a map from JSON text, with all rules for valid maps."""

import json
from collections.abc import Mapping
from typing import Any


def decoded(text: str) -> dict[str, str]:
    """Parse a JSON object of scalars. Numbers keep their text; keys with null are dropped.

    Raises ValueError for anything else, including duplicate keys.
    """
    try:
        found = _value(text)
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error
    if "\\u" in text:
        # JSON can contain half a surrogate pair, which is not text: this raises UnicodeEncodeError.
        json.dumps(found, ensure_ascii=False).encode()
    if not isinstance(found, dict):
        raise ValueError(f"{type(found).__name__} is no JSON object")  # noqa: TRY004 (as json does)
    if ONLY_TEXT.issuperset(map(type, found.values())):
        return found
    return _scalars(found)


def _value(text: str) -> Any:
    """Parse a JSON text; text without surrounding blanks, as AWS writes it, is faster."""
    if text[:1] == "{":
        found, end = DECODER.raw_decode(text)
        if end == len(text):
            return found
    return DECODER.decode(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _no_number(text: str) -> str:
    raise ValueError(f"{text} is no JSON")


def _scalars(found: Mapping[str, Any]) -> dict[str, str]:
    """Convert every value to text."""
    as_text: dict[str, str] = {}
    for key, value in found.items():
        if isinstance(value, bool):
            as_text[key] = "true" if value else "false"
        elif isinstance(value, str):
            as_text[key] = value
        elif value is not None:
            raise ValueError(f"{key} holds no single value")
    return as_text


# Created once: creating a decoder takes longer than parsing a text.
DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=str, parse_float=str, parse_constant=_no_number
)
ONLY_TEXT = {str}

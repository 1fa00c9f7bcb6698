"""Map columns: JSON text in csv, `map<>` in Parquet, each distinct one read once."""

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

TEXT = pa.dictionary(pa.int32(), pa.string())
# Keys and values recur, so that they are held, and written, as dictionaries.
TEXT_MAP = pa.map_(TEXT, TEXT)
NUMBER_MAP = pa.map_(TEXT, pa.float64())

TextMap = Mapping[str, str]


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


def map_array(
    codes: npt.NDArray[np.integer[Any]],
    maps: Sequence[TextMap | None],
    kind: pa.MapType = TEXT_MAP,
) -> pa.MapArray:
    """For each of `codes` the map of that number, None as null; `kind` TEXT_MAP or NUMBER_MAP.

    Raises ValueError where NUMBER_MAP is asked for and a value is no number.
    """
    keys, values, starts = _flattened(maps)
    lengths = np.diff(starts)[codes]
    offsets = np.zeros(len(codes) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    if offsets[-1] > np.iinfo(np.int32).max:
        raise ValueError("the maps have more entries than one array can hold")
    positions = pa.array(
        np.repeat(starts[codes] - offsets[:-1], lengths) + np.arange(offsets[-1], dtype=np.int64)
    )
    missing = np.array([one is None for one in maps], np.bool_)[codes]
    where = pa.array(offsets.astype(np.int32), mask=np.append(missing, False))
    entries = pa.array(values, pa.string())
    entries = entries.cast(pa.float64()) if kind == NUMBER_MAP else entries.dictionary_encode()
    return pa.MapArray.from_arrays(
        where,
        pa.array(keys, pa.string()).dictionary_encode().take(positions),
        entries.take(positions),
    )


def _flattened(
    maps: Sequence[TextMap | None],
) -> tuple[list[str], list[str], npt.NDArray[np.int64]]:
    """All keys, all values, and where each map starts in them (one more start at the end)."""
    there = [one for one in maps if one]
    keys = list(chain.from_iterable(there))
    values = list(chain.from_iterable(one.values() for one in there))
    starts = np.zeros(len(maps) + 1, np.int64)
    np.cumsum([len(one) if one else 0 for one in maps], out=starts[1:])
    return keys, values, starts


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

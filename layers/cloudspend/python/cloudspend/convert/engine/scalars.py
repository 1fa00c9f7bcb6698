"""Parse text as numbers and timestamps, in AWS's spellings."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cloudspend.convert.engine.codes import Numbers

MOMENT = pa.timestamp("ms")
# Texts for "no value" in columns of numbers or dates.
MISSING = {"", "None"}

ScalarParser = Callable[[str], float | None]


def number(text: str) -> float | None:
    """Return a finite number; None if the text is not one."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) and "_" not in text else None


def milliseconds(text: str) -> float | None:
    """Return milliseconds since 1970; None if the text is not a date.

    AWS writes `2026-10-01T00:00:00Z`; a blank for the T and any offset are accepted.
    """
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return round(moment.timestamp() * 1000)


def read(values: pa.Array, reading: ScalarParser) -> tuple[Numbers, list[int]]:
    """Parse each of `values`, NaN for a missing one and at the end; also return the indices of
    invalid ones.
    """
    if reading is number:
        plain = _plain_numbers(values)
        if plain is None:
            values = without_missing(values)
            plain = _plain_numbers(values)
        if plain is not None:
            return np.append(plain, np.nan), []
    results, wrong = np.full(len(values) + 1, np.nan), []
    for place, value in enumerate(values.to_pylist()):
        result = np.nan if value is None or value in MISSING else reading(value)
        if result is None:
            wrong.append(place)
        else:
            results[place] = result
    return results, wrong


def without_missing(values: pa.Array) -> pa.Array:
    """Return the texts with null for texts that mean "no value"."""
    absent = pc.is_in(values, pa.array(sorted(MISSING), pa.string()))
    return pc.if_else(absent, pa.scalar(None, pa.string()), values)


def timestamps(since_1970: Numbers) -> pa.Array:
    """Convert milliseconds to timestamps, null where there are none."""
    missing = np.isnan(since_1970)
    whole = np.where(missing, 0, since_1970).astype(np.int64)
    return pa.array(whole, mask=missing).cast(MOMENT)


def _plain_numbers(values: pa.Array) -> Numbers | None:
    """Parse all of `values` as numbers the fast way; None if one of them needs a closer look."""
    try:
        numbers = values.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    if not pc.all(pc.is_finite(numbers), min_count=0).as_py():
        return None
    return np.asarray(numbers.to_numpy(zero_copy_only=False), np.float64)

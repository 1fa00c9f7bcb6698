"""Columns as codes: for each row the number of its value among the distinct ones.

A missing value has the number after the last one.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Codes = npt.NDArray[np.integer[Any]]
Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
G = TypeVar("G", bound=np.generic)

# So many combinations may there be for each row to be counted in a table, which is sooner done than
# hashing them.
TABLED = 4


def constant(value: str | None, count: int) -> pa.DictionaryArray:
    """A text column of one value."""
    values = pa.array([] if value is None else [value], pa.string())
    indices = pa.nulls(count, pa.int32()) if value is None else pa.array(np.zeros(count, np.int32))
    return pa.DictionaryArray.from_arrays(indices, values)


def codes_of(array: pa.DictionaryArray) -> Codes:
    """For each row the number of its value."""
    indices = array.indices
    if indices.null_count:
        indices = pc.fill_null(indices, len(array.dictionary))
    return np.asarray(indices.to_numpy(zero_copy_only=False))


def text_of_codes(codes: Codes, values: pa.Array) -> pa.DictionaryArray:
    """The text column of `codes`, without those of `values` that no row has."""
    if all_same(codes):
        number = int(codes[0])
        return constant(values[number].as_py() if number < len(values) else None, len(codes))
    used = used_mask(codes, len(values) + 1)
    missing = (codes == len(values)) if used[-1] else None
    used[-1] = False
    kept = np.flatnonzero(used)
    if len(kept) < len(values):
        codes = reindex(codes, used)
        values = values.take(pa.array(kept))
    indices = pa.array(codes.astype(np.int32, copy=False), mask=missing)
    return pa.DictionaryArray.from_arrays(indices, values)


def used_mask(codes: Codes, size: int) -> Flags:
    """For each code up to `size` whether a row has it."""
    used = np.zeros(size, np.bool_)
    # By numbers of another type numpy finds its way three times more slowly.
    used[codes.astype(np.intp, copy=False)] = True
    return used


def reindex(codes: Codes, used: Flags) -> Codes:
    """The same codes, counted without those that are not `used`."""
    return take(np.cumsum(used, dtype=np.int32) - 1, codes)


def take(things: npt.NDArray[G], numbers: Codes) -> npt.NDArray[G]:
    """The things of these numbers.

    numpy does with `take` what it does with brackets, where numbers are not of its own type three
    times sooner.
    """
    if all_same(things):
        return np.broadcast_to(things[:1], numbers.shape)
    return things.take(numbers)


def all_same(things: npt.NDArray[Any]) -> bool:
    """Whether the things are one thing that is held once (`compact`)."""
    return len(things) > 1 and things.strides == (0,)


def combine_columns(
    columns: Sequence[tuple[Codes, Sequence[Any]]], count: int
) -> tuple[Codes, list[tuple[Any, ...]]]:
    """Columns of codes and values as one: for each row its combination, and the combinations.

    Every combination that occurs is there; of a single column also values that do not.
    """
    if len(columns) == 1:
        numbers, values = columns[0]
        return numbers, [(value,) for value in values]
    codes, combinations = combine_codes(
        [(numbers, len(values)) for numbers, values in columns], count
    )
    values_at = [
        [values[number] for number in numbers]
        for (_, values), numbers in zip(columns, combinations, strict=True)
    ]
    return codes, list(zip(*values_at, strict=True)) if columns else [()] * min(count, 1)


def combine_codes(columns: Sequence[tuple[Codes, int]], count: int) -> tuple[Codes, list[Codes]]:
    """Columns of codes, each with the number of its values, as one.

    For each row its combination, and for each column its code in the combinations, all of which
    occur.
    """
    codes: Codes = np.zeros(count, np.int64)
    found = 1
    for numbers, size in columns:
        codes, found = _compact(codes * np.int64(size) + numbers, found * size)
    first = _first_rows(codes)
    return codes, [take(numbers, first) for numbers, _ in columns]


def downcast(codes: Codes, largest: int) -> Codes:
    """The same codes in the smallest type that holds `largest`."""
    return codes.astype(np.min_scalar_type(largest), copy=False)


def compact(codes: Codes, largest: int) -> Codes:
    """The same codes, to be read only, in as little memory as they can be: where all are the same,
    that one."""
    codes = downcast(codes, largest)
    if len(codes) and largest <= 1 and codes.min() == codes.max():
        return np.broadcast_to(codes[:1].copy(), codes.shape)
    return codes


def _compact(codes: Codes, size: int) -> tuple[Codes, int]:
    """Codes below `size`, counted without those that do not occur; and how many do."""
    if size <= TABLED * len(codes):
        used = used_mask(codes, size)
        return reindex(codes, used), int(np.count_nonzero(used))
    encoded = pa.array(codes).dictionary_encode()
    return encoded.indices.to_numpy(), len(encoded.dictionary)


def _first_rows(codes: Codes) -> Codes:
    """The first row of each code; every code up to the greatest occurs."""
    if not len(codes):
        return np.zeros(0, np.int64)
    first = np.empty(int(codes.max()) + 1, np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return first

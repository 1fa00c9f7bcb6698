"""Columns as dictionary codes: the index of each row's value among the distinct values.

A missing value has the code after the last one.
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

# Combinations per row up to which a lookup table is faster than hashing.
TABLED = 4


def constant(value: str | None, count: int) -> pa.DictionaryArray:
    """Return a text column with one value."""
    values = pa.array([] if value is None else [value], pa.string())
    indices = pa.nulls(count, pa.int32()) if value is None else pa.array(np.zeros(count, np.int32))
    return pa.DictionaryArray.from_arrays(indices, values)


def codes_of(array: pa.DictionaryArray) -> Codes:
    """Return the code of each row."""
    indices = array.indices
    if indices.null_count:
        indices = pc.fill_null(indices, len(array.dictionary))
    return np.asarray(indices.to_numpy(zero_copy_only=False))


def text_of_codes(codes: Codes, values: pa.Array) -> pa.DictionaryArray:
    """Return the text column of `codes`, without unused `values`."""
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
    """Return a mask over codes up to `size` of those that a row has."""
    used = np.zeros(size, np.bool_)
    # NumPy indexes three times more slowly with other integer types.
    used[codes.astype(np.intp, copy=False)] = True
    return used


def reindex(codes: Codes, used: Flags) -> Codes:
    """Renumber the codes without those that are not `used`."""
    return take(np.cumsum(used, dtype=np.int32) - 1, codes)


def take(things: npt.NDArray[G], numbers: Codes) -> npt.NDArray[G]:
    """Return the elements at `numbers`.

    Like indexing with brackets, which is three times slower for integers of other types.
    """
    if all_same(things):
        return np.broadcast_to(things[:1], numbers.shape)
    return things.take(numbers)


def all_same(things: npt.NDArray[Any]) -> bool:
    """Return whether all elements are one stored element (`compact`)."""
    return len(things) > 1 and things.strides == (0,)


def combine_columns(
    columns: Sequence[tuple[Codes, Sequence[Any]]], count: int
) -> tuple[Codes, list[tuple[Any, ...]]]:
    """Combine columns of codes and values: the code of each row's combination, and the
    combinations.

    Contains every combination that occurs; for a single column also unused values.
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
    """Combine columns of codes, each with its number of values.

    Return the code of each row's combination, and for each column its code in the combinations, all
    of which occur.
    """
    codes: Codes = np.zeros(count, np.int64)
    found = 1
    for numbers, size in columns:
        codes, found = _compact(codes * np.int64(size) + numbers, found * size)
    first = _first_rows(codes)
    return codes, [take(numbers, first) for numbers, _ in columns]


def downcast(codes: Codes, largest: int) -> Codes:
    """Return the codes in the smallest integer type that holds `largest`."""
    return codes.astype(np.min_scalar_type(largest), copy=False)


def compact(codes: Codes, largest: int) -> Codes:
    """Return read-only codes in minimal memory; equal codes are stored once."""
    codes = downcast(codes, largest)
    if len(codes) and largest <= 1 and codes.min() == codes.max():
        return np.broadcast_to(codes[:1].copy(), codes.shape)
    return codes


def _compact(codes: Codes, size: int) -> tuple[Codes, int]:
    """Renumber codes below `size` without unused ones; return them and their number."""
    if size <= TABLED * len(codes):
        used = used_mask(codes, size)
        return reindex(codes, used), int(np.count_nonzero(used))
    encoded = pa.array(codes).dictionary_encode()
    return encoded.indices.to_numpy(), len(encoded.dictionary)


def _first_rows(codes: Codes) -> Codes:
    """Return the first row of each code; every code up to the largest must occur."""
    if not len(codes):
        return np.zeros(0, np.int64)
    first = np.empty(int(codes.max()) + 1, np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return first

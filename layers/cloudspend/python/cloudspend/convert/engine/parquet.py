"""Read delivered Parquet files as text columns: typed values become the text of AWS's CSV.

A file is copied to disk first, because its metadata is at the end. Row groups are read in batches,
so memory does not grow with the file. Each distinct value is converted once: numbers to the
shortest text that gives the same number, times to ISO 8601 in UTC, maps to JSON.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cloudspend.convert.engine.codes import codes_of, combine_columns, constant
from cloudspend.convert.engine.locations import RowLocation
from cloudspend.convert.engine.parse import first_repeated, unreadable
from cloudspend.convert.engine.rows import Rows
from cloudspend.convert.ports import ByteStream
from cloudspend.errors import DeliveryError

# About the size of a CSV block.
BATCH_ROWS = 16_384

BROKEN = (pa.ArrowException, OSError)


@dataclass(frozen=True)
class Batch:
    """Rows of one row group; `first_row` is the index of the first one in the group."""

    data: pa.RecordBatch
    row_group: int
    first_row: int


@dataclass(frozen=True)
class _Rows:
    """Locations of a batch's rows."""

    file: str
    row_group: int
    first_row: int

    def spot(self, row: int) -> RowLocation:
        return RowLocation(self.file, {"row_group": self.row_group, "row": self.first_row + row})


@dataclass(frozen=True)
class ParquetSource:
    """An open Parquet file."""

    file: str
    parquet: pq.ParquetFile

    @property
    def names(self) -> list[str]:
        """Return its column names. Raises DeliveryError for a duplicate."""
        names: list[str] = self.parquet.schema_arrow.names
        repeated = first_repeated(names)
        if repeated is not None:
            what = f"the file has the column {repeated!r} twice"
            raise unreadable(self.file, None, what, column=repeated)
        return names

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """Yield the rows with the `wanted` columns. Raises DeliveryError with the row group."""
        for group in range(self.parquet.num_row_groups):
            row = 0
            try:
                for data in self._read(group, wanted):
                    yield Batch(data, group, row)
                    row += data.num_rows
            except BROKEN as error:
                raise self._broken(group, wanted, error) from error

    def _read(self, group: int, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        batches: Iterator[pa.RecordBatch] = self.parquet.iter_batches(
            BATCH_ROWS, row_groups=[group], columns=list(columns), use_threads=False
        )
        return batches

    def _broken(self, group: int, wanted: Sequence[str], error: Exception) -> DeliveryError:
        """Return the error for a row group, with the column if a single one fails."""
        for name in wanted:
            try:
                for _ in self._read(group, [name]):
                    pass
            except BROKEN as why:
                what = f"row group {group}, column {name} cannot be read ({_first_line(why)})"
                return unreadable(self.file, None, what, column=name, row_group=group)
        what = f"row group {group} cannot be read ({_first_line(error)})"
        return unreadable(self.file, None, what, row_group=group)


@contextmanager
def opened(stream: ByteStream, file: str) -> Iterator[ParquetSource]:
    """Open the Parquet file in `stream`. Raises DeliveryError if it is none."""
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy, 1024 * 1024)
        try:
            schema = pq.read_schema(copy)
            texts = [field.name for field in schema if _is_text(field.type)]
            parquet = pq.ParquetFile(
                copy, read_dictionary=texts, pre_buffer=False, page_checksum_verification=True
            )
        except BROKEN as error:
            what = f"the Parquet file is damaged ({_first_line(error)})"
            raise unreadable(file, None, what) from error
        yield ParquetSource(file, parquet)


def parse_batch(batch: Batch, file: str) -> Rows:
    """Convert a batch to rows of text. Raises DeliveryError for a value without text."""
    columns = {}
    for name, column in zip(batch.data.schema.names, batch.data.columns, strict=True):
        try:
            columns[name] = text_of(column)
        except (*BROKEN, ValueError) as error:
            what = f"row group {batch.row_group}, column {name} cannot be read"
            raise unreadable(
                file,
                None,
                f"{what} ({_first_line(error)})",
                column=name,
                row_group=batch.row_group,
            ) from error
    place = _Rows(file, batch.row_group, batch.first_row)
    return Rows(columns, batch.data.num_rows, place)


def text_of(column: pa.Array) -> pa.DictionaryArray:
    """Convert a column of any type to text; values that CSV leaves empty are null."""
    if pa.types.is_null(column.type):
        return constant(None, len(column))
    if pa.types.is_map(column.type):
        return _maps_as_text(column)
    if pa.types.is_nested(column.type):
        texts = [None if value is None else _json(value) for value in column.to_pylist()]
        return pa.array(texts, pa.string()).dictionary_encode()
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    values = _scalars_as_text(column.dictionary)
    return _without_empty(column.indices.cast(pa.int32()), values)


def _without_empty(indices: pa.Array, values: pa.Array) -> pa.DictionaryArray:
    """Return a dictionary of text, with null for empty text."""
    absent = pc.fill_null(pc.equal(values, ""), True)
    if pc.any(absent).as_py():
        indices = pc.if_else(absent.take(indices), pa.scalar(None, pa.int32()), indices)
        values = pc.fill_null(values, "")
    return pa.DictionaryArray.from_arrays(indices, values)


def _scalars_as_text(values: pa.Array) -> pa.Array:
    kind = values.type
    if pa.types.is_timestamp(kind):
        return _times_as_text(values)
    if pa.types.is_decimal(kind):
        texts = [None if value is None else format(value, "f") for value in values.to_pylist()]
        return pa.array(texts, pa.string())
    return values.cast(pa.string())


def _times_as_text(values: pa.Array) -> pa.Array:
    """Convert to ISO 8601 in UTC, in AWS's form if possible. Times without a zone are UTC."""
    moments = values.cast(pa.timestamp("us", tz=values.type.tz or "UTC"))
    texts: list[str | None] = []
    for moment in moments.cast(pa.int64()).to_pylist():
        if moment is None:
            texts.append(None)
            continue
        seconds, fraction = divmod(moment, 1_000_000)
        whole = np.datetime_as_string(np.datetime64(seconds, "s"))
        texts.append(f"{whole}.{fraction:06d}Z" if fraction else f"{whole}Z")
    return pa.array(texts, pa.string())


def _maps_as_text(column: pa.MapArray) -> pa.DictionaryArray:
    """Convert maps to JSON, each distinct one once."""
    column = column.take(pa.array(np.arange(len(column)))) if column.offset else column
    codes, first = _distinct_maps(column)
    entries = [
        "{" + ",".join(f"{_json(key)}:{_json(value)}" for key, value in pairs) + "}"
        for pairs in column.take(pa.array(first)).to_pylist()
    ]
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(entries, pa.string()))


def _distinct_maps(column: pa.MapArray) -> tuple[Any, Any]:
    """Return the map number of each row (-1: none), and the first row of each map.

    Two maps are equal if their lengths and all entries are: rows that were equal so far are split
    by their next entry.
    """
    count, offsets = len(column), column.offsets.to_numpy()
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    lengths = np.where(valid, np.diff(offsets), 0)
    entries, pairs = combine_columns([_coded(column.keys), _coded(column.items)], len(column.keys))
    codes = np.unique(lengths, return_inverse=True)[1]
    for position in range(int(lengths.max(initial=0))):
        longer = np.flatnonzero(lengths > position)
        entry = entries[offsets[longer] + position]
        parted = np.unique(codes[longer] * len(pairs) + entry, return_inverse=True)[1]
        codes[longer] = parted + codes.max() + 1
    found, first, numbers = np.unique(
        np.where(valid, codes, -1), return_index=True, return_inverse=True
    )
    absent = int(len(found) > 0 and found[0] == -1)
    return numbers.reshape(count) - absent, first[absent:]


def _coded(values: pa.Array) -> tuple[Any, Sequence[Any]]:
    encoded = values.dictionary_encode()
    size = len(encoded.dictionary)
    return codes_of(encoded), range(size + 1)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _is_text(kind: pa.DataType) -> bool:
    tests: Sequence[Callable[[pa.DataType], bool]] = (pa.types.is_string, pa.types.is_large_string)
    return any(test(kind) for test in tests)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]

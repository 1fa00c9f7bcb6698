"""Parquet objects of a table and their totals."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cloudspend.convert.engine.codes import Codes, codes_of, take
from cloudspend.convert.focus.names import TAG_COLUMN
from cloudspend.convert.focus.schema import GOES_WITH_ORDER, SUMMED
from cloudspend.convert.model import ParquetTotals

# An object gets no more row groups beyond this size. A row group of the widest table has about 20
# MB, which keeps objects under 256 MB. Athena gains nothing from larger ones.
PART_BYTES = 192_000_000
# Rows of a row group. Smaller than the sorted run, which lets a filter on the sort columns skip
# most row groups (python -m benchmarks.layout --choices).
ROW_GROUP = 16_384
# Bytes for the texts in a row group's dictionary page; texts beyond it are written in full.
DICTIONARY_BYTES = 4 * 1024 * 1024
EXACT = Context(prec=100)


@dataclass(frozen=True)
class Part:
    """A finished Parquet file."""

    path: Path
    rows: int


class TableFiles:
    """The unfinished Parquet files of one table: one row group after another of each sorted run."""

    def __init__(self, folder: Path, table: str, schema: pa.Schema) -> None:
        self._folder = folder
        self._table = table
        self._schema = schema
        self._parts: list[Part] = []
        self._writer: pq.ParquetWriter | None = None
        self._rows = 0

    def write(self, rows: pa.Table) -> None:
        """Append rows as a row group."""
        writer = self._open()
        if rows.num_rows:
            writer.write_table(rows, row_group_size=rows.num_rows)
        self._rows += rows.num_rows
        if self._path.stat().st_size >= PART_BYTES:
            self._close()

    def finish(self) -> tuple[Part, ...]:
        """Finish all files and return them. A table without rows is one object without rows."""
        if not self._parts:
            self._open()
        self._close()
        return tuple(self._parts)

    def abandon(self) -> None:
        """Close the open, incomplete file."""
        self._close()

    @property
    def _path(self) -> Path:
        return self._folder / f"{self._table}-{len(self._parts):02d}.parquet"

    def _open(self) -> pq.ParquetWriter:
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._path,
                self._schema,
                compression="zstd",
                compression_level=levels(self._schema),
                store_schema=False,
                # Values that are encoded in one call: a row group, since each column would
                # otherwise need many calls.
                write_batch_size=ROW_GROUP,
                dictionary_pagesize_limit=DICTIONARY_BYTES,
                use_dictionary=recurring(self._schema),
                write_statistics=filtered(self._schema),
            )
        return self._writer

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._parts.append(Part(self._path, self._rows))
            self._writer, self._rows = None, 0


def levels(schema: pa.Schema) -> dict[str, int]:
    """Return the zstd level of each column.

    Level 1 makes numeric columns two percent larger than level 3 and takes three quarters of the
    time. Only the costs that queries sum use level 3.
    """
    return {
        path: 1 if pa.types.is_floating(kind) and path not in SUMMED else 3
        for path, kind in _leaves(schema)
    }


def recurring(schema: pa.Schema) -> list[str]:
    """Return the columns to write with a dictionary: all but numeric columns with nearly unique
    values.
    """
    return [path for path, kind in _leaves(schema) if not pa.types.is_floating(kind)]


def filtered(schema: pa.Schema) -> list[str]:
    """Return the columns with min/max statistics: those that the row order clusters, and tags,
    which the rows of a resource share.
    """
    return [name for name in schema.names if name in GOES_WITH_ORDER or name.startswith(TAG_COLUMN)]


def _leaves(schema: pa.Schema) -> Iterator[tuple[str, pa.DataType]]:
    """Yield the leaf columns as Parquet stores them; a map has one leaf for keys and one for
    values.
    """
    for field in schema:
        if pa.types.is_map(field.type):
            yield f"{field.name}.key_value.key", field.type.key_type
            yield f"{field.name}.key_value.value", field.type.item_type
        else:
            yield field.name, field.type


def sorted_order(columns: Sequence[pa.Array]) -> Codes:
    """Return the row numbers sorted by `columns`. The sort is stable."""
    count = len(columns[0])
    ranked = [_ranks(column) for column in columns]
    if math.prod([count, *(size for _, size in ranked)]) > np.iinfo(np.int64).max:
        return np.lexsort([ranks for ranks, _ in reversed(ranked)]).astype(np.int32)
    # Sorting by one combined number is thirty times faster.
    keys: Codes = np.zeros(count, np.int64)
    for ranks, size in ranked:
        keys = keys * size + ranks
    return (np.sort(keys * count + np.arange(count)) % max(count, 1)).astype(np.int32)


def row_groups(order: Codes) -> Iterator[Codes]:
    """Split `order` into row groups."""
    for start in range(0, len(order), ROW_GROUP):
        yield order[start : start + ROW_GROUP]


def parquet_totals(source: Path | IO[bytes], columns: Sequence[str]) -> ParquetTotals:
    """Read the totals of a Parquet object: the row count from its footer, and the sums of
    `columns`.
    """
    file = pq.ParquetFile(source)
    sums = dict.fromkeys(columns, Decimal(0))
    for group in range(file.num_row_groups):
        table = file.read_row_group(group, columns=list(columns))
        for name in columns:
            sums[name] = EXACT.add(sums[name], _exact_sum(table.column(name)))
    return ParquetTotals(file.metadata.num_rows, sums)


def _exact_sum(column: pa.ChunkedArray) -> Decimal:
    counted: Sequence[dict[str, float | int]] = pc.value_counts(column).to_pylist()
    total = Decimal(0)
    for entry in counted:
        value = Decimal(repr(entry["values"]))
        total = EXACT.add(total, EXACT.multiply(value, Decimal(entry["counts"])))
    return total


def _ranks(array: pa.Array) -> tuple[Codes, int]:
    """Return a rank for each value (0 for a missing one) and the number of ranks."""
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    ranks = np.zeros(len(order) + 1, np.int64)
    ranks[order] = np.arange(1, len(order) + 1)
    return take(ranks, codes_of(encoded)), len(ranks)

"""Rows of a table as Parquet objects, and what such an object adds up to."""

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

# An object takes no more row groups from this size on. A row group of the widest table has about
# 20 MB, so that objects stay under 256 MB, above which Athena gains nothing from larger ones.
PART_BYTES = 192_000_000
# Rows of a row group. Smaller than what is sorted together, so that a filter by what the rows are
# sorted by leaves most row groups unread (python -m benchmarks.layout --choices).
ROW_GROUP = 16_384
# Room for the texts of a row group in its dictionary page, beyond which they are written in full.
DICTIONARY_BYTES = 4 * 1024 * 1024
EXACT = Context(prec=100)


@dataclass(frozen=True)
class Part:
    """A finished Parquet file."""

    path: Path
    rows: int


class TableFiles:
    """The Parquet files of one table under way: row groups of each sorted run that is written."""

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
        """All files, at least one: a table without rows is an object without rows."""
        if not self._parts:
            self._open()
        self._close()
        return tuple(self._parts)

    def abandon(self) -> None:
        """Close what is open; it is not whole."""
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
                # Values that are encoded at once: a row group, or each column costs many calls.
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
    """How hard zstd tries, column by column.

    At level 1 a figure takes two percent more than at 3, and three quarters of the time; the costs
    that queries sum are worth it, the other figures are not.
    """
    return {
        path: 1 if pa.types.is_floating(kind) and path not in SUMMED else 3
        for path, kind in _leaves(schema)
    }


def recurring(schema: pa.Schema) -> list[str]:
    """What is written as a dictionary and codes: all but figures, which nearly all differ."""
    return [path for path, kind in _leaves(schema) if not pa.types.is_floating(kind)]


def filtered(schema: pa.Schema) -> list[str]:
    """What has its least and its greatest value noted: columns whose values stand together because
    of the rows' order, and tags, which a resource's rows share."""
    return [name for name in schema.names if name in GOES_WITH_ORDER or name.startswith(TAG_COLUMN)]


def _leaves(schema: pa.Schema) -> Iterator[tuple[str, pa.DataType]]:
    """The columns as Parquet has them, where a map is one of keys and one of values."""
    for field in schema:
        if pa.types.is_map(field.type):
            yield f"{field.name}.key_value.key", field.type.key_type
            yield f"{field.name}.key_value.value", field.type.item_type
        else:
            yield field.name, field.type


def sorted_order(columns: Sequence[pa.Array]) -> Codes:
    """The row numbers in the order of `columns`, the first one first; of rows that are the same in
    all of them, the earlier one comes first."""
    count = len(columns[0])
    ranked = [_ranks(column) for column in columns]
    if math.prod([count, *(size for _, size in ranked)]) > np.iinfo(np.int64).max:
        return np.lexsort([ranks for ranks, _ in reversed(ranked)]).astype(np.int32)
    # All of it in one number is sorted thirty times sooner.
    keys: Codes = np.zeros(count, np.int64)
    for ranks, size in ranked:
        keys = keys * size + ranks
    return (np.sort(keys * count + np.arange(count)) % max(count, 1)).astype(np.int32)


def row_groups(order: Codes) -> Iterator[Codes]:
    """`order`, cut into row groups."""
    for start in range(0, len(order), ROW_GROUP):
        yield order[start : start + ROW_GROUP]


def parquet_totals(source: Path | IO[bytes], columns: Sequence[str]) -> ParquetTotals:
    """Read a Parquet object's totals back: rows by its footer, and the sums of `columns`."""
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
    """Numbers that sort as the values do, a missing value being 0; and how many there are."""
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    ranks = np.zeros(len(order) + 1, np.int64)
    ranks[order] = np.arange(1, len(order) + 1)
    return take(ranks, codes_of(encoded)), len(ranks)

"""Rows of `cost_and_usage` as one Parquet object, and what such an object adds up to."""

from collections.abc import Sequence
from decimal import Context, Decimal
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cloudspend.convert.mapping import ARROW_SCHEMA
from cloudspend.convert.model import ParquetTotals
from cloudspend.convert.rows import Codes
from cloudspend.convert.schema import SORT_ORDER

# Rows are sorted within a row group: large enough to bring the rows of a resource together,
# small enough to hold in memory.
ROW_GROUP = 122_880
EXACT = Context(prec=100)


class ParquetFile:
    """A Parquet file under way; a context manager that closes it."""

    def __init__(self, path: Path) -> None:
        self._writer = pq.ParquetWriter(
            path, ARROW_SCHEMA, compression="zstd", compression_level=3, store_schema=False
        )
        self._waiting: list[pa.Table] = []
        self._count = 0
        self.rows = 0

    def __enter__(self) -> "ParquetFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._flush()
        self._writer.close()

    def add(self, table: pa.Table) -> None:
        """Append rows; they are written a row group at a time."""
        self._waiting.append(table)
        self._count += table.num_rows
        self.rows += table.num_rows
        if self._count >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._count:
            table = pa.concat_tables(self._waiting).unify_dictionaries().combine_chunks()
            table = table.take(pa.array(sorted_order(table)))
            self._writer.write_table(table, row_group_size=max(ROW_GROUP, table.num_rows))
        self._waiting, self._count = [], 0


def sorted_order(table: pa.Table) -> Codes:
    """The row numbers of `table` in the order in which rows belong together."""
    keys = [_rank(table.column(name)) for name in reversed(SORT_ORDER)]
    return np.lexsort(keys)


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


def _rank(column: pa.ChunkedArray) -> Codes:
    """Numbers that sort as the values do, missing values first."""
    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if not pa.types.is_dictionary(array.type):
        return np.asarray(pc.fill_null(array.cast(pa.int64()), -1), np.int64)
    order = pc.sort_indices(array.dictionary).to_numpy()
    ranks = np.empty(len(order) + 1, np.int64)
    ranks[order] = np.arange(len(order))
    ranks[-1] = -1
    return np.asarray(ranks[pc.fill_null(array.indices, len(order)).to_numpy()], np.int64)

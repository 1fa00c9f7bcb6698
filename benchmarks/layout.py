"""Bytes that queries read and files take, by how `cost_and_usage` is laid out.

    python -m benchmarks.layout [ROWS]             our layout against an unsorted file per chunk
    python -m benchmarks.layout [ROWS] --choices   and against other orders and row groups

What Athena reads of Parquet is known from the files' metadata: of each row group that statistics do
not rule out, the column chunks that the query names. All periods are laid out alike, so what a
query reads of a year is twelve times what it reads of a month; one month is measured.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.chunk import PERIOD, write_chunk
from benchmarks.disk import Disk, task_of
from cloudspend.convert.focus.names import tag_column
from cloudspend.convert.focus.schema import SORT_ORDER
from cloudspend.convert.task import convert_task
from cloudspend.convert.writer import DICTIONARY_BYTES, sorted_order

ROWS = 1_000_000
MEGABYTE = 1_000_000
TAG = "team"
TAG_COLUMN = tag_column(TAG)
ACCOUNT, SERVICE, RESOURCE, TIME = SORT_ORDER
COST = "effectivecost"
# What a plain writer takes: pyarrow's own.
PLAIN_GROUP = 1024 * 1024

Bounds = tuple[Any, Any]


@dataclass(frozen=True)
class Query:
    """The columns that a query names, and the closed range of those that it filters by."""

    name: str
    columns: tuple[str, ...]
    where: Mapping[str, Bounds] = field(default_factory=dict)


@dataclass(frozen=True)
class Laid:
    """A layout as measured, in bytes: the file, and what each query reads of it."""

    name: str
    size: int
    read: Mapping[str, int]

    @property
    def read_by_all(self) -> int:
        return sum(self.read.values())


def six_queries(table: pa.Table, *, tag_columns: bool) -> list[Query]:
    """The queries that analysts ask most, about the largest account, service and team."""
    account, service = (_most_frequent(table[name]) for name in (ACCOUNT, SERVICE))
    team = _most_frequent(table[TAG_COLUMN])
    day = np.datetime64(f"{PERIOD}-15")
    within_day = (day.astype(object), (day + np.timedelta64(1, "D")).astype(object))
    tagged = {TAG_COLUMN: (team, team)} if tag_columns else {}
    return [
        Query("service and day", (SERVICE, TIME, COST)),
        Query("account and month", (ACCOUNT, COST)),
        Query("one tag", (TAG_COLUMN if tag_columns else "tags", COST), tagged),
        Query(
            "top resources of an account",
            (ACCOUNT, RESOURCE, COST),
            {ACCOUNT: (account, account)},
        ),
        Query("month over month", (SERVICE, COST)),
        Query(
            "a day of a service in an account",
            (ACCOUNT, SERVICE, TIME, COST),
            {ACCOUNT: (account, account), SERVICE: (service, service), TIME: within_day},
        ),
    ]


def bytes_read(file: pq.FileMetaData, query: Query) -> int:
    """What `query` reads of a file: named columns of the row groups that may hold a match."""
    groups = (file.row_group(number) for number in range(file.num_row_groups))
    return sum(_touched(group, query) for group in groups)


def _touched(group: Any, query: Query) -> int:
    chunks = [group.column(number) for number in range(group.num_columns)]
    for chunk in chunks:
        bounds = query.where.get(chunk.path_in_schema)
        if bounds and not _may_hold(chunk.statistics, bounds):
            return 0
    return sum(
        chunk.total_compressed_size
        for chunk in chunks
        if chunk.path_in_schema.partition(".")[0] in query.columns
    )


def _may_hold(statistics: Any, bounds: Bounds) -> bool:
    """Without statistics any value may be there."""
    if statistics is None or not statistics.has_min_max:
        return True
    least, most = (_comparable(value) for value in (statistics.min, statistics.max))
    return not (most < _comparable(bounds[0]) or least > _comparable(bounds[1]))


def _comparable(value: Any) -> Any:
    return str(value) if hasattr(value, "isoformat") else value


def measured(name: str, path: Path, queries: Sequence[Query]) -> Laid:
    metadata = pq.read_metadata(path)
    read = {query.name: bytes_read(metadata, query) for query in queries}
    return Laid(name, path.stat().st_size, read)


def laid_out(table: pa.Table, path: Path, order: Sequence[str], run: int, group: int) -> None:
    """Write the rows, each `run` of them sorted by `order` and cut into row groups of `group`."""
    with pq.ParquetWriter(path, table.schema, **WRITER) as writer:
        for start in range(0, table.num_rows, run):
            rows = table.slice(start, run).combine_chunks()
            if order:
                keys = [_one_array(rows[name]) for name in order]
                rows = rows.take(pa.array(sorted_order(keys)))
            writer.write_table(rows, row_group_size=group)


def compare(folder: Path, rows: int, *, choices: bool = False) -> Iterator[Laid]:
    """Measure layouts of one chunk: the unsorted one first, then ours, then the `choices`."""
    ours = converted(folder, rows)
    table = pq.read_table(ours)
    in_source_order = table.take(np.random.default_rng(0).permutation(table.num_rows))
    plain, promoted = (six_queries(table, tag_columns=columns) for columns in (False, True))
    path = folder / "other.parquet"
    laid_out(in_source_order.drop_columns(TAG_COLUMN), path, (), PLAIN_GROUP, PLAIN_GROUP)
    yield measured("unsorted", path, plain)
    yield measured("CloudSpend", ours, promoted)
    if not choices:
        return
    for name, order in ORDERS.items():
        laid_out(in_source_order, path, order, *RUNS[0])
        yield measured(f"by {name}", path, promoted)
    for run, group in RUNS:
        laid_out(in_source_order, path, SORT_ORDER, run, group)
        yield measured(f"ours, {run} rows sorted, groups of {group}", path, promoted)
    laid_out(in_source_order.drop_columns(TAG_COLUMN), path, SORT_ORDER, *RUNS[0])
    yield measured("ours, no column for the tag", path, plain)


WRITER: Mapping[str, Any] = {
    "compression": "zstd",
    "compression_level": 3,
    "store_schema": False,
    "dictionary_pagesize_limit": DICTIONARY_BYTES,
}
ORDERS: Mapping[str, Sequence[str]] = {
    "account, service, resource, time": (ACCOUNT, SERVICE, RESOURCE, TIME),
    "account, service, time, resource": (ACCOUNT, SERVICE, TIME, RESOURCE),
    "service, account, resource, time": (SERVICE, ACCOUNT, RESOURCE, TIME),
    "tag, account, service, resource, time": (TAG_COLUMN, ACCOUNT, SERVICE, RESOURCE, TIME),
    "time, account, service, resource": (TIME, ACCOUNT, SERVICE, RESOURCE),
}
# Rows that are sorted together, and rows of a row group.
RUNS = (
    (65_536, 16_384),
    (65_536, 65_536),
    (65_536, 8_192),
    (65_536, 4_096),
    (262_144, 65_536),
    (262_144, 16_384),
    (1_048_576, 65_536),
    (1_048_576, 16_384),
)


def converted(folder: Path, rows: int) -> Path:
    """A chunk of the generator, as the platform's own code writes it."""
    chunk = folder / "chunk.csv.gz"
    write_chunk(chunk, rows)
    disk = Disk(folder)
    (output,) = convert_task(task_of(chunk, tag_columns=(TAG,)), disk, disk).outputs
    return disk.place(output.key)


def report(layouts: Sequence[Laid], say: Callable[[str], Any]) -> None:
    """A line a layout: megabytes, and parts of what the first one takes and reads."""
    first = layouts[0]
    say(f"{'layout':<58}{'MB':>8}{'of it':>7}{'read MB':>9}{'of it':>7}  each query, MB")
    for laid in layouts:
        each = "  ".join(f"{read / MEGABYTE:.2f}" for read in laid.read.values())
        say(
            f"{laid.name:<58}{laid.size / MEGABYTE:>8.1f}{laid.size / first.size:>7.2f}"
            f"{laid.read_by_all / MEGABYTE:>9.2f}{laid.read_by_all / first.read_by_all:>7.2f}"
            f"  {each}"
        )
    say(f"Queries: {', '.join(first.read)}.")


def main(arguments: Sequence[str]) -> None:
    rows = next((int(word) for word in arguments if word.isdigit()), ROWS)
    with TemporaryDirectory() as folder:
        layouts = list(compare(Path(folder), rows, choices="--choices" in arguments))
    report(layouts, lambda line: sys.stdout.write(f"{line}\n"))


def _most_frequent(column: pa.ChunkedArray) -> Any:
    counted = pc.value_counts(pc.drop_null(column))
    return max(counted.to_pylist(), key=lambda entry: entry["counts"])["values"]


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    return array.dictionary_encode() if pa.types.is_string(array.type) else array


if __name__ == "__main__":
    main(sys.argv[1:])

"""Runs one statement against a snapshot of the catalog and the objects in S3."""

import contextlib
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from local.athena import datatypes, dialect, failures, objects, statements
from local.athena.catalog import CatalogWriter, Snapshot
from local.athena.failures import QueryFailed, RequestRefused
from local.athena.relations import Binder, Scan
from local.athena.sql import cast, select
from local.athena.text import Cell, cell

LIMIT_EXCEEDED = "Query cancelled! : Bytes scanned limit was exceeded"


@dataclass(frozen=True)
class ResultColumn:
    """A column of a result: its name and its type as DuckDB calls it."""

    name: str
    type: str = "VARCHAR"


@dataclass(frozen=True)
class Outcome:
    """What a statement gave. `manifest` lists the objects that it wrote as data."""

    columns: tuple[ResultColumn, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    scanned_bytes: int = 0
    manifest: tuple[str, ...] = ()


@dataclass(frozen=True)
class Context:
    """The world that one query sees.

    `results` is the folder that the query's own output goes to, `cutoff` the workgroup's limit of
    scanned bytes (0: none), `enforced` whether the workgroup decides where output goes.
    """

    snapshot: Snapshot
    store: objects.ObjectStore
    catalog: CatalogWriter
    database: str
    results: str
    query_id: str
    cutoff: int = 0
    enforced: bool = False


@dataclass
class Bound:
    """A query that can be run: DuckDB's SQL, its columns, and what it scans."""

    sql: str
    columns: tuple[ResultColumn, ...]
    scanned_bytes: int


@dataclass
class Engine:
    """One in-memory DuckDB for one query; not shared between threads, except for `cancel`."""

    context: Context
    connection: duckdb.DuckDBPyConnection = field(init=False)
    _folder: tempfile.TemporaryDirectory[str] = field(init=False)
    _cancelled: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Engine":
        self._folder = tempfile.TemporaryDirectory(prefix="local-athena-")
        self.connection = duckdb.connect()
        # Statistics of the empty plan tables would prune partitions for the wrong reason.
        self.connection.execute(
            "SET TimeZone = 'UTC'; SET disabled_optimizers = 'statistics_propagation'"
        )
        for macro in dialect.MACROS:
            self.connection.execute(macro)
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self._folder.cleanup()

    def cancel(self) -> None:
        """Make the running statement fail as soon as it can; from any thread."""
        self._cancelled.set()
        with contextlib.suppress(duckdb.ConnectionException):  # it has just ended
            self.connection.interrupt()

    @property
    def folder(self) -> Path:
        return Path(self._folder.name)

    def select(self, query: statements.Select) -> Outcome:
        """Run a query to its end."""
        bound = self.bind(query)
        with self.errors(query):
            rows = self.connection.execute(self._fetchable(bound)).fetchall()
        shown = tuple(tuple(map(cell, row)) for row in rows)
        return Outcome(bound.columns, shown, bound.scanned_bytes)

    def bind(self, query: statements.Select) -> Bound:
        """Plan a query, load the partitions that it scans, and leave the engine ready to run it."""
        with self.errors(query):
            binder = Binder(self.connection, self.context.snapshot)
            try:
                sql = binder.bind(query.sql, query.tree, self.context.database)
            except RequestRefused as error:  # malformed SQL inside a view
                raise QueryFailed(f"INVALID_VIEW: {error.message}") from error
            columns = tuple(ResultColumn(*each) for each in binder.columns_of(sql))
            scanned = self._load(binder, binder.scans(sql))
            self.connection.execute("USE data")
        return Bound(sql, columns, scanned)

    def _load(self, binder: Binder, scans: Sequence[Scan]) -> int:
        """Copy the files of the scanned partitions; returns the bytes that the scans read."""
        wanted: dict[int, set[int]] = defaultdict(set)
        for scan in scans:
            wanted[scan.table].add(scan.partition)
        read = {}
        for number, table in enumerate(binder.tables):
            files = {
                index: self._copy(table.sources[index].location) for index in sorted(wanted[number])
            }
            read.update({(number, index): copies for index, copies in files.items()})
            paths = {local: uri for copies in files.values() for local, uri in copies.items()}
            groups = {index: _by_schema(binder, copies) for index, copies in files.items()}
            binder.load(number, groups, paths)
        return self._charge(scans, read)

    def _charge(self, scans: Sequence[Scan], read: Mapping[tuple[int, int], dict[str, str]]) -> int:
        total = sum(
            column_bytes(local, scan.columns)
            for scan in scans
            for local in read[scan.table, scan.partition]
        )
        if self.context.cutoff and total > self.context.cutoff:
            raise QueryFailed(LIMIT_EXCEEDED, cancelled=True)
        return total

    def _copy(self, location: str) -> dict[str, str]:
        """Local copies of a partition's files: path to `s3://` address."""
        copies = {}
        for each in objects.data_files(self.context.store, location):
            if self._cancelled.is_set():
                raise QueryFailed("Query was cancelled by user", cancelled=True)
            path = self.folder / f"{sum(1 for _ in self.folder.iterdir())}.parquet"
            path.write_bytes(self.context.store.read(each.uri))
            copies[str(path)] = each.uri
        return copies

    def _fetchable(self, bound: Bound) -> str:
        """The query with times of a zone as text: Python's driver needs a package to read those."""
        zoned = "TIMESTAMP WITH TIME ZONE"
        if not any(column.type == zoned for column in bound.columns):
            return bound.sql
        names = [f"c{place}" for place in range(len(bound.columns))]
        shown = [
            f"strftime({name} AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S.%g UTC')"
            if column.type == zoned
            else name
            for name, column in zip(names, bound.columns, strict=True)
        ]
        return select(shown, f"({bound.sql}) AS result({', '.join(names)})")

    @contextlib.contextmanager
    def errors(self, query: statements.Select) -> Iterator[None]:
        """DuckDB's errors as Athena's."""
        try:
            yield
        except duckdb.InterruptException as error:
            raise QueryFailed("Query was cancelled by user", cancelled=True) from error
        except duckdb.Error as error:
            raise failures.from_duckdb(error, query.sql, query.tree) from error


def column_bytes(file: str, columns: frozenset[str]) -> int:
    """The compressed size of the column chunks of `columns` in a Parquet file."""
    metadata = pq.ParquetFile(file).metadata
    chunks = (
        group.column(index)
        for group in map(metadata.row_group, range(metadata.num_row_groups))
        for index in range(group.num_columns)
    )
    return sum(
        chunk.total_compressed_size
        for chunk in chunks
        if chunk.path_in_schema.split(".")[0].lower() in columns
    )


def _by_schema(binder: Binder, copies: Mapping[str, str]) -> list[list[str]]:
    """The files in groups of one schema, so that each group is read in one go."""
    groups: dict[object, list[str]] = defaultdict(list)
    for local, uri in copies.items():
        groups[binder.schema_key(local, uri)].append(local)
    return list(groups.values())


def text_columns(*names: str) -> tuple[ResultColumn, ...]:
    """The columns of an answer that is nothing but text."""
    return tuple(ResultColumn(name) for name in names)


def storable_query(bound: Bound, names: Sequence[str] = ()) -> str:
    """The query with types that Parquet has, and its columns renamed if `names` are given."""
    inner = [f"c{place}" for place in range(len(bound.columns))]
    targets = list(names) or [column.name.lower() for column in bound.columns]
    shown = [
        cast(source, datatypes.storable(column.type), target)
        for source, target, column in zip(inner, targets, bound.columns, strict=True)
    ]
    return select(shown, f"({bound.sql}) AS result({', '.join(inner)})")

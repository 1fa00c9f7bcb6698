"""A catalog and objects in memory, for the engine's tests."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from local.athena import run, statements
from local.athena.catalog import Column, Partition, Snapshot, Table
from local.athena.engine import Context, Engine, Outcome
from local.athena.failures import QueryFailed
from local.athena.objects import StoredObject

ROOT = "s3://lake/costs"


@dataclass
class Bucket:
    """An ObjectStore in memory that remembers what was read."""

    objects: dict[str, bytes] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)

    def list(self, location: str) -> list[StoredObject]:
        found = sorted(self.objects.items())
        return [StoredObject(uri, len(data)) for uri, data in found if uri.startswith(location)]

    def read(self, uri: str) -> bytes:
        self.reads.append(uri)
        if uri not in self.objects:
            raise QueryFailed(f"HIVE_CANNOT_OPEN_SPLIT: {uri}")
        return self.objects[uri]

    def write(self, uri: str, data: bytes, content_type: str) -> None:
        assert content_type
        self.objects[uri] = data


@dataclass
class Changes:
    """A CatalogWriter that only records its calls."""

    made: list[tuple[Any, ...]] = field(default_factory=list)

    def create(self, database: str, table_input: Mapping[str, Any], *, replace: bool) -> None:
        verb = "replace" if replace else "create"
        self.made.append((verb, database, table_input["Name"], dict(table_input)))

    def drop(self, database: str, name: str) -> None:
        self.made.append(("drop", database, name))

    def add_partition(self, database: str, name: str, partition: Partition) -> None:
        self.made.append(("add", database, name, partition))

    def drop_partition(self, database: str, name: str, values: tuple[str, ...]) -> None:
        self.made.append(("remove", database, name, values))


def parquet(columns: Mapping[str, Any]) -> bytes:
    body = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), body)
    return body.getvalue()


def costs(periods: Sequence[str] = ("2026-09", "2026-10")) -> Table:
    """`costs(service string, cost double, tags map<string,string>)` by account and period."""
    return Table(
        database="lake",
        name="costs",
        columns=(
            Column("service", "string"),
            Column("cost", "double"),
            Column("tags", "map<string,string>"),
        ),
        partition_keys=(Column("account_id", "string"), Column("billing_period", "string")),
        location=ROOT,
        partitions=tuple(Partition(("1", each), f"{ROOT}/{each}/") for each in periods),
    )


def snapshot(*tables: Table) -> Snapshot:
    return Snapshot(frozenset({"lake"}), {(t.database, t.name): t for t in tables})


@dataclass
class World:
    """Runs SQL against `tables` and `bucket`."""

    tables: tuple[Table, ...] = field(default_factory=lambda: (costs(),))
    bucket: Bucket = field(default_factory=Bucket)
    changes: Changes = field(default_factory=Changes)
    cutoff: int = 0
    enforced: bool = False

    def put(self, place: str, **columns: Any) -> None:
        self.bucket.objects[place] = parquet(columns)

    def run(self, sql: str) -> Outcome:
        context = Context(
            snapshot=snapshot(*self.tables),
            store=self.bucket,
            catalog=self.changes,
            database="lake",
            results="s3://results/",
            query_id="q",
            cutoff=self.cutoff,
            enforced=self.enforced,
        )
        with Engine(context) as engine:
            return run.run(engine, statements.read(sql))

    def rows(self, sql: str) -> list[tuple[str | None, ...]]:
        return list(self.run(sql).rows)

    @classmethod
    def with_two_months(cls) -> "World":
        world = cls()
        world.put(f"{ROOT}/2026-09/0.parquet", Service=["EC2", "S3"], COST=[10.0, 1.5])
        world.put(f"{ROOT}/2026-10/0.parquet", service=["EC2"], cost=[20.0])
        return world

"""The platform around a reconciliation: registry, partitions, tables, and Athena over DuckDB."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import duckdb
import sqlglot

from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import Generation, PublishedPeriod, Verdict
from cloudspend.lake.ports import QueryResult
from cloudspend.lake.tables import Table


class FakePeriods:
    """Published periods in memory. `publish` moves a pointer as a newer generation would;
    `generations` are those that were delivered, oldest first."""

    def __init__(self, *published: PublishedPeriod) -> None:
        self.generations: list[Generation] = []
        self._held: dict[tuple[str, BillingPeriod], PublishedPeriod] = {}
        for period in published:
            self.publish(period)

    def publish(self, published: PublishedPeriod) -> None:
        self._held[published.account_id, published.period] = published

    def pointer(self, account_id: str, period: BillingPeriod) -> PublishedPeriod | None:
        return self._held.get((account_id, period))

    def periods(self, account_id: str) -> list[PublishedPeriod]:
        mine = [held for held in self._held.values() if held.account_id == account_id]
        return sorted(mine, key=lambda held: held.period)

    def of_period(self, account_id: str, period: BillingPeriod) -> list[Generation]:
        return [
            each
            for each in self.generations
            if (each.account_id, each.period) == (account_id, period)
        ]

    def record_verdict(
        self,
        account_id: str,
        period: BillingPeriod,
        generation: str,
        *,
        verdict: Verdict,
        reason: str,
        residual: Decimal | None,
        at: datetime,
    ) -> bool:
        held = self.pointer(account_id, period)
        if held is None or held.generation != generation:
            return False
        said = replace(held, verdict=verdict, verdict_reason=reason, residual=residual)
        self.publish(replace(said, reconciled_at=at))
        return True


class FakeTables:
    """Objects by prefix, as the lake bucket would hold them."""

    bucket = "lake"

    def __init__(self) -> None:
        self.objects: dict[str, list[dict[str, Any]]] = {}

    def write(self, table: Table, prefix: str, rows: Iterable[Mapping[str, Any]]) -> None:
        names = [column.name for column in table.columns]
        self.objects[prefix] = [{name: row[name] for name in names} for row in rows]


class FakePartitions:
    """Partitions that read from a FakeTables."""

    def __init__(self, tables: FakeTables) -> None:
        self._tables = tables
        self.locations: dict[tuple[str, tuple[str, ...]], str] = {}

    def location(self, table: str, values: tuple[str, ...]) -> str | None:
        return self.locations.get((table, values))

    def point(self, table: str, values: tuple[str, ...], location: str) -> None:
        self.locations[table, values] = location

    def read(self, table: str, *values: str) -> list[dict[str, Any]]:
        """What a reader of the partition sees."""
        location = self.locations[table, values]
        return self._tables.objects[location.removeprefix(f"s3://{self._tables.bucket}/")]


class DuckQueries:
    """Athena's dialect on DuckDB. Every value is handed out as text, as Athena does."""

    def __init__(self, **tables: str) -> None:
        self.connection = duckdb.connect()
        for name, columns in tables.items():
            self.connection.execute(f"CREATE TABLE {name} ({columns})")

    def insert(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            self.connection.execute(
                f"INSERT INTO {table} ({names}) VALUES ({marks})",
                list(row.values()),
            )

    def query(self, sql: str) -> QueryResult:
        [translated] = sqlglot.transpile(sql, read="athena", write="duckdb")
        answer = self.connection.execute(translated)
        described = answer.description or []
        rows = tuple(tuple(_text(value) for value in row) for row in answer.fetchall())
        names, types = (tuple(str(column[at]) for column in described) for at in (0, 1))
        return QueryResult(names, types, rows, scanned_bytes=0)

    def run(self, sql: str) -> list[dict[str, str | None]]:
        result = self.query(sql)
        return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)

"""The lake's ports in memory."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cloudspend.convert.model import ParquetTotals
from cloudspend.errors import Defect, TransientError, names
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import (
    AccountInventory,
    DetailTotals,
    Generation,
    GenerationState,
    PublishedPeriod,
    SweepState,
    Totals,
    Verdict,
)
from cloudspend.lake.ports import QueryResult, StagedFile
from cloudspend.lake.tables import Column

ACCOUNT = "111111111111"
PERIOD = BillingPeriod(2026, 10)
OLD, NEW, NEWEST = (
    "20261103T063000Z-aaaaaaaa",
    "20261104T063000Z-bbbbbbbb",
    "20261105T063000Z-cccccccc",
)
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TOTALS = Totals(2, Decimal("12.5"), Decimal("10.25"), "USD", Decimal("15.75"))


def a_generation(name: str = OLD, **changes: Any) -> Generation:
    """A planned generation but for `changes`."""
    planned = Generation(
        account_id=ACCOUNT,
        period=PERIOD,
        generation=name,
        delivery_id="an-assembly",
        delivered_at=datetime.strptime(name.partition("-")[0], "%Y%m%dT%H%M%S%z"),
        manifest_bucket="a-bucket",
        manifest_key=f"a-prefix/a-name/20261001-20261101/{name}/a-name-Manifest.json",
        state=GenerationState.PLANNED,
    )
    return replace(planned, **changes)


def a_published(name: str = OLD, **changes: Any) -> PublishedPeriod:
    """A published period that was not reconciled, but for `changes`."""
    return replace(PublishedPeriod(ACCOUNT, PERIOD, name, NOW, TOTALS), **changes)


class FakeGenerations:
    """`Generations` in dictionaries."""

    def __init__(self) -> None:
        self._generations: dict[tuple[str, str, str], Generation] = {}
        self._pointers: dict[tuple[str, str], PublishedPeriod] = {}
        self._watches: dict[str, SweepState] = {}

    def pointer(self, account_id: str, period: BillingPeriod) -> PublishedPeriod | None:
        return self._pointers.get((account_id, str(period)))

    def periods(self, account_id: str) -> list[PublishedPeriod]:
        return [self._pointers[key] for key in sorted(self._pointers) if key[0] == account_id]

    def get(self, account_id: str, period: BillingPeriod, generation: str) -> Generation | None:
        return self._generations.get((account_id, str(period), generation))

    def of_period(self, account_id: str, period: BillingPeriod) -> list[Generation]:
        found = sorted(self._generations)
        return [self._generations[key] for key in found if key[:2] == (account_id, str(period))]

    def of_manifest(self, account_id: str, bucket: str, key: str) -> Generation | None:
        found = [
            each
            for each in self._generations.values()
            if (each.account_id, each.manifest_bucket, each.manifest_key)
            == (account_id, bucket, key)
        ]
        return max(found, key=lambda each: each.generation, default=None)

    def plan(self, generation: Generation) -> None:
        held = self.get(generation.account_id, generation.period, generation.generation)
        if held is None:
            self._put(generation)
        elif held.state is GenerationState.PUBLISHED:
            self._put(replace(held, failure=None))
        else:
            self._put(replace(generation, totals=held.totals))

    def record_checked(
        self, account_id: str, period: BillingPeriod, generation: str, totals: Totals
    ) -> None:
        self._change(account_id, period, generation, totals=totals, failure=None)
        self.record_outcome(account_id, period, generation, GenerationState.CHECKED)

    def record_outcome(
        self, account_id: str, period: BillingPeriod, generation: str, state: GenerationState
    ) -> None:
        held = self.get(account_id, period, generation)
        if held and held.state is not GenerationState.PUBLISHED:
            self._put(replace(held, state=state))

    def record_failure(
        self,
        account_id: str,
        period: BillingPeriod,
        generation: str,
        failure: Mapping[str, Any],
        *,
        final: bool = False,
    ) -> None:
        held = self.get(account_id, period, generation)
        if held and (held.failure is None or held.failure["error"] in names(TransientError)):
            kept = json.loads(json.dumps(failure, default=str))
            self._put(replace(held, failure=kept))
        if final:
            self.record_outcome(account_id, period, generation, GenerationState.FAILED)

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
        self._pointers[account_id, str(period)] = replace(
            held, verdict=verdict, verdict_reason=reason, residual=residual, reconciled_at=at
        )
        return True

    def advance(self, published: PublishedPeriod, over: str | None) -> bool:
        key = published.account_id, str(published.period)
        held = self._pointers.get(key)
        if (held.generation if held else None) != over:
            return False
        self._pointers[key] = published
        return True

    def holdings(self, account_id: str) -> AccountInventory:
        held = sorted(key for key in self._generations if key[0] == account_id)
        return AccountInventory(
            tuple(self.periods(account_id)),
            tuple(self._generations[key] for key in held),
            self._watches.get(account_id),
        )

    def remember(self, account_id: str, watch: SweepState) -> None:
        self._watches[account_id] = watch

    def expire(self, account_id: str, period: BillingPeriod, generation: str, at: datetime) -> bool:
        held = self.get(account_id, period, generation)
        if held is None or self._is_current(account_id, period, generation):
            return False
        self._put(replace(held, state=GenerationState.EXPIRED, expired_at=at))
        return True

    def retire(self, published: PublishedPeriod, at: datetime) -> bool:
        key = published.account_id, published.period, published.generation
        held = self.get(*key)
        if held is None or not self._is_current(*key):
            return False
        del self._pointers[published.account_id, str(published.period)]
        self._put(replace(held, state=GenerationState.EXPIRED, expired_at=at))
        return True

    def restore(self, account_id: str, period: BillingPeriod, generation: str) -> bool:
        held = self.get(account_id, period, generation)
        if held is None or not self._is_current(account_id, period, generation):
            return False
        self._put(replace(held, state=GenerationState.PUBLISHED, expired_at=None))
        return True

    def forget(self, account_id: str, period: BillingPeriod, generation: str) -> None:
        held = self.get(account_id, period, generation)
        if held and held.state is GenerationState.EXPIRED:
            del self._generations[account_id, str(period), generation]

    def _is_current(self, account_id: str, period: BillingPeriod, generation: str) -> bool:
        pointer = self.pointer(account_id, period)
        return pointer is not None and pointer.generation == generation

    def roll_back(self, published: PublishedPeriod, over: str) -> bool:
        target = self.get(published.account_id, published.period, published.generation)
        if target is None or not target.is_kept:
            return False
        return self.advance(published, over)

    def _put(self, generation: Generation) -> None:
        key = generation.account_id, str(generation.period), generation.generation
        self._generations[key] = generation

    def _change(
        self, account_id: str, period: BillingPeriod, generation: str, **changes: Any
    ) -> None:
        held = self.get(account_id, period, generation)
        if held:
            self._put(replace(held, **changes))


class FakeCatalog:
    """`Catalog` that remembers every place a partition was pointed at, in order."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, tuple[str, ...], str]] = []
        self.columns: dict[str, dict[str, str]] = {}
        self._places: dict[tuple[str, tuple[str, ...]], str] = {}

    def location(self, table: str, values: tuple[str, ...]) -> str | None:
        return self._places.get((table, values))

    def point(
        self,
        table: str,
        values: tuple[str, ...],
        location: str,
        columns: tuple[Column, ...] = (),
    ) -> None:
        lacking = {column.name for column in columns} - self.columns.get(table, {}).keys()
        assert not lacking, f"{table} has no columns {lacking}"
        self.shown.append((table, values, location))
        self._places[table, values] = location

    def ensure_columns(self, table: str, columns: tuple[Column, ...]) -> None:
        held = self.columns.setdefault(table, {})
        for column in columns:
            held.setdefault(column.name, column.type)

    def locations(self, table: str, account_id: str) -> dict[tuple[str, ...], str]:
        return {
            values: place
            for (name, values), place in self._places.items()
            if name == table and values[0] == account_id
        }

    def remove(self, table: str, values: tuple[str, ...]) -> None:
        self._places.pop((table, values), None)


class FakeLake:
    """`Lake`: JSON objects, and Parquet files that are only their totals."""

    bucket = "a-lake"

    def __init__(self) -> None:
        self.objects: dict[str, str] = {}
        self.parquet: dict[str, Totals | DetailTotals] = {}
        self.sizes: dict[str, int] = {}
        self.modified: dict[str, datetime] = {}

    def write_json(self, key: str, value: Any) -> None:
        self.objects[key] = json.dumps(value)

    def read_json(self, key: str) -> Any:
        try:
            return json.loads(self.objects[key])
        except (KeyError, ValueError) as error:
            raise Defect(f"s3://{self.bucket}/{key} is missing or no JSON.", key=key) from error

    def put_parquet(self, key: str, totals: Totals | DetailTotals, size: int = 100) -> None:
        self.parquet[key] = totals
        self.sizes[key] = size

    def staged(self, prefix: str) -> tuple[StagedFile, ...]:
        sizes = {key: len(body) for key, body in self.objects.items()} | self.sizes
        return tuple(
            StagedFile(key, sizes[key], self.modified.get(key, NOW))
            for key in sorted(sizes)
            if key.startswith(prefix)
        )

    def groups(self, prefix: str, delimiter: str) -> tuple[str, ...]:
        rest = [file.key.removeprefix(prefix) for file in self.staged(prefix)]
        heads = {tail.partition(delimiter)[0] for tail in rest if delimiter in tail}
        return tuple(f"{prefix}{head}{delimiter}" for head in sorted(heads))

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            for held in (self.objects, self.parquet, self.sizes):
                held.pop(key, None)

    def parquet_totals(self, key: str, columns: Sequence[str]) -> ParquetTotals:
        held = self.parquet[key]
        if isinstance(held, DetailTotals):
            sums = {"line_item_unblended_cost": held.unblended_cost}
        else:
            sums = {"billedcost": held.billed_cost, "effectivecost": held.effective_cost}
            sums["listcost"] = held.list_cost
        return ParquetTotals(held.rows, {name: sums[name] for name in columns})


class FakeQueries:
    """`Queries` that gives the same rows to every statement and keeps the statements."""

    def __init__(self, *rows: dict[str, str | None]) -> None:
        self.rows = list(rows)
        self.statements: list[str] = []

    def run(self, sql: str) -> list[dict[str, str | None]]:
        self.statements.append(sql)
        return self.rows

    def query(self, sql: str) -> QueryResult:
        self.statements.append(sql)
        columns = tuple(self.rows[0]) if self.rows else ()
        values = tuple(tuple(row.values()) for row in self.rows)
        return QueryResult(columns, ("varchar",) * len(columns), values, 0)


class FakeExecutions:
    """`Executions` by name; what is started runs until `end` says how it ended."""

    def __init__(self) -> None:
        self.payloads: dict[str, Mapping[str, Any]] = {}
        self._statuses: dict[str, str] = {}

    def start(self, name: str, payload: Mapping[str, Any]) -> bool:
        if name in self._statuses:
            return False
        self.payloads[name] = payload
        self._statuses[name] = "RUNNING"
        return True

    def status(self, name: str) -> str | None:
        return self._statuses.get(name)

    def end(self, name: str, status: str) -> None:
        self._statuses[name] = status

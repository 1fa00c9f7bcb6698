"""The lake's ports in memory, with every call counted under the name of the AWS request that the
real adapter makes for it. Only what planning, publishing and sweeping call is there."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from cloudspend.accounts.model import Account
from cloudspend.alerts.event import Event
from cloudspend.exports.model import BillingPeriod
from cloudspend.exports.ports import StoredObject
from cloudspend.lake import items
from cloudspend.lake.model import (
    AccountInventory,
    Generation,
    GenerationState,
    PublishedPeriod,
    SweepState,
)
from cloudspend.lake.ports import StagedFile
from cloudspend.lake.tables import Column

Calls = Counter[str]


class Registry:
    """Items of the registry as DynamoDB holds them, so that reading them costs what it does."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._items: dict[str, dict[str, dict[str, Any]]] = {}

    def put(self, item: dict[str, Any]) -> None:
        self._items.setdefault(item["pk"], {})[item["sk"]] = item

    def holdings(self, account_id: str) -> AccountInventory:
        self._calls["dynamodb:Query"] += 1
        held = self._items.get(f"ACCOUNT#{account_id}", {})
        return items.to_holdings(held[key] for key in sorted(held))

    def remember(self, account_id: str, watch: SweepState) -> None:
        self._calls["dynamodb:PutItem"] += 1
        self.put(items.watch_item(account_id, watch))

    def pointer(self, account_id: str, period: BillingPeriod) -> PublishedPeriod | None:
        item = self._get(items.period_key(account_id, period))
        return items.to_period(item) if item else None

    def get(self, account_id: str, period: BillingPeriod, generation: str) -> Generation | None:
        item = self._get(items.generation_key(account_id, period, generation))
        return items.to_generation(item) if item else None

    def plan(self, generation: Generation) -> None:
        self._calls["dynamodb:UpdateItem"] += 2
        self.put(items.generation_item(generation))

    def record_outcome(
        self, account_id: str, period: BillingPeriod, generation: str, state: GenerationState
    ) -> None:
        self._calls["dynamodb:UpdateItem"] += 1
        key = items.generation_key(account_id, period, generation)
        self._items[key["pk"]][key["sk"]]["state"] = str(state)

    def advance(self, published: PublishedPeriod, over: str | None) -> bool:
        self._calls["dynamodb:PutItem"] += 1
        held = self._items.get(f"ACCOUNT#{published.account_id}", {})
        item = held.get(items.period_key(published.account_id, published.period)["sk"])
        if (item["generation"] if item else None) != over:
            return False
        self.put(items.period_item(published))
        return True

    def _get(self, key: Mapping[str, str]) -> dict[str, Any] | None:
        self._calls["dynamodb:GetItem"] += 1
        return self._items.get(key["pk"], {}).get(key["sk"])


class Accounts:
    """Accounts by their ids."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._accounts: dict[str, Account] = {}

    def put(self, account: Account) -> None:
        self._accounts[account.account_id] = account

    def get(self, account_id: str) -> Account:
        self._calls["dynamodb:GetItem"] += 1
        return self._accounts[account_id]


class Catalog:
    """Partitions by account and table."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._places: dict[tuple[str, str], dict[tuple[str, ...], str]] = {}

    def put(self, table: str, values: tuple[str, ...], location: str) -> None:
        self._places.setdefault((table, values[0]), {})[values] = location

    def locations(self, table: str, account_id: str) -> dict[tuple[str, ...], str]:
        self._calls["glue:GetPartitions"] += 1
        return self._places.get((table, account_id), {})

    def point(
        self,
        table: str,
        values: tuple[str, ...],
        location: str,
        columns: tuple[Column, ...] = (),  # noqa: ARG002 - schemas are not simulated
    ) -> None:
        self._calls["glue:UpdatePartition"] += 1
        self.put(table, values, location)

    def remove(self, table: str, values: tuple[str, ...]) -> None:
        self._calls["glue:DeletePartition"] += 1
        self._places.get((table, values[0]), {}).pop(values, None)


class Lake:
    """The folders of generations, and plan files by their sizes."""

    bucket = "lake"

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._groups: dict[str, list[str]] = {}
        self.plan_bytes = 0

    def put(self, start: str, group: str) -> None:
        self._groups.setdefault(start, []).append(group)

    def groups(self, prefix: str, _delimiter: str) -> tuple[str, ...]:
        self._calls["s3:ListObjectsV2 (lake)"] += 1
        return tuple(self._groups.get(prefix, ()))

    def staged(self, _prefix: str) -> tuple[StagedFile, ...]:
        self._calls["s3:ListObjectsV2 of data files"] += 1
        return ()

    def write_json(self, _key: str, value: Sequence[Any]) -> None:
        self._calls["s3:PutObject (lake)"] += 1
        self.plan_bytes += len(str(value))


class CustomerBucket:
    """Manifests and data files of one account's legacy report; data files are never listed."""

    def __init__(self, calls: Calls, base: str, months: Mapping[str, StoredObject]) -> None:
        self._calls = calls
        self._base = base
        self._months = months
        self.bodies: dict[str, bytes] = {}

    def folders(self, _bucket: str, folder: str) -> Iterator[str]:
        self._calls["s3:ListObjectsV2 (customer)"] += 1
        if folder == self._base:
            yield from self._months

    def head(self, bucket: str, key: str) -> StoredObject | None:
        self._calls["s3:HeadObject (customer)"] += 1
        held = self._months.get(key.rpartition("/")[0] + "/")
        if key.endswith("-Manifest.json"):
            return held
        return replace(next(iter(self._months.values())), bucket=bucket, key=key)

    def read(self, _bucket: str, key: str, _limit: int) -> tuple[StoredObject, bytes] | None:
        self._calls["s3:GetObject (customer)"] += 1
        held = self._months.get(key.rpartition("/")[0] + "/")
        return (held, self.bodies[key]) if held else None


class Executions:
    """Executions of Ingest; none runs."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def start(self, _name: str, _payload: Mapping[str, Any]) -> bool:
        self._calls["states:StartExecution"] += 1
        return True

    def status(self, _name: str) -> str | None:
        self._calls["states:DescribeExecution"] += 1
        return None


class Bus:
    """Takes every event."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def put(self, _event: Event) -> None:
        self._calls["events:PutEvents"] += 1


def stored(bucket: str, key: str, modified: datetime) -> StoredObject:
    """An object of 1 KB."""
    return StoredObject(bucket, key, "0" * 32, 1024, modified)

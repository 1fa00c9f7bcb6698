"""Expire data in an order in which a crash between two calls leaves no reference to missing data.

First the registry marks a generation as expired, then its partitions are deleted, and a day later
its objects, when every query that was planned with them has ended. The registry item is deleted
last: until then, the next sweep finds the rest. In a versioned bucket, the lifecycle rule removes
the last version of a deleted object.
"""

from dataclasses import dataclass
from datetime import datetime

from cloudspend.accounts.model import Account
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.sweep import PeriodExpired
from cloudspend.alerts.event import Bus
from cloudspend.ingest.plan import RUNS
from cloudspend.lake.model import AccountInventory, Generation, PublishedPeriod
from cloudspend.lake.ports import Catalog, Lake, SweptRegistry
from cloudspend.lake.retention import RetentionPolicy, due
from cloudspend.lake.tables import (
    GENERATION_TABLES,
    PERIOD_TABLES,
    Table,
    generation_prefix,
    generation_values,
    period_values,
    tag_columns,
)


@dataclass(frozen=True)
class RetentionPorts:
    """Ports of retention.

    `proofs` are tables with one partition per period, in addition to those of the lake, that are
    removed with the period.
    """

    registry: SweptRegistry
    catalog: Catalog
    lake: Lake
    bus: Bus
    proofs: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Expired:
    """The expired billing periods and generations, and the deleted objects of earlier ones."""

    periods: int = 0
    generations: int = 0
    objects: int = 0


def expire(
    account: Account,
    holdings: AccountInventory,
    store: RetentionPorts,
    kept: RetentionPolicy,
    now: datetime,
) -> Expired:
    """Execute the next step for all data of the account that is due. Can be repeated."""
    wanted = due(account, holdings, kept, now)
    retired = [each for each in wanted.retire if _retire(account, each, store, now)]
    expired = [each for each in wanted.expire if _expire(each, store, now)]
    objects = sum(_remove(account, each, store) for each in wanted.remove)
    return Expired(len(retired), len(expired), objects)


def _retire(
    account: Account, published: PublishedPeriod, store: RetentionPorts, now: datetime
) -> bool:
    """End a billing period. Published before it happens: a repeated event is better than none."""
    store.bus.put(
        event(
            PeriodExpired(
                period=str(published.period),
                generation=published.generation,
                retention_months=account.retention_months or 0,
            ),
            account.for_events,
            f"{published.period}",
        )
    )
    return end_period(published, store, now)


def end_period(published: PublishedPeriod, store: RetentionPorts, now: datetime) -> bool:
    """Remove a billing period from readers, with its proofs.

    Return False when another generation has become current since the decision.
    """
    if not store.registry.retire(published, now):
        return False
    values = period_values(published.account_id, published.period)
    for table in (*PERIOD_TABLES, *store.proofs):
        store.catalog.remove(table.name, values)
    _hide(published, store)
    return True


def _expire(generation: Generation, store: RetentionPorts, now: datetime) -> bool:
    """Return False when the generation has become current since the decision."""
    held = generation.account_id, generation.period, generation.generation
    if not store.registry.expire(*held, now):
        return False
    _hide(generation, store)
    return True


def _remove(account: Account, generation: Generation, store: RetentionPorts) -> int:
    """Delete the objects of an expired generation and its item; return their number.

    A generation that was made current again since it expired is shown again instead.
    """
    held = generation.account_id, generation.period, generation.generation
    if store.registry.restore(*held):
        _show(account, generation, store)
        return 0
    _hide(generation, store)
    folders = (*(table.data_folder for table in (*PERIOD_TABLES, *store.proofs)), RUNS)
    keys = [
        file.key
        for folder in dict.fromkeys(folders)
        for file in store.lake.staged(generation_prefix(folder, *held))
    ]
    store.lake.delete(keys)
    store.registry.forget(*held)
    return len(keys)


def _show(account: Account, generation: Generation, store: RetentionPorts) -> None:
    """Add a generation to the tables of all generations that contain its data."""
    held = generation.account_id, generation.period, generation.generation
    for table in GENERATION_TABLES:
        prefix = generation_prefix(table.data_folder, *held)
        if store.lake.staged(prefix):
            location = f"s3://{store.lake.bucket}/{prefix}"
            columns = tag_columns(table, account)
            store.catalog.point(table.name, generation_values(*held), location, columns)


def _hide(held: Generation | PublishedPeriod, store: RetentionPorts) -> None:
    """Remove a generation from the tables of all generations."""
    for table in GENERATION_TABLES:
        values = generation_values(held.account_id, held.period, held.generation)
        store.catalog.remove(table.name, values)

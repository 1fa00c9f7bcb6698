"""Let go of what is no longer kept, so that a crash between any two calls leaves nothing pointing
at what is gone.

The registry says first that a generation is expired, then its partitions go, and only a day later
its objects, when every query that was planned with them has ended. The registry's item goes last:
until then the next sweep finds what is left to do. In a versioned bucket a deleted object's last
version is taken by the bucket's lifecycle rule.
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
    """Where bills are kept: the registry, the partitions, the objects.

    `proofs` are tables of one partition a period beside those of the lake, which go with it.
    """

    registry: SweptRegistry
    catalog: Catalog
    lake: Lake
    bus: Bus
    proofs: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Expired:
    """What was let go: billing periods, generations, and the objects of those that went before."""

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
    """Take the next step with everything of the account's that is due. May be repeated."""
    wanted = due(account, holdings, kept, now)
    retired = [each for each in wanted.retire if _retire(account, each, store, now)]
    expired = [each for each in wanted.expire if _expire(each, store, now)]
    objects = sum(_remove(account, each, store) for each in wanted.remove)
    return Expired(len(retired), len(expired), objects)


def _retire(
    account: Account, published: PublishedPeriod, store: RetentionPorts, now: datetime
) -> bool:
    """End a billing period. Told before it is done: told twice is better than not at all."""
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
    """Take a billing period from readers, with everything that was proved of it. False when another
    generation has become current since it was looked at."""
    if not store.registry.retire(published, now):
        return False
    values = period_values(published.account_id, published.period)
    for table in (*PERIOD_TABLES, *store.proofs):
        store.catalog.remove(table.name, values)
    _hide(published, store)
    return True


def _expire(generation: Generation, store: RetentionPorts, now: datetime) -> bool:
    """False when it has become current since it was looked at."""
    held = generation.account_id, generation.period, generation.generation
    if not store.registry.expire(*held, now):
        return False
    _hide(generation, store)
    return True


def _remove(account: Account, generation: Generation, store: RetentionPorts) -> int:
    """Delete the objects of an expired generation and forget it; returns how many there were.

    One that was made current again since it expired is shown again instead.
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
    """Put a generation back into the tables that show every generation, where it has data."""
    held = generation.account_id, generation.period, generation.generation
    for table in GENERATION_TABLES:
        prefix = generation_prefix(table.data_folder, *held)
        if store.lake.staged(prefix):
            location = f"s3://{store.lake.bucket}/{prefix}"
            columns = tag_columns(table, account)
            store.catalog.point(table.name, generation_values(*held), location, columns)


def _hide(held: Generation | PublishedPeriod, store: RetentionPorts) -> None:
    """Take a generation out of the tables that show every generation."""
    for table in GENERATION_TABLES:
        values = generation_values(held.account_id, held.period, held.generation)
        store.catalog.remove(table.name, values)

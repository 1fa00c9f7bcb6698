"""Repair partitions that differ from the registry.

The registry decides, and Glue follows (docs/decisions/0025). This is for the cases in which Glue
did not follow, or someone else changed it.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from cloudspend.accounts.model import Account
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.sweep import PartitionRepaired
from cloudspend.alerts.event import Event
from cloudspend.exports.model import BillingPeriod
from cloudspend.ingest.publish import PublishPorts, sync_partitions
from cloudspend.lake.model import AccountInventory, Generation, PublishedPeriod
from cloudspend.lake.ports import Lake
from cloudspend.lake.tables import PERIOD_TABLES, Table, generation_prefix, period_values

# A generation's name is a timestamp and a digest, separated by a dash; the timestamp ends with
# this.
MOMENT_END = "Z"

# A billing period and the timestamp of a generation.
GenerationRef = tuple[BillingPeriod, str]
Shown = Mapping[str, Mapping[tuple[str, ...], str]]


@dataclass(frozen=True)
class Drift:
    """A partition that differs from the registry.

    `generation` is the correct one, None where the registry has no published one; `shown` is the
    current location, None where the partition is missing.
    """

    table: str
    period: BillingPeriod
    generation: str | None
    shown: str | None

    @property
    def wrong(self) -> str:
        """Return the difference as a sentence."""
        if self.shown is None:
            return "It was missing."
        if self.generation is None:
            return "It showed a period that the registry does not hold, and was removed."
        return f"It read from {self.shown}."


@dataclass(frozen=True, order=True)
class Folder:
    """The objects of a generation in one data folder. `prefix` ends with the timestamp of its
    name.
    """

    name: str
    period: BillingPeriod
    prefix: str

    @property
    def copy(self) -> GenerationRef:
        """Return the generation of the folder."""
        return self.period, self.prefix.rpartition("=")[2]


def copy_of(generation: Generation | PublishedPeriod) -> GenerationRef:
    """Return a generation in the form of its folders' names."""
    return generation.period, generation.generation.partition("-")[0]


def folders(name: str, account_id: str, lake: Lake) -> list[Folder]:
    """Return the folder of each generation of the account that has objects under the folder `name`.

    Lists one line per generation and no data files.
    """
    start = f"{name}/account_id={account_id}/billing_period="
    found = []
    for prefix in lake.groups(start, MOMENT_END):
        match = re.fullmatch(r"(\d{4}-\d{2})/generation=[0-9T]+Z", prefix.removeprefix(start))
        if match:
            found.append(Folder(name, BillingPeriod.parse(match[1]), prefix))
    return found


def drifts(holdings: AccountInventory, shown: Shown, bucket: str) -> list[Drift]:
    """Return every partition of PERIOD_TABLES that differs from the registry.

    `shown` are the partitions by table, `bucket` is the lake's.
    """
    return [
        *(
            drift
            for published in holdings.published
            for table in PERIOD_TABLES
            if (drift := _drift(published, table, shown[table.name], bucket))
        ),
        *_strays(holdings, shown),
    ]


def _drift(
    published: PublishedPeriod, table: Table, shown: Mapping[tuple[str, ...], str], bucket: str
) -> Drift | None:
    held = published.account_id, published.period, published.generation
    found = shown.get(period_values(published.account_id, published.period))
    is_held = table.name in published.totals.tables
    wanted = f"s3://{bucket}/{generation_prefix(table.data_folder, *held)}" if is_held else None
    if found == wanted:
        return None
    return Drift(table.name, published.period, published.generation, found)


def _strays(holdings: AccountInventory, shown: Shown) -> Iterator[Drift]:
    known = {str(published.period) for published in holdings.published}
    for table in PERIOD_TABLES:
        for (_, period), location in sorted(shown[table.name].items()):
            if period not in known:
                yield Drift(table.name, BillingPeriod.parse(period), None, location)


def without_files(holdings: AccountInventory, stored: Collection[Folder]) -> list[PublishedPeriod]:
    """Return the published periods with missing files, which no partition can repair."""
    there = {(each.name, each.copy) for each in stored}
    return [
        published
        for published in holdings.published
        if any(
            (table.data_folder, copy_of(published)) not in there
            for table in PERIOD_TABLES
            if table.name in published.totals.tables
        )
    ]


def look(account_id: str, publish_ports: PublishPorts, lake: Lake) -> tuple[Shown, list[Folder]]:
    """Read the account's partitions by table, and its generations that have objects."""
    shown = {
        table.name: publish_ports.catalog.locations(table.name, account_id)
        for table in PERIOD_TABLES
    }
    names = dict.fromkeys(table.data_folder for table in PERIOD_TABLES)
    return shown, [folder for name in names for folder in folders(name, account_id, lake)]


def repair(
    account: Account, found: Iterable[Drift], publish_ports: PublishPorts, now: datetime
) -> list[Drift]:
    """Repair the differences that still exist, publish an event for each, and return them.

    Registry and Glue were read one after the other, so a concurrent publisher looks like a
    difference.
    """
    lasting = [drift for drift in found if _lasts(account.account_id, drift, publish_ports)]
    for period in sorted({drift.period for drift in lasting}):
        show(account, period, publish_ports)
    for drift in lasting:
        publish_ports.bus.put(_repaired(account, drift, now))
    return lasting


def _lasts(account_id: str, drift: Drift, publish_ports: PublishPorts) -> bool:
    pointer = publish_ports.generations.pointer(account_id, drift.period)
    now_shown = publish_ports.catalog.location(drift.table, period_values(account_id, drift.period))
    current = pointer.generation if pointer else None
    return current == drift.generation and now_shown == drift.shown


def show(account: Account, period: BillingPeriod, publish_ports: PublishPorts) -> None:
    """Set the period's partitions to the registry's generation until it is stable.

    A period that is published for the first time at this moment must not lose its partition.
    """
    while True:
        pointer = publish_ports.generations.pointer(account.account_id, period)
        if pointer is None:
            for table in PERIOD_TABLES:
                publish_ports.catalog.remove(table.name, period_values(account.account_id, period))
        else:
            sync_partitions(account, period, publish_ports)
        if publish_ports.generations.pointer(account.account_id, period) == pointer:
            return


def _repaired(account: Account, drift: Drift, now: datetime) -> Event:
    """Return the event; the same difference on another day is another event."""
    return event(
        PartitionRepaired(
            table=drift.table,
            period=str(drift.period),
            generation=drift.generation,
            wrong=drift.wrong,
        ),
        account.for_events,
        f"{drift.table}/{drift.period}/{drift.generation}/{drift.wrong}/{now:%Y-%m-%d}",
    )

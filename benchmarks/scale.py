"""Ten thousand accounts and a billion rows a day, through the real planning, publishing and
sweeping code, with synthetic manifests and ports in memory.

    python -m benchmarks.scale [--accounts N] [--periods N] [--rows N] [--deliveries N]

Prints the seconds of this processor that the code itself takes, and how many requests it would make
to AWS in a day. What the conversion takes is measured elsewhere; what waiting for the network takes
is estimated from the requests in docs/scale.md.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from benchmarks import synthetic as s
from cloudspend import payloads as p
from cloudspend.accounts.model import Account, AccountState, AccountType, Export, ExportKind
from cloudspend.exports.model import BillingPeriod
from cloudspend.ingest.plan import RUNS, IngestPorts, plan
from cloudspend.ingest.publish import PublishPorts, publish
from cloudspend.lake import items
from cloudspend.lake.model import (
    Generation,
    GenerationState,
    PublishedPeriod,
    SweepState,
    Totals,
    Verdict,
)
from cloudspend.lake.retention import RetentionPolicy
from cloudspend.lake.tables import COST_AND_USAGE, generation_prefix, period_values
from cloudspend.lake.totals import to_payload
from cloudspend.sweep.expire import RetentionPorts
from cloudspend.sweep.missed import SWEEPS_A_DAY, mark_of
from cloudspend.sweep.sweep import SweepPorts, sweep_account

NOW = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
BUCKET, PREFIX, NAME = "bills", "cloudspend", "cur"
BASE = f"{PREFIX}/{NAME}/"
# AWS cuts a report into files of about a million rows.
ROWS_PER_FILE = 1_000_000
TOTALS = Totals(1000, Decimal("12.5"), Decimal("10.25"), "USD", Decimal("20"))


@dataclass(frozen=True)
class Size:
    """How much there is: accounts, months of each, rows a day of all, deliveries a day of each."""

    accounts: int = 10_000
    periods: int = 36
    rows: int = 1_000_000_000
    deliveries: int = 3

    @property
    def files(self) -> int:
        """Files of one delivery."""
        return max(1, -(-self.rows // (self.accounts * self.deliveries * ROWS_PER_FILE)))


@dataclass
class Figures:
    """Seconds of this processor, and requests by name."""

    seconds: float = 0.0
    calls: s.Calls = field(default_factory=Counter)


def sweep(size: Size) -> Figures:
    """One sweep in which nothing is new. Each account is made, swept and let go: only the sweep is
    timed."""
    figures = Figures()
    for number in range(size.accounts):
        world = _World(number, size, figures.calls)
        begun = time.process_time()
        account = world.accounts.get(world.account.account_id)
        swept = sweep_account(account, world.broom, NOW)
        figures.seconds += time.process_time() - begun
        figures.calls["sts:AssumeRole"] += 1
        found = {name for name, count in swept.counts.items() if count and name != "accounts"}
        if found:
            raise RuntimeError(f"The synthetic accounts are not in order: {sorted(found)}.")
    return figures


def ingest(size: Size) -> Figures:
    """A day's deliveries of the running month, planned and published."""
    figures = Figures()
    for number in range(size.accounts):
        world = _World(number, size, figures.calls)
        for delivery in range(size.deliveries):
            state = world.deliver(NOW + timedelta(hours=delivery + 1), size.files)
            begun = time.process_time()
            planned = plan(state, world.accounts, world.open_bucket, world.shelf)
            sums = to_payload(TOTALS)
            checked = {**planned, p.TOTALS: sums, p.SUMS: sums}
            answer = publish(checked, world.accounts, world.press, NOW)
            figures.seconds += time.process_time() - begun
            figures.calls["sts:AssumeRole"] += 1
            if planned[p.DECISION] != p.INGEST or not answer[p.PUBLISHED]:
                raise RuntimeError(f"A delivery was not published: {answer[p.REASON]}")
    return figures


class _World:
    """One account whose months are published, and the platform as far as it concerns it."""

    def __init__(self, number: int, size: Size, calls: s.Calls) -> None:
        self.account = _account(number, size.periods)
        self._calls = calls
        self.accounts = s.Accounts(calls)
        self.accounts.put(self.account)
        self.registry = s.Registry(calls)
        self.catalog = s.Catalog(calls)
        self.lake = s.Lake(calls)
        seen, months = {}, {}
        for period in _months(BillingPeriod.of(NOW), size.periods):
            folder = f"{BASE}{period.start:%Y%m%d}-{period.end:%Y%m%d}/"
            manifest = s.stored(BUCKET, f"{folder}{NAME}-Manifest.json", _delivered(period))
            months[folder], seen[str(period)] = manifest, mark_of(manifest)
            self._publish(period)
        self.bucket = s.CustomerBucket(calls, BASE, months)
        self._months = months
        self.registry.put(items.watch_item(self.account.account_id, SweepState(NOW, seen)))

    # What is in memory here has only those methods that are called; the calls show that it is so.
    @property
    def press(self) -> PublishPorts:
        ports = (self.registry, self.catalog, None, s.Bus(self._calls), s.Lake.bucket)
        return PublishPorts(*cast("Any", ports))

    @property
    def shelf(self) -> IngestPorts:
        return IngestPorts(*cast("Any", (self.registry, self.lake)))

    @property
    def broom(self) -> SweepPorts:
        ports = cast("Any", (self.registry, self.catalog, self.lake, s.Bus(self._calls)))
        executions = cast("Any", s.Executions(self._calls))
        fresh_for = timedelta(hours=36)
        return SweepPorts(
            RetentionPorts(*ports),
            self.press,
            self.open_bucket,
            executions,
            RetentionPolicy(),
            fresh_for,
            lambda _account: (),
        )

    def open_bucket(self, _account: Account) -> Any:
        return self.bucket

    def deliver(self, at: datetime, files: int) -> dict[str, Any]:
        """AWS writes a newer manifest of the running month; returns what Ingest is started with."""
        period = BillingPeriod.of(NOW)
        folder = f"{BASE}{period.start:%Y%m%d}-{period.end:%Y%m%d}/"
        assembly = f"{at:%Y%m%dT%H%M%S}"
        key = f"{folder}{NAME}-Manifest.json"
        keys = [f"{folder}{assembly}/{NAME}-{file}.csv.gz" for file in range(1, files + 1)]
        self._months[folder] = s.stored(BUCKET, key, at)
        self.bucket.bodies[key] = json.dumps(
            {
                "assemblyId": assembly,
                "account": self.account.account_id,
                "columns": [{"category": "lineItem", "name": "UnblendedCost"}],
                "compression": "GZIP",
                "billingPeriod": {"start": f"{period.start:%Y%m%d}T000000.000Z"},
                "bucket": BUCKET,
                "reportKeys": keys,
            }
        ).encode()
        return {
            p.ACCOUNT_ID: self.account.account_id,
            p.MANIFEST_BUCKET: BUCKET,
            p.MANIFEST_KEY: key,
        }

    def _publish(self, period: BillingPeriod) -> None:
        """Two generations of a month, the second of which is current."""
        account_id = self.account.account_id
        for hours, digest in ((8, "aaaaaaaa"), (0, "bbbbbbbb")):
            at = _delivered(period) - timedelta(hours=hours)
            name = f"{at:%Y%m%dT%H%M%SZ}-{digest}"
            state = GenerationState.PUBLISHED
            generation = Generation(
                account_id, period, name, digest, at, BUCKET, name, state, TOTALS
            )
            self.registry.put({**items.generation_item(generation), "totals": to_payload(TOTALS)})
            for folder in (COST_AND_USAGE.data_folder, RUNS):
                start = f"{folder}/account_id={account_id}/billing_period="
                whole = generation_prefix(folder, account_id, period, name)
                self.lake.put(start, whole.partition("Z-")[0] + "Z")
        pointer = PublishedPeriod(
            account_id,
            period,
            name,
            at,
            TOTALS,
            verdict=Verdict.CERTIFIED,
            residual=Decimal(0),
            # A month that AWS may still change is compared every week, and was so yesterday.
            reconciled_at=max(at, NOW - timedelta(days=1)),
        )
        self.registry.put(items.period_item(pointer))
        prefix = generation_prefix(COST_AND_USAGE.data_folder, account_id, period, name)
        values = period_values(account_id, period)
        self.catalog.put(COST_AND_USAGE.name, values, f"s3://{s.Lake.bucket}/{prefix}")


def _account(number: int, periods: int) -> Account:
    oldest = next(_months(BillingPeriod.of(NOW), periods))
    return Account(
        account_id=f"{100_000_000_000 + number}",
        display_name=f"Customer {number}",
        type=AccountType.ORGANIZATION,
        regions=("us-east-1",),
        start_date=date(oldest.year, oldest.month, 1),
        retention_months=None,
        export=Export(ExportKind.CUR_LEGACY, BUCKET, PREFIX, NAME),
        external_id="0" * 32,
        state=AccountState.ACTIVE,
        invited_at=NOW,
        expires_at=NOW,
    )


def _months(last: BillingPeriod, number: int) -> Iterator[BillingPeriod]:
    if number > 1:
        yield from _months(last.previous, number - 1)
    yield last


def _delivered(period: BillingPeriod) -> datetime:
    """When AWS delivered a month last: the running one this morning, others after their end."""
    return min(period.end + timedelta(days=9), NOW - timedelta(hours=6))


def report(size: Size) -> Iterator[str]:
    """The figures, a line each."""
    yield (
        f"{size.accounts:,} accounts, {size.periods} months each, {size.rows:,} rows a day in "
        f"{size.deliveries} deliveries of {size.files} file(s)"
    )
    for title, figures, times in (
        ("one sweep, nothing new", sweep(size), SWEEPS_A_DAY),
        ("planning and publishing a day", ingest(size), 1),
    ):
        yield f"\n{title}: {figures.seconds:.1f} s of this processor"
        for name, number in sorted(figures.calls.items()):
            yield f"  {name:34} {number:>12,} {number * times:>12,} a day"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = Size()
    for name in ("accounts", "periods", "rows", "deliveries"):
        parser.add_argument(f"--{name}", type=int, default=getattr(default, name))
    for line in report(Size(**vars(parser.parse_args(arguments)))):
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])

"""A platform in memory with one customer, for the tests of what keeps the lake in order."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cloudspend.accounts.model import Account, AccountState, Export, ExportKind
from cloudspend.errors import CloudSpendError
from cloudspend.exports.definition import Definition
from cloudspend.exports.model import BillingPeriod
from cloudspend.exports.ports import CustomerBucket
from cloudspend.ingest.plan import RUNS
from cloudspend.ingest.publish import PublishPorts, sync_partitions
from cloudspend.lake.model import AccountInventory, Generation, GenerationState, Verdict
from cloudspend.lake.retention import RetentionPolicy
from cloudspend.lake.tables import (
    COST_AND_USAGE,
    COST_AND_USAGE_GENERATIONS,
    generation_prefix,
    generation_values,
    period_values,
)
from cloudspend.settings import Settings
from cloudspend.sweep.expire import RetentionPorts
from cloudspend.sweep.sweep import SweepPorts, SweepResult, sweep_account
from tests.fakes.accounts import an_account
from tests.fakes.alerts import FakeBus
from tests.fakes.exports import FakeCustomerBucket, legacy_manifest
from tests.fakes.lake import (
    ACCOUNT,
    TOTALS,
    FakeCatalog,
    FakeExecutions,
    FakeGenerations,
    FakeLake,
    FakeQueries,
    a_generation,
    a_published,
)

SETTINGS = Settings("000000000000", "us-east-1")
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
OCTOBER = BillingPeriod(2026, 10)
BUCKET = "cost-bucket"
EXPORT = Export(ExportKind.CUR_LEGACY, BUCKET, "a-prefix", "a-name")
ACTIVE = an_account(state=AccountState.ACTIVE, export=EXPORT)


def moment(period: BillingPeriod, day: int = 3) -> datetime:
    """A day of the month after `period`, in which AWS still delivers it."""
    return period.end + timedelta(days=day - 1, hours=6, minutes=30)


def named(at: datetime, digest: str = "aaaaaaaa") -> str:
    """A generation's name."""
    return f"{at:%Y%m%dT%H%M%SZ}-{digest}"


@dataclass
class World:
    """What sweeps work with, and shorthands for how it came about."""

    account: Account = ACTIVE
    generations: FakeGenerations = field(default_factory=FakeGenerations)
    catalog: FakeCatalog = field(default_factory=FakeCatalog)
    lake: FakeLake = field(default_factory=FakeLake)
    bus: FakeBus = field(default_factory=FakeBus)
    objects: FakeCustomerBucket = field(default_factory=FakeCustomerBucket)
    executions: FakeExecutions = field(default_factory=FakeExecutions)
    kept: RetentionPolicy = field(default_factory=RetentionPolicy)
    unreachable: CloudSpendError | None = None
    exports: list[Definition] = field(default_factory=list)
    looked: int = 0

    def __post_init__(self) -> None:
        self.objects.put(BUCKET, "a-prefix/of-another/object", b"")

    @property
    def publish_ports(self) -> PublishPorts:
        return PublishPorts(
            self.generations, self.catalog, FakeQueries(), self.bus, self.lake.bucket
        )

    @property
    def store(self) -> RetentionPorts:
        return RetentionPorts(self.generations, self.catalog, self.lake, self.bus)

    @property
    def holdings(self) -> AccountInventory:
        return self.generations.holdings(ACCOUNT)

    def open_bucket(self, _account: Account) -> CustomerBucket:
        if self.unreachable:
            raise self.unreachable
        return self.objects

    def list_exports(self, _account: Account) -> list[Definition]:
        self.looked += 1
        return self.exports

    def sweep_ports(self, fresh_for: timedelta = timedelta(hours=36)) -> SweepPorts:
        """What the platform sweeps with; `fresh_for` is how old the newest delivery may be."""
        return SweepPorts(
            self.store,
            self.publish_ports,
            self.open_bucket,
            self.executions,
            self.kept,
            fresh_for,
            self.list_exports,
        )

    def sweep(self, now: datetime = NOW) -> SweepResult:
        return sweep_account(self.account, self.sweep_ports(), now)

    def staged(self, period: BillingPeriod, name: str, modified: datetime | None = None) -> None:
        """A conversion wrote its files."""
        for folder, file in ((COST_AND_USAGE.data_folder, "00000-00.parquet"), (RUNS, "plan.json")):
            key = generation_prefix(folder, ACCOUNT, period, name) + file
            self.lake.write_json(key, [])
            self.lake.modified[key] = modified or moment(period)

    def checked(self, period: BillingPeriod, name: str) -> Generation:
        """A generation whose files are written and registered."""
        at = datetime.strptime(name[:16], "%Y%m%dT%H%M%S%z")
        self.generations.plan(
            a_generation(
                name, period=period, delivered_at=at, manifest_bucket=BUCKET, manifest_key=name
            )
        )
        self.staged(period, name, at)
        prefix = generation_prefix(COST_AND_USAGE.data_folder, ACCOUNT, period, name)
        self.catalog.point(
            COST_AND_USAGE_GENERATIONS.name,
            generation_values(ACCOUNT, period, name),
            f"s3://{self.lake.bucket}/{prefix}",
        )
        self.generations.record_checked(ACCOUNT, period, name, TOTALS)
        held = self.generations.get(ACCOUNT, period, name)
        assert held
        return held

    def published(self, period: BillingPeriod, name: str | None = None) -> str:
        """A published and reconciled generation; returns its name."""
        name = name or named(moment(period))
        generation = self.checked(period, name)
        pointer = self.generations.pointer(ACCOUNT, period)
        over = pointer.generation if pointer else None
        at = generation.delivered_at + timedelta(minutes=10)
        compared = max(at, NOW - timedelta(days=1))
        published = a_published(name, period=period, published_at=at, reconciled_at=compared)
        certified = replace(published, verdict=Verdict.CERTIFIED, residual=TOTALS.billed_cost)
        self.generations.advance(replace(certified, previous_generation=over), over)
        sync_partitions(ACTIVE, period, self.publish_ports)
        self.generations.record_outcome(ACCOUNT, period, name, GenerationState.PUBLISHED)
        return name

    def delivered(
        self, period: BillingPeriod, at: datetime | None = None, body: bytes | None = None
    ) -> None:
        """AWS delivers a period: its newest manifest is written at `at`, and no one hears of it."""
        at = at or moment(period)
        folder = f"a-prefix/a-name/{period.start:%Y%m%d}-{period.end:%Y%m%d}/"
        manifest = body or legacy_manifest(
            f"assembly-{at:%Y%m%dT%H%M%S}",
            f"{period.start:%Y%m%d}",
            [f"{folder}a-name-1.csv.gz"],
        )
        self.objects.put(BUCKET, f"{folder}a-name-Manifest.json", manifest, at)

    def shown(self, period: BillingPeriod) -> str | None:
        """The generation that readers of the period see."""
        values = period_values(ACCOUNT, period)
        place = self.catalog.location(COST_AND_USAGE.name, values)
        return place.rstrip("/").rpartition("generation=")[2] if place else None

    def listed(self, period: BillingPeriod, name: str) -> bool:
        """Whether the generation is a partition of the table of all generations."""
        values = generation_values(ACCOUNT, period, name)
        return self.catalog.location(COST_AND_USAGE_GENERATIONS.name, values) is not None

    def files_of(self, period: BillingPeriod, name: str) -> list[str]:
        """Every object of a generation, in any folder."""
        return [
            file.key
            for folder in (COST_AND_USAGE.data_folder, RUNS)
            for file in self.lake.staged(generation_prefix(folder, ACCOUNT, period, name))
        ]


def months_before(period: BillingPeriod, number: int) -> Iterator[BillingPeriod]:
    """`number` periods, `period` last."""
    if number > 1:
        yield from months_before(period.previous, number - 1)
    yield period

"""Bills as AWS knows them, and both sides of a reconciliation made from one, by separate ways."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from cloudspend.accounts.model import Account, AccountState, AccountType, Export, ExportKind
from cloudspend.collect.cost_explorer import Charge
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import PublishedPeriod, Totals
from cloudspend.lake.ports import QueryResult
from cloudspend.reconcile.invoice import Invoice, InvoiceAnswer, no_invoices
from cloudspend.reconcile.ports import ReconcilePorts
from cloudspend.reconcile.quality import NEVER_NULL
from cloudspend.reconcile.reconcile import reconcile
from cloudspend.reconcile.tables import PROOF_TABLES
from tests.fakes.alerts import FakeBus
from tests.fakes.collect import FakeCostExplorer
from tests.fakes.reconcile import DuckQueries, FakePartitions, FakePeriods, FakeTables

PAYER = "111111111111"
PERIOD = BillingPeriod(2026, 10)
GENERATION = "20261105T000000Z-0000abcd"
AFTER = datetime(2026, 11, 6, 7, 8, 9, 123, tzinfo=UTC)
DURING = datetime(2026, 10, 20, tzinfo=UTC)
STATE = {"account_id": PAYER, "period": str(PERIOD), "generation": GENERATION}
COMPUTE = "Amazon Elastic Compute Cloud - Compute"
OTHER = "EC2 - Other"
S3 = "Amazon Simple Storage Service"

COLUMNS = """
    account_id VARCHAR, billing_period VARCHAR, subaccountid VARCHAR, billingaccountid VARCHAR,
    x_servicecode VARCHAR, servicename VARCHAR, x_usagetype VARCHAR, x_chargetype VARCHAR,
    billingcurrency VARCHAR, invoiceid VARCHAR, billedcost DOUBLE, effectivecost DOUBLE,
    x_neteffectivecost DOUBLE, chargeperiodstart TIMESTAMP
"""
# The generations' table has every column that FOCUS allows no null in.
REST = {
    name: "DOUBLE" if name.endswith("cost") else "TIMESTAMP" if "period" in name else "VARCHAR"
    for name in NEVER_NULL
    if name not in COLUMNS
}
QUALITY_COLUMNS = (
    f"{COLUMNS}, generation VARCHAR, consumedquantity DOUBLE, resourceid VARCHAR, "
    "tags MAP(VARCHAR, VARCHAR), x_other MAP(VARCHAR, VARCHAR), "
    + ", ".join(f"{name} {kind}" for name, kind in REST.items())
)
TYPES = {"string": "VARCHAR", "timestamp": "TIMESTAMP"}

ACCOUNT = Account(
    account_id=PAYER,
    display_name="Acme",
    type=AccountType.ORGANIZATION,
    regions=("us-east-1",),
    start_date=date(2026, 8, 1),
    retention_months=None,
    export=Export(ExportKind.CUR_LEGACY, "bucket", "prefix", "name"),
    external_id="external",
    state=AccountState.ACTIVE,
    invited_at=AFTER,
    expires_at=AFTER,
)


@dataclass(frozen=True)
class Line:
    """A line item: as CUR names it, and the service that Cost Explorer shows it under."""

    account: str
    code: str
    usage: str
    shown: str
    kind: str = "Usage"
    cost: Decimal = Decimal("1.00")
    amortized: Decimal | None = None
    net_amortized: Decimal | None = None
    invoice: str = "123"
    currency: str = "USD"
    day: date = date(2026, 10, 15)
    resource: str | None = "a-resource"
    tags: Mapping[str, str] = field(default_factory=lambda: {"team": "shop"})
    quantity: float = 1.0

    @property
    def effective(self) -> Decimal:
        return self.cost if self.amortized is None else self.amortized

    @property
    def net(self) -> Decimal:
        return self.effective if self.net_amortized is None else self.net_amortized


def usage(account: int, code: str, shown: str, cost: str, usage: str = "Bytes") -> Line:
    return Line(str(account) * 12, code, usage, shown, cost=Decimal(cost))


class LakeQueries(DuckQueries):
    """The lake's tables, and those of reconciliations as their partitions show them."""

    def __init__(self, catalog: FakePartitions) -> None:
        proofs = {
            table.name: "account_id VARCHAR, billing_period VARCHAR, "
            + ", ".join(f'"{c.name}" {TYPES.get(c.type, c.type)}' for c in table.columns)
            for table in PROOF_TABLES
        }
        super().__init__(
            cost_and_usage=COLUMNS, cost_and_usage_generations=QUALITY_COLUMNS, **proofs
        )
        self._catalog = catalog

    def query(self, sql: str) -> QueryResult:
        for table in PROOF_TABLES:
            self.connection.execute(f"DELETE FROM {table.name}")
            for name, values in self._catalog.locations:
                if name == table.name:
                    keys = dict(zip(("account_id", "billing_period"), values, strict=True))
                    rows = self._catalog.read(name, *values)
                    self.insert(name, (keys | _naive(row) for row in rows))
        return super().query(sql)


def _naive(row: Mapping[str, Any]) -> dict[str, Any]:
    """As Parquet holds moments: in UTC, without a zone."""
    return {
        f'"{name}"': value.replace(tzinfo=None) if isinstance(value, datetime) else value
        for name, value in row.items()
    }


@dataclass
class World:
    """One published period; `files` is what the lake holds of it, `ledger` what AWS charged."""

    ledger: Sequence[Line]
    files: list[list[Line]]
    now: datetime = AFTER
    estimated: bool = False
    generation: str = GENERATION
    account: Account = ACCOUNT
    invoices: Sequence[Invoice] = ()
    bus: FakeBus = field(default_factory=FakeBus)
    tables: FakeTables = field(default_factory=FakeTables)

    def __post_init__(self) -> None:
        self.catalog = FakePartitions(self.tables)
        self.queries = LakeQueries(self.catalog)
        self.registry = FakePeriods()
        self.platform = ReconcilePorts(
            self.queries, self.registry, self.catalog, self.tables, self.bus
        )
        self.aws_says(self.ledger)
        self.publish(self.generation, self.files)

    def aws_says(self, ledger: Sequence[Line]) -> None:
        """What Cost Explorer answers from now on."""
        self.ledger = ledger
        self.api = FakeCostExplorer(PERIOD, charges(ledger), estimated=self.estimated)
        self.api.since = {
            day: charges(line for line in ledger if line.day >= day)
            for day in {line.day for line in ledger} | {DURING.date() - timedelta(days=1)}
        }

    def publish(
        self, generation: str, files: list[list[Line]], previous: str | None = None
    ) -> None:
        """Readers see this generation from now on."""
        rows = [row for file in files for row in lake_rows(file)]
        totals = Totals(len(self.ledger), Decimal(0), Decimal(0), "USD", Decimal(0))
        self.generation, self.files = generation, files
        self.registry.publish(
            PublishedPeriod(PAYER, PERIOD, generation, AFTER, totals, previous_generation=previous)
        )
        self.queries.connection.execute("DELETE FROM cost_and_usage")
        self.queries.insert("cost_and_usage", rows)
        self.queries.insert(
            "cost_and_usage_generations",
            (more | row | {"generation": generation} for row, more in self._with_rest(files)),
        )

    def reconcile(self) -> str:
        state = STATE | {"generation": self.generation}
        stated = reconcile(
            state, self.account, self.api, self.platform, self.now, self._read_invoices
        )
        return str(stated["verdict"])

    def _read_invoices(self, period: BillingPeriod) -> InvoiceAnswer:
        return InvoiceAnswer(tuple(self.invoices)) if self.invoices else no_invoices(period)

    @staticmethod
    def _with_rest(files: list[list[Line]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        filled = {
            "DOUBLE": 0.0,
            "TIMESTAMP": PERIOD.start.replace(tzinfo=None),
            "VARCHAR": "filled",
        }
        rest = {name: filled[kind] for name, kind in REST.items()}
        for file in files:
            lines = [line for line in file if line.kind != "SavingsPlanNegation"]
            for line, row in zip(lines, lake_rows(file), strict=True):
                yield (
                    row,
                    rest
                    | {
                        "chargecategory": "Usage",
                        "consumedquantity": line.quantity,
                        "resourceid": line.resource,
                        "tags": dict(line.tags),
                        "x_other": {},
                    },
                )

    @property
    def details(self) -> Any:
        return self.bus.events[-1].details

    def read(self, table: str) -> list[dict[str, Any]]:
        return self.catalog.read(table, PAYER, str(PERIOD))


def lake_rows(lines: Iterable[Line]) -> Iterable[dict[str, Any]]:
    """As the conversion writes them: covered usage bills nothing, negations are left out."""
    for line in lines:
        if line.kind == "SavingsPlanNegation":
            continue
        covered = line.kind == "SavingsPlanCoveredUsage"
        yield {
            "account_id": PAYER,
            "billing_period": str(PERIOD),
            "subaccountid": line.account,
            "billingaccountid": PAYER,
            "x_servicecode": line.code,
            "servicename": f"{line.code} by name",
            "x_usagetype": line.usage,
            "x_chargetype": line.kind,
            "billingcurrency": line.currency,
            "invoiceid": line.invoice,
            "billedcost": 0.0 if covered else float(line.cost),
            "effectivecost": float(line.effective),
            "x_neteffectivecost": float(line.net),
            "chargeperiodstart": datetime.combine(line.day, datetime.min.time()),
        }


DISCOUNTS = {"EdpDiscount": "Enterprise Discount Program Discount"}


def charges(ledger: Iterable[Line]) -> list[Charge]:
    """As Cost Explorer groups them, in its own words."""
    found: dict[tuple[str, str, str, str], Charge] = {}
    for line in ledger:
        service = "Tax" if line.kind == "Tax" else line.shown
        kind = DISCOUNTS.get(line.kind, line.kind)
        key = (line.account, service, kind, line.currency)
        held = found.get(key, Charge(*key[:3], Decimal(0), Decimal(0), Decimal(0), line.currency))
        found[key] = replace(
            held,
            unblended=held.unblended + line.cost,
            amortized=held.amortized + line.effective,
            net_amortized=held.net_amortized + line.net,
        )
    return list(found.values())

"""Bills as AWS knows them, and both sides of a reconciliation made from one, by separate ways."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from cloudspend.accounts.model import Account, AccountState, AccountType, Export, ExportKind
from cloudspend.collect.cost_explorer import Charge
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import PublishedPeriod, Totals
from cloudspend.reconcile.ports import Platform
from cloudspend.reconcile.reconcile import reconcile
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
    billingcurrency VARCHAR, invoiceid VARCHAR, billedcost DOUBLE, effectivecost DOUBLE
"""

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
    invoice: str = "123"
    currency: str = "USD"

    @property
    def effective(self) -> Decimal:
        return self.cost if self.amortized is None else self.amortized


def usage(account: int, code: str, shown: str, cost: str, usage: str = "Bytes") -> Line:
    return Line(str(account) * 12, code, usage, shown, cost=Decimal(cost))


@dataclass
class World:
    """One published period; `files` is what the lake holds of it, `ledger` what AWS charged."""

    ledger: Sequence[Line]
    files: list[list[Line]]
    now: datetime = AFTER
    estimated: bool = False
    bus: FakeBus = field(default_factory=FakeBus)
    tables: FakeTables = field(default_factory=FakeTables)

    def __post_init__(self) -> None:
        totals = Totals(len(self.ledger), Decimal(0), Decimal(0), "USD", Decimal(0))
        published = PublishedPeriod(PAYER, PERIOD, GENERATION, AFTER, totals)
        self.registry = FakePeriods(published)
        self.catalog = FakePartitions(self.tables)
        self.queries = DuckQueries(cost_and_usage=COLUMNS)
        self.queries.insert("cost_and_usage", (row for f in self.files for row in lake_rows(f)))
        self.api = FakeCostExplorer(PERIOD, charges(self.ledger), estimated=self.estimated)
        self.platform = Platform(self.queries, self.registry, self.catalog, self.tables, self.bus)

    def reconcile(self) -> str:
        return str(reconcile(STATE, ACCOUNT, self.api, self.platform, self.now)["verdict"])

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
            net_amortized=held.net_amortized + line.effective,
        )
    return list(found.values())

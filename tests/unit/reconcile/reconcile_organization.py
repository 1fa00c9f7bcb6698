"""A month of an organization with every kind of charge, as AWS's legacy report has it.

The platform's own code converts its files; Cost Explorer's side is the local cloud's, computed from
the same line items by another way (`local.billing`), and asked through boto3.
"""

import csv
import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cloudspend.accounts.model import ExportKind
from cloudspend.collect.aws import CostExplorerApi
from cloudspend.convert.convert import convert_task
from cloudspend.convert.model import ConversionTask
from cloudspend.lake.model import PublishedPeriod, Totals
from cloudspend.reconcile.invoice import invoices_of
from cloudspend.reconcile.ports import Platform
from cloudspend.reconcile.reconcile import reconcile
from local.billing import cost_explorer, invoices, ledger
from tests.fakes.alerts import FakeBus
from tests.fakes.collect import client_of
from tests.fakes.collecting import FakeServices
from tests.fakes.convert import FakeSink, FakeSource
from tests.fakes.reconcile import FakePartitions, FakePeriods, FakeTables
from tests.unit.reconcile.reconcile_bills import ACCOUNT, AFTER, PAYER, PERIOD, LakeQueries

PRODUCTION, STAGING, DATA = "222222222222", "333333333333", "444444444444"
RESERVATION = f"arn:aws:ec2:us-east-1:{DATA}:reserved-instances/0b1c2d3e"
PLAN = f"arn:aws:savingsplans::{PAYER}:savingsplan/6f1d2c34"
FIRST, SECOND = "20261104T000000Z-0000aaaa", "20261105T000000Z-0000bbbb"
DAYS = 31
PLAN_REFUND = "Refund for one-time fee for Savings Plan ID 6f1d2c34"

Item = dict[str, str]


def item(kind: str, account: str, code: str, usage: str, cost: str, **more: str) -> Item:
    """A line item; `more` are further columns, with `__` for the slash and dots left out."""
    day = more.pop("day", "2026-10-15")
    return {
        "identity/LineItemId": "",
        "bill/InvoiceId": "2110000001",
        "bill/BillType": "Anniversary",
        "bill/PayerAccountId": PAYER,
        "bill/BillingPeriodStartDate": "2026-10-01T00:00:00Z",
        "bill/BillingPeriodEndDate": "2026-11-01T00:00:00Z",
        "lineItem/UsageAccountId": account,
        "lineItem/LineItemType": kind,
        "lineItem/UsageStartDate": f"{day}T00:00:00Z",
        "lineItem/UsageEndDate": f"{day}T01:00:00Z",
        "lineItem/ProductCode": code,
        "lineItem/UsageType": usage,
        "lineItem/UsageAmount": "1",
        "lineItem/CurrencyCode": "USD",
        "lineItem/UnblendedCost": cost,
        "lineItem/ResourceId": "a-resource",
        "resourceTags/user:team": "shop",
        **{name.replace("__", "/"): value for name, value in more.items()},
    }


def organization() -> list[Item]:
    """On-demand usage with a net price, both kinds of commitment with upfront, partial and
    recurring fees, used and unused, and all that is neither."""
    daily = [
        item(
            "Usage", account, code, usage, cost,
            day=f"{date(2026, 10, 1) + timedelta(days=n)}", lineItem__NetUnblendedCost=net,
        )
        for n in range(DAYS)
        for account, code, usage, cost, net in (
            (PRODUCTION, "AmazonS3", "TimedStorage-ByteHrs", "2.00", "1.90"),
            (STAGING, "AmazonEC2", "BoxUsage:t3.medium", "1.10", ""),
            (STAGING, "AmazonEC2", "EBS:VolumeUsage.gp3", "0.25", ""),
        )
    ]  # fmt: skip
    reserved = {"reservation__ReservationARN": RESERVATION}
    planned = {"savingsPlan__SavingsPlanARN": PLAN}
    hours = ("AmazonEC2", "BoxUsage:c5.xlarge")
    plan = ("ComputeSavingsPlans", "ComputeSP:1yrPartialUpfront")
    return [
        *daily,
        item("DiscountedUsage", DATA, *hours, "10.00", **reserved,
             reservation__EffectiveCost="25.00", reservation__NetEffectiveCost="23.75"),
        item("RIFee", DATA, "AmazonEC2", "HeavyUsage:c5.xlarge", "40.00", **reserved,
             reservation__UnusedAmortizedUpfrontFeeForBillingPeriod="6.00",
             reservation__NetUnusedAmortizedUpfrontFeeForBillingPeriod="5.70",
             reservation__UnusedRecurringFee="4.00",
             reservation__NetUnusedRecurringFee="3.80"),
        item("Fee", DATA, "AmazonEC2", "HeavyUsage:c5.xlarge", "300.00", **reserved),
        item("SavingsPlanCoveredUsage", PRODUCTION, "AmazonEC2", "BoxUsage:m5.xlarge", "50.00",
             **planned, savingsPlan__SavingsPlanEffectiveCost="35.00",
             savingsPlan__NetSavingsPlanEffectiveCost="33.25"),
        item("SavingsPlanNegation", PRODUCTION, "AmazonEC2", "BoxUsage:m5.xlarge", "-50.00",
             **planned),
        item("SavingsPlanRecurringFee", PAYER, *plan, "60.00", **planned,
             savingsPlan__TotalCommitmentToDate="60.00", savingsPlan__UsedCommitment="52.00"),
        item("SavingsPlanUpfrontFee", PAYER, *plan, "365.00", **planned),
        item("Refund", PAYER, *plan, "-20.00", lineItem__LineItemDescription=PLAN_REFUND),
        item("Refund", PRODUCTION, "AmazonS3", "Requests-Tier1", "-3.25"),
        item("Credit", STAGING, "AmazonEC2", "BoxUsage:t3.medium", "-12.50"),
        item("Tax", PRODUCTION, "AmazonS3", "", "18.40"),
        item("Fee", PAYER, "AWSSupportBusiness", "Dollar", "100.00"),
        item("Usage", DATA, "5abcmarketplace", "SoftwareUsage", "15.00",
             product__ProductName="A Marketplace Product"),
        item("EdpDiscount", PRODUCTION, "AmazonS3", "TimedStorage-ByteHrs", "-7.00"),
        item("PrivateRateDiscount", PRODUCTION, "AmazonS3", "TimedStorage-ByteHrs", "-2.00"),
        item("BundledDiscount", PRODUCTION, "AmazonS3", "Requests-Tier1", "-1.00"),
    ]  # fmt: skip


def in_files(items: Sequence[Item], size: int = 30) -> list[list[Item]]:
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


class LedgerCostExplorer:
    """The local cloud's Cost Explorer, as the account that pays asks it."""

    def __init__(self, items: Sequence[Item]) -> None:
        columns = _columns(items)
        rows = [[each.get(name, "") for name in columns] for each in items]
        ledger.LEDGER.clear()
        ledger.LEDGER.replace(PAYER, str(PERIOD), columns, rows)

    def cost_and_usage(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return cost_explorer.get_cost_and_usage(PAYER, dict(request))

    def dimension_values(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return cost_explorer.get_dimension_values(PAYER, dict(request))


class Clock(datetime):
    """The local cloud's clock, at the time of the comparison."""

    @classmethod
    def now(cls, _: Any = None) -> "Clock":
        return cls(AFTER.year, AFTER.month, AFTER.day, tzinfo=UTC)


@dataclass
class Organization:
    """A published month: AWS charged `items`, the lake was made of files."""

    items: Sequence[Item]
    now: datetime = AFTER
    bus: FakeBus = field(default_factory=FakeBus)
    tables: FakeTables = field(default_factory=FakeTables)

    def __post_init__(self) -> None:
        self.catalog = FakePartitions(self.tables)
        self.queries = LakeQueries(self.catalog)
        self.registry = FakePeriods()
        self.platform = Platform(self.queries, self.registry, self.catalog, self.tables, self.bus)
        for table in ("cost_and_usage", "cost_and_usage_generations"):
            self.queries.connection.execute(f"DROP TABLE {table}")
        self._held: dict[str, pa.Table] = {}
        self._current = ""

    def publish(self, files: Sequence[Sequence[Item]], generation: str = FIRST) -> None:
        """Convert `files` with the platform's code and show readers the outcome."""
        self._held[generation] = converted(files, generation)
        self.show(generation)

    def show(self, generation: str) -> None:
        """Readers see this generation, whichever they saw before."""
        totals = Totals(0, Decimal(0), Decimal(0), "USD", Decimal(0))
        before = self._current or None
        self.registry.publish(
            PublishedPeriod(PAYER, PERIOD, generation, AFTER, totals, previous_generation=before)
        )
        self._current = generation
        connection = self.queries.connection
        keys = f"'{PAYER}' AS account_id, '{PERIOD}' AS billing_period"
        plain = "* REPLACE (CAST(chargeperiodstart AS TIMESTAMP) AS chargeperiodstart)"
        unions = []
        for number, (name, rows) in enumerate(self._held.items()):
            connection.register(f"held_{number}", rows)
            unions.append(f"SELECT {plain}, '{name}' AS generation, {keys} FROM held_{number}")
        every = " UNION ALL ".join(unions)
        connection.execute(f"CREATE OR REPLACE TABLE cost_and_usage_generations AS {every}")
        connection.execute(
            "CREATE OR REPLACE TABLE cost_and_usage AS SELECT * EXCLUDE (generation) "
            f"FROM cost_and_usage_generations WHERE generation = '{generation}'"
        )

    def reconcile(self) -> str:
        api = CostExplorerApi(client_of(LedgerCostExplorer(self.items)))  # type: ignore[arg-type]
        state = {"account_id": PAYER, "period": str(PERIOD), "generation": self._current}
        read = invoices_of(FakeServices(list_invoice_summaries=_invoices), PAYER)
        return str(reconcile(state, ACCOUNT, api, self.platform, self.now, read)["verdict"])

    @property
    def reason(self) -> str:
        return str(self.bus.events[-1].details["reason"])

    def cells(self) -> list[dict[str, Any]]:
        return self.catalog.read("reconciliation_cells", PAYER, str(PERIOD))

    def residuals(self, figure: str = "residual") -> dict[tuple[str, str, str], Decimal]:
        """The cells beyond tolerance in one figure, by account, service and charge type."""
        return {
            (row["sub_account_id"], row["service"], row["charge_type"]): amount
            for row in self.cells()
            if abs(amount := round(Decimal(str(row[figure])), 2)) > Decimal("0.01")
        }


def converted(files: Sequence[Sequence[Item]], generation: str) -> pa.Table:
    source, sink = FakeSource(), FakeSink()
    columns = _columns([each for file in files for each in file])
    delivered = tuple(
        source.put(f"file-{number}.csv.gz", _csv(columns, file))
        for number, file in enumerate(files)
    )
    task = ConversionTask(PAYER, PERIOD, generation, 0, ExportKind.CUR_LEGACY, "gzip", delivered)
    summary = convert_task(task, source, sink)
    tables = (pq.read_table(io.BytesIO(sink.objects[each.key])) for each in summary.outputs)
    return pa.concat_tables(tables)


def _invoices(request: Mapping[str, Any]) -> Mapping[str, Any]:
    return invoices.list_invoice_summaries(PAYER, dict(request))


def _columns(items: Sequence[Item]) -> list[str]:
    return list(dict.fromkeys(name for each in items for name in each))


def _csv(columns: Sequence[str], items: Sequence[Item]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(items)
    return gzip.compress(text.getvalue().encode(), mtime=0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The local cloud in the days after the month, and without a bill afterwards."""
    monkeypatch.setattr(cost_explorer, "datetime", Clock)
    yield
    ledger.LEDGER.clear()

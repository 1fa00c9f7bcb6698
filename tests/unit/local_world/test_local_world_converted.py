"""The platform reads what the world delivers, every way: from the manifest to both tables.

What the tables must add up to is computed from the bill's line items by the rules of the local Cost
Explorer. The world shares no rule with the converter.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cloudspend.accounts.model import AccountState, Export, ExportKind
from cloudspend.convert.focus.schema import BILLING_DETAIL, COST_AND_USAGE
from cloudspend.convert.model import ConversionSummary, ConversionTask
from cloudspend.convert.task import convert_task
from cloudspend.exports.deliveries import newest_deliveries, planned_files
from local.billing import amounts
from local.world.bill import Bill
from local.world.delivery import Assembly, Report, assemble
from local.world.estate import PAYER
from local.world.files import Form
from local.world.tables import Item, items
from local.world.world import World
from tests.fakes.accounts import an_account
from tests.fakes.convert import FakeSink, FakeSource
from tests.fakes.exports import FakeCustomerBucket

BUCKET = f"cloudspend-export-{PAYER}-us-east-1"
CUR = {ExportKind.CUR_LEGACY, ExportKind.CUR_2_0}
ATHENAS = (ExportKind.CUR_LEGACY, Form.PARQUET)
HOURS = 4
WAYS = [
    pytest.param(Report(BUCKET, "cloudspend", "bill", kind, form, overwrite), id=name)
    for kind in ExportKind
    for form in Form
    for overwrite in (False, True)
    if form is not Form.ZIP or kind is ExportKind.CUR_LEGACY
    if (name := f"{kind} {form.name} {'overwritten' if overwrite else 'new'}")
]


@dataclass(frozen=True)
class Converted:
    """What the platform made of a delivery."""

    summary: ConversionSummary
    tables: dict[str, pa.Table]

    def column(self, table: str, name: str) -> list[Any]:
        values: list[Any] = self.tables[table].column(name).to_pylist()
        return values


Convert = Callable[[Report], Converted]


@pytest.fixture(scope="module")
def bill(world: World) -> Bill:
    return world.bills()[1].first_hours(HOURS)


def taken_in(assembly: Assembly) -> Converted:
    """The way from the customer's bucket through manifest and plan to Parquet."""
    report, objects, source = assembly.report, FakeCustomerBucket(), FakeSource()
    for key, body in assembly.objects:
        objects.put(report.bucket, key, body)
    export = Export(report.kind, report.bucket, report.prefix, report.name)
    account = an_account(state=AccountState.ACTIVE, account_id=PAYER, export=export)
    (delivery,) = newest_deliveries(account, objects).newest
    files = planned_files(delivery, objects)
    for file in files:
        source.put(file.key, assembly.data[file.key], file.etag)
    tables = (COST_AND_USAGE, *([BILLING_DETAIL] if report.kind in CUR else []))
    task = ConversionTask(
        PAYER, delivery.period, delivery.generation, 0, delivery.kind, delivery.compression, files
    )
    sink = FakeSink()
    summary = convert_task(replace(task, tables=tables), source, sink)
    return Converted(
        summary,
        {
            table: pa.concat_tables(
                pq.read_table(io.BytesIO(sink.objects[output.key]))
                for output in summary.outputs
                if output.table == table
            )
            for table in tables
        },
    )


@pytest.fixture(scope="module")
def convert(bill: Bill) -> Convert:
    """Each way is taken once, for every question."""
    return cache(lambda report: taken_in(assemble(bill, report)))


def line_items(bill: Bill) -> list[Item]:
    return [item for file in items(bill) for item in file]


def metric(bill: Bill, name: str) -> Decimal:
    return sum((amounts.metrics(item)[name] for item in line_items(bill)), Decimal())


@pytest.mark.parametrize("report", WAYS)
def test_totals_are_those_of_the_line_items(bill: Bill, convert: Convert, report: Report) -> None:
    converted = convert(report)
    summary = converted.summary
    assert summary.billed_cost == metric(bill, "UnblendedCost")
    assert summary.effective_cost == metric(bill, "AmortizedCost")
    assert summary.currency == "USD"
    assert (summary.unknown_columns, summary.unknown_charge_types) == ((), ())
    billed = converted.column(COST_AND_USAGE, "billedcost")
    assert sum(billed) == pytest.approx(float(summary.billed_cost))


@pytest.mark.parametrize("report", WAYS)
def test_what_a_row_says_of_itself_survives_every_way(
    bill: Bill, convert: Convert, report: Report
) -> None:
    converted = convert(report)
    rows = converted.tables[COST_AND_USAGE].to_pylist()
    used = {(r["subaccountid"], r["regionid"], r["resourceid"]) for r in rows}
    expected = {
        (i["lineItem/UsageAccountId"], i["product/region"], i["lineItem/ResourceId"] or None)
        for i in line_items(bill)
        if i["lineItem/LineItemType"] != "SavingsPlanNegation"
    }
    assert used == expected
    assert {dict(r["tags"] or ()).get("environment") for r in rows} == {
        "production",
        "shared",
        "staging",
    }
    # Athena's form of the legacy report has the names in lower case.
    team = "team" if (report.kind, report.form) == ATHENAS else "Team"
    assert {dict(r["x_costcategories"] or ()).get(team) for r in rows} == {"shop", "data"}
    starts = {r["chargeperiodstart"].replace(tzinfo=None) for r in rows}
    assert (min(starts).day, len(starts)) == (1, HOURS)
    if report.kind is not ExportKind.FOCUS_1_0:  # which has no invoice
        assert {r["invoiceid"] for r in rows} == set(bill.values("bill/InvoiceId"))


@pytest.mark.parametrize("report", [way for way in WAYS if way.values[0].kind in CUR])
def test_billing_detail_holds_each_line_item(bill: Bill, convert: Convert, report: Report) -> None:
    converted = convert(report)
    rows = converted.tables[BILLING_DETAIL].to_pylist()
    expected = line_items(bill)
    assert len(rows) == len(expected)
    by_id = {row["identity_line_item_id"]: row for row in rows}
    for item in expected:
        row = by_id[item["identity/LineItemId"]]
        assert row["line_item_unblended_cost"] == float(item["lineItem/UnblendedCost"])
        assert row["line_item_line_item_type"] == item["lineItem/LineItemType"]
        assert (
            dict(row["resource_tags"] or ()).get("user_application", "")
            == (item["resourceTags/user:application"])
        )
        assert dict(row["product"])["product_name"] == item["product/ProductName"]
    arns = {row["savings_plan_savings_plan_a_r_n"] or "" for row in rows}
    assert arns == {item["savingsPlan/SavingsPlanArn"] for item in expected}

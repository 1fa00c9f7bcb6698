"""The same bill in every kind, format and layout that AWS offers."""

import csv
import gzip
import io
import json
import zipfile
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cloudspend.accounts.model import ExportKind
from local.billing import amounts
from local.world import cur2, focus
from local.world.bill import Bill
from local.world.delivery import Assembly, Report, assemble
from local.world.estate import NAMES, PAYER, RESERVATION_ARN, SAVINGS_PLAN_ARN
from local.world.files import Form
from local.world.tables import Table, items
from local.world.world import World

BUCKET = f"cloudspend-export-{PAYER}-us-east-1"
HOURS = 12
ID = "11111111-2222-4333-8444-555555555555"
EVERY_WAY = [
    (kind, form, overwrite)
    for kind in ExportKind
    for form in Form
    for overwrite in (False, True)
    if form is not Form.ZIP or kind is ExportKind.CUR_LEGACY
]
FOCUS = {ExportKind.FOCUS_1_0: focus.focus_1_0, ExportKind.FOCUS_1_2: focus.focus_1_2}


@pytest.fixture(scope="module")
def bill(world: World) -> Bill:
    return world.bills()[1].first_hours(HOURS)


def order(kind: ExportKind, form: Form = Form.GZIP, *, overwrite: bool = False) -> Report:
    return Report(BUCKET, "cloudspend", "bill", kind, form, overwrite)


def rows_of(form: Form, body: bytes) -> list[dict[str, Any]]:
    """The rows of a data file, by name of column."""
    if form is Form.PARQUET:
        found: list[dict[str, Any]] = pq.read_table(io.BytesIO(body)).to_pylist()
        return found
    if form is Form.ZIP:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            (name,) = archive.namelist()
            return list(csv.DictReader(io.StringIO(archive.read(name).decode())))
    return list(csv.DictReader(io.StringIO(gzip.decompress(body).decode())))


def total(table: Table, column: str) -> Decimal:
    return sum((Decimal(row[column] or 0) for row in table.records), Decimal())


def manifest(assembly: Assembly) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(assembly.manifest)
    return found


COST = {
    ExportKind.CUR_LEGACY: ("lineItem/UnblendedCost", "line_item_unblended_cost"),
    ExportKind.CUR_2_0: ("line_item_unblended_cost",) * 2,
    ExportKind.FOCUS_1_0: ("BilledCost",) * 2,
    ExportKind.FOCUS_1_2: ("BilledCost",) * 2,
}


@pytest.mark.parametrize(("kind", "form", "overwrite"), EVERY_WAY)
def test_every_way_holds_the_whole_bill(
    bill: Bill, kind: ExportKind, form: Form, overwrite: bool
) -> None:
    assembly = assemble(bill, order(kind, form, overwrite=overwrite), ID)
    rows = [row for body in assembly.data.values() for row in rows_of(form, body)]
    cost = COST[kind][form is Form.PARQUET]
    if form is Form.PARQUET:
        assert sum(row[cost] for row in rows) == pytest.approx(float(bill.total()))
    else:
        assert sum(Decimal(row[cost]) for row in rows) == bill.total()
    assert list(assembly.report_keys) == list(assembly.data)
    assert all(key.endswith(form) for key in assembly.data)


LAYOUTS = {
    (ExportKind.CUR_LEGACY, Form.ZIP, False): [
        f"20261001-20261101/{ID}/bill-00001.csv.zip",
        f"20261001-20261101/{ID}/bill-Manifest.json",
        "20261001-20261101/bill-Manifest.json",
    ],
    (ExportKind.CUR_LEGACY, Form.GZIP, True): [
        "20261001-20261101/bill-00001.csv.gz",
        "20261001-20261101/bill-Manifest.json",
    ],
    (ExportKind.CUR_LEGACY, Form.PARQUET, True): [
        "bill/year=2026/month=10/bill-00001.snappy.parquet",
        "bill/year=2026/month=10/bill-Manifest.json",
    ],
    (ExportKind.CUR_2_0, Form.GZIP, False): [
        "data/BILLING_PERIOD=2026-10/{execution}/bill-00001.csv.gz",
        "metadata/BILLING_PERIOD=2026-10/{execution}/bill-Manifest.json",
        "metadata/BILLING_PERIOD=2026-10/bill-Manifest.json",
    ],
    (ExportKind.CUR_2_0, Form.PARQUET, True): [
        "data/BILLING_PERIOD=2026-10/bill-00001.snappy.parquet",
        "metadata/BILLING_PERIOD=2026-10/bill-Manifest.json",
    ],
    (ExportKind.FOCUS_1_2, Form.GZIP, True): [
        "data/billing_period=2026-10/bill-00001.csv.gz",
        "metadata/billing_period=2026-10/bill-Manifest.json",
    ],
}


@pytest.mark.parametrize(("way", "expected"), LAYOUTS.items(), ids=lambda way: str(way)[:60])
def test_objects_stand_where_aws_puts_them(
    bill: Bill, way: tuple[ExportKind, Form, bool], expected: list[str]
) -> None:
    kind, form, overwrite = way
    assembly = assemble(bill, order(kind, form, overwrite=overwrite), ID)
    keys = [key.removeprefix("cloudspend/bill/") for key, _ in assembly.objects]
    execution = assembly.folder.rsplit("/", 1)[-1]
    assert [key for key in keys if "-00002" not in key and "-00003" not in key] == [
        key.format(execution=execution) for key in expected
    ]
    if kind is not ExportKind.CUR_LEGACY and not overwrite:
        assert execution.endswith(f"Z-{ID}")


def test_a_legacy_parquet_report_has_athenas_names_and_types(bill: Bill) -> None:
    assembly = assemble(bill, order(ExportKind.CUR_LEGACY, Form.PARQUET), ID)
    stated = manifest(assembly)
    schema = pq.read_schema(io.BytesIO(next(iter(assembly.data.values()))))
    assert (stated["compression"], stated["contentType"]) == ("Parquet", "Parquet")
    assert [column["name"] for column in stated["columns"]] == schema.names
    assert schema.field("line_item_unblended_cost").type == pa.float64()
    assert pa.types.is_timestamp(schema.field("line_item_usage_start_date").type)
    assert {"resource_tags_user_application", "product_region"} <= set(schema.names)
    assert stated["columns"][0] == {
        "category": "identity",
        "name": "identity_line_item_id",
        "type": "STRING",
    }


def test_an_exports_manifest_lists_columns_and_files_as_uris(bill: Bill) -> None:
    assembly = assemble(bill, order(ExportKind.CUR_2_0), ID)
    stated = manifest(assembly)
    assert stated["executionId"] == ID
    assert stated["dataFiles"] == [f"s3://{BUCKET}/{key}" for key in assembly.data]
    assert {"name": "resource_tags", "type": "map"} in stated["columns"]
    header = rows_of(Form.GZIP, next(iter(assembly.data.values())))[0]
    assert [column["name"] for column in stated["columns"]] == list(header)


def test_cur_2_0_keeps_every_value_under_its_own_name_or_in_a_map(bill: Bill) -> None:
    table = cur2.cost_and_usage_report(bill, NAMES)
    rows = [item for file in items(bill) for item in file]
    for item, record in zip(rows, table.records, strict=True):
        kept = set(record.values())
        kept |= {v for m in ("product", "resource_tags") for v in json.loads(record[m]).values()}
        lost = {
            column
            for column, value in item.items()
            if value not in kept and not column.endswith("Date") and column != "costCategory/Team"
        }
        assert not lost
        assert json.loads(record["cost_category"]).get("Team", "") == item["costCategory/Team"]


def test_cur_2_0_words_what_legacy_reports_word_otherwise(bill: Bill) -> None:
    table = cur2.cost_and_usage_report(bill, NAMES)
    by_type = {row["line_item_line_item_type"]: row for row in table.records}
    usage = by_type["SavingsPlanCoveredUsage"]
    assert usage["savings_plan_savings_plan_a_r_n"] == SAVINGS_PLAN_ARN
    assert by_type["DiscountedUsage"]["reservation_reservation_a_r_n"] == RESERVATION_ARN
    assert by_type["Usage"]["savings_plan_savings_plan_effective_cost"] == ""
    assert usage["product_region_code"] == "us-east-1"
    assert usage["line_item_usage_start_date"].endswith(":00:00.000Z")
    assert usage["line_item_usage_account_name"] == NAMES[usage["line_item_usage_account_id"]]
    assert json.loads(usage["product"])["operating_system"]
    assert json.loads(usage["resource_tags"])["user_environment"] == "production"


@pytest.mark.parametrize("kind", FOCUS)
def test_focus_bills_and_amortizes_as_cost_explorer_does(bill: Bill, kind: ExportKind) -> None:
    table = FOCUS[kind](bill, NAMES)
    lines = [amounts.metrics(item) for file in items(bill) for item in file]
    assert total(table, "BilledCost") == bill.total()
    assert total(table, "EffectiveCost") == sum(line["AmortizedCost"] for line in lines)


def test_focus_splits_a_fee_from_the_unused_part_of_its_commitment(bill: Bill) -> None:
    rows = list(focus.focus_1_2(bill, NAMES).records)
    plan = [row for row in rows if row["CommitmentDiscountId"] == SAVINGS_PLAN_ARN]
    fees = [row for row in plan if row["ChargeCategory"] == "Purchase"]
    unused = [row for row in plan if row["CommitmentDiscountStatus"] == "Unused"]
    used = [row for row in plan if row["CommitmentDiscountStatus"] == "Used"]
    assert len(fees) == len(unused) == len(used) == HOURS
    assert {(row["BilledCost"], row["EffectiveCost"]) for row in fees} == {("0.15", "0")}
    assert {(row["BilledCost"], row["EffectiveCost"]) for row in unused} == {("0", "0.024")}
    assert {(row["BilledCost"], row["EffectiveCost"]) for row in used} == {("0", "0.126")}
    assert {row["ConsumedQuantity"] for row in unused} == {""}


def test_the_versions_of_focus_have_the_columns_that_aws_publishes(bill: Bill) -> None:
    older, newer = focus.focus_1_0(bill, NAMES), focus.focus_1_2(bill, NAMES)
    assert (len(older.names), len(newer.names)) == (48, 60)
    assert set(older.names) - set(newer.names) == {"x_CostCategories", "x_UsageType"}
    assert json.loads(next(newer.records)["Tags"])["costCategory/Team"] == "shop"
    assert "costCategory/Team" not in json.loads(next(older.records)["Tags"])
    assert json.loads(next(older.records)["x_CostCategories"]) == {"Team": "shop"}


@pytest.mark.parametrize(("kind", "form", "overwrite"), EVERY_WAY)
def test_the_same_bill_gives_the_same_bytes(
    bill: Bill, kind: ExportKind, form: Form, overwrite: bool
) -> None:
    first, second = (assemble(bill, order(kind, form, overwrite=overwrite)) for _ in range(2))
    assert list(first.data.values()) == list(second.data.values())

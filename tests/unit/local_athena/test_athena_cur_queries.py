"""Queries in the shape of those that AWS publishes for its Cost and Usage Report, over what the
platform makes of a bill with every kind of charge.

What they must come to is computed from the bill's line items by the local Cost Explorer's rules.
"""

import json
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from athena_world import World

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.model import ConversionTask
from cloudspend.convert.task import convert_task
from cloudspend.lake import tables
from cloudspend.lake.views import TRINO_TYPES, VIEWS
from conformance.bill import PAYER, PERIOD, line_items
from conformance.deliveries import LINE_ITEMS
from local.athena import views
from local.athena.catalog import Column, Partition, Table
from local.athena.failures import QueryFailed
from local.billing import amounts
from tests.fakes.convert import FakeSink, FakeSource

QUERIES = Path(__file__).with_name("cur_queries")
KINDS = (ExportKind.CUR_LEGACY, ExportKind.CUR_2_0)
SPLIT = ("EKSPod-EC2", "ECSTask-EC2")
(VIEW,) = [view for view in VIEWS if view.name == "cost_and_usage_report"]
Row = dict[str, str | None]


def declared(table: tables.Table) -> Table:
    """A table of the library in the local catalog, with the bill's partition."""
    root = f"s3://lake/{table.name}/"
    return Table(
        "lake",
        table.name,
        tuple(Column(column.name, column.type) for column in table.columns),
        tuple(Column(key.name, key.type) for key in table.partition_keys),
        root,
        (Partition((PAYER, str(PERIOD)), f"{root}october/"),),
    )


@cache
def lake_of(kind: ExportKind) -> World:
    """Both tables of the bill, delivered as `kind`, and the view over them."""
    source, sink = FakeSource(), FakeSink()
    file = source.put("bill.csv.gz", LINE_ITEMS[kind]())
    wanted = (tables.COST_AND_USAGE, tables.BILLING_DETAIL)
    names = tuple(table.name for table in wanted)
    task = ConversionTask(PAYER, PERIOD, "20261103T063000Z-aaaaaaaa", 0, kind, "gzip", (file,))
    summary = convert_task(replace(task, tables=names), source, sink)
    columns = tuple((c.name, TRINO_TYPES.get(c.type, c.type)) for c in VIEW.columns)
    text = views.encode(views.View(VIEW.sql, "lake", columns))
    view = Table("lake", VIEW.name, (), view_text=text, is_view=True)
    world = World(tables=(*map(declared, wanted), view))
    for number, output in enumerate(summary.outputs):
        place = f"s3://lake/{output.table}/october/{number}.parquet"
        world.bucket.objects[place] = sink.objects[output.key]
    return world


@pytest.fixture(params=KINDS, ids=str)
def kind(request: pytest.FixtureRequest) -> ExportKind:
    found: ExportKind = request.param
    return found


@cache
def ask(name: str, kind: ExportKind = ExportKind.CUR_2_0) -> list[Row]:
    """The answer to a query of the folder, as rows by name."""
    return answer((QUERIES / f"{name}.sql").read_text("utf-8"), kind)


def answer(sql: str, kind: ExportKind = ExportKind.CUR_2_0) -> list[Row]:
    outcome = lake_of(kind).run(sql)
    names = [column.name for column in outcome.columns]
    return [dict(zip(names, row, strict=True)) for row in outcome.rows]


def total(rows: list[Row], column: str) -> Decimal:
    return sum((Decimal(row[column] or 0) for row in rows), Decimal())


def charged(metric: str) -> Decimal:
    """What AWS charged for all that counts: split rows repeat the cost of others."""
    found = [i for i in line_items() if i.get("lineItem/Operation") not in SPLIT]
    return sum((amounts.metrics(item)[metric] for item in found), Decimal())


EXACT = Decimal("1e-9")


def test_a_summary_amortizes_what_cost_and_usage_says_is_effective(kind: ExportKind) -> None:
    rows = ask("monthly_summary", kind)
    effective = answer("SELECT sum(effectivecost) AS cost FROM lake.cost_and_usage", kind)
    assert abs(total(rows, "amortized_cost") - charged("AmortizedCost")) < EXACT
    assert abs(total(rows, "amortized_cost") - total(effective, "cost")) < EXACT
    assert abs(total(rows, "unblended_cost") - charged("UnblendedCost")) < EXACT
    assert {(row["year"], row["month"]) for row in rows} == {("2026", "10")}


def test_a_summary_names_what_a_row_is(kind: ExportKind) -> None:
    rows = ask("monthly_summary", kind)
    options = {row["purchase_option"] for row in rows}
    assert options == {"SavingsPlan", "Reserved", "Spot", "OnDemand"}
    services = {row["service"] for row in rows}
    assert {"AmazonEC2", "Example Observability", "ComputeSavingsPlans"} <= services
    assert None not in services
    assert "" not in services
    instances = [row for row in rows if row["platform"] == "Linux"]
    assert {row["region"] for row in instances} == {"eu-central-1"}
    assert {row["engine"] for row in rows} == {None}
    labels = [json.loads(str(row["tags_json"])) for row in rows]
    assert {label["tag_team"] for label in labels} == {"shop", None}


def test_a_query_for_the_legacy_report_finds_its_columns(kind: ExportKind) -> None:
    rows = ask("by_day_of_a_legacy_report", kind)
    kept = [
        item
        for item in line_items()
        if item["lineItem/LineItemType"] not in ("Tax", "Credit", "Refund", "EdpDiscount")
        and item.get("product/servicecode") != "AWSDataTransfer"
    ]
    expected = sum((Decimal(item["lineItem/UnblendedCost"]) for item in kept), Decimal())
    assert abs(total(rows, "unblended_cost") - expected) < Decimal("1e-6")
    assert "m5.large" in {row["kind"] for row in rows}
    assert "eu-central-1" in {row["product_region"] for row in rows}
    costs = [Decimal(row["unblended_cost"] or 0) for row in rows]
    assert costs == sorted(costs, reverse=True)


def test_commitments_meet_the_usage_that_they_cover() -> None:
    rows = ask("commitments")
    assert {row["payment"] for row in rows} == {"Partial Upfront"}
    assert {str(row["arn"]).split(":")[2]: row["covered"] for row in rows} == {
        "ec2": "1",
        "savingsplans": "1",
    }
    assert [row["ends"] for row in rows if "savingsplans" in str(row["arn"])] == ["2027-09-30"]


def test_tags_unfold_into_keys_and_values() -> None:
    found = {str(row["key"]).lower(): row["unique_values"] for row in ask("tag_keys")}
    assert len(found) == 3
    assert (found["user_name"], found["user_team"]) == ("1", "1")


def test_resources_have_their_usage_and_its_cost() -> None:
    rows = ask("resources")
    wanted = ("Usage", "SavingsPlanCoveredUsage", "DiscountedUsage")
    kept = [
        item
        for item in line_items()
        if item["lineItem/LineItemType"] in wanted and item.get("lineItem/ResourceId")
    ]
    assert {row["resource_id"] for row in rows} == {item["lineItem/ResourceId"] for item in kept}
    covered = sum(Decimal(i.get("savingsPlan/SavingsPlanEffectiveCost") or 0) for i in kept)
    assert abs(total(rows, "savings_plan_cost") - covered) < EXACT
    assert {row["family"] for row in rows if row["instance_type"] == "m5.large"} == {"m5"}


def test_storage_has_a_unit_cost_a_rank_and_a_share() -> None:
    (row,) = ask("storage_unit_cost")
    (item,) = [i for i in line_items() if str(i.get("pricing/unit", "")).startswith("GB-Mo")]
    expected = float(item["lineItem/UnblendedCost"]) / float(item["lineItem/UsageAmount"])
    assert float(row["unit_cost"] or 0) == pytest.approx(expected)
    assert (row["period"], row["size"], row["place"], row["share"]) == (
        "2026-10",
        "under 150",
        "1",
        "100.0",
    )


def test_a_subscript_whose_key_a_row_lacks_fails_as_in_trino() -> None:
    with pytest.raises(QueryFailed, match="Key not present in map"):
        ask("subscript_of_a_tag")
    tolerant = (QUERIES / "subscript_of_a_tag.sql").read_text("utf-8")
    tolerant = tolerant.replace(
        "resource_tags['user_nobody_has_it']", "element_at(resource_tags, 'user_nobody_has_it')"
    )
    assert answer(tolerant) == [{"cost": None}]


@pytest.mark.parametrize(
    ("where", "found"),
    [("year = '2026'", True), ("year = '2025'", False), ("billing_period = '2026-11'", False)],
)
def test_a_filter_on_the_period_reads_no_other_partition(where: str, found: bool) -> None:
    reads = lake_of(ExportKind.CUR_2_0).bucket.reads
    reads.clear()
    counted = answer("SELECT count(*) AS n FROM lake.cost_and_usage_report WHERE " + where)
    assert counted == [{"n": str(len(line_items()) if found else 0)}]
    assert bool(reads) is found


def test_months_are_named_as_in_a_legacy_report() -> None:
    assert {row["month"] for row in answer("SELECT month FROM lake.cost_and_usage_report")} == {
        "10"
    }

"""Whole tasks: what is written, what it adds up to, and what stops them."""

import gzip
import io
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudspend import payloads
from cloudspend.convert import task, writer
from cloudspend.convert.engine import blocks
from cloudspend.convert.focus.mapping import ARROW_SCHEMA
from cloudspend.convert.focus.schema import COLUMNS
from cloudspend.convert.model import ConversionSummary, ConversionTask
from cloudspend.convert.task import convert_task
from cloudspend.convert.writer import parquet_totals
from cloudspend.errors import DeliveryError, DeliveryReplaced
from tests.fakes.convert import BUCKET, FakeSink, FakeSource, a_task, csv_of, gzipped, rows

FILE = f"s3://{BUCKET}/bill-1.csv.gz"
TYPE, COST = "lineItem/LineItemType", "lineItem/UnblendedCost"
Change = Mapping[str, str]


def converted(*bodies: bytes, **changes: Any) -> tuple[ConversionSummary, pa.Table]:
    source, sink = FakeSource(), FakeSink()
    files = [source.put(f"bill-{number}.csv.gz", body) for number, body in enumerate(bodies, 1)]
    summary = convert_task(replace(a_task(*files), **changes), source, sink)
    return summary, pq.read_table(io.BytesIO(sink.objects[summary.outputs[0].key]))


def one(**change: str) -> dict[str, Any]:
    """The row that a usage row with changes becomes."""
    _, table = converted(gzipped(rows({name.replace("__", "/"): v for name, v in change.items()})))
    return dict(table.to_pylist()[0])


def refused(*bodies: bytes, **changes: Any) -> DeliveryError:
    source, sink = FakeSource(), FakeSink()
    files = [source.put(f"bill-{number}.csv.gz", body) for number, body in enumerate(bodies, 1)]
    with pytest.raises(DeliveryError) as caught:
        convert_task(replace(a_task(*files), **changes), source, sink)
    assert sink.objects == {}
    return caught.value


def test_a_usage_row_in_focus() -> None:
    row = one()
    assert row["billedcost"] == row["effectivecost"] == row["listcost"] == 0.096
    assert (row["billingaccountid"], row["subaccountid"]) == ("111111111111", "022222222222")
    assert str(row["billingperiodstart"]) == "2026-10-01 00:00:00"
    assert str(row["chargeperiodstart"]) == "2026-10-05 01:00:00"
    assert (row["servicename"], row["servicecategory"]) == (
        "Amazon Elastic Compute Cloud",
        "Compute",
    )
    assert (row["regionid"], row["regionname"]) == ("eu-central-1", "EU (Frankfurt)")
    assert (row["resourcename"], row["resourcetype"]) == ("web", "Instance")
    assert dict(row["tags"]) == {"Name": "web", "costCategory/Team": "shop"}
    assert dict(row["x_costcategories"]) == {"Team": "shop"}
    assert row["invoiceid"] is None
    assert row["x_other"] is None
    assert (row["x_chargetype"], row["x_servicecode"]) == ("Usage", "AmazonEC2")


def test_the_file_has_the_declared_schema() -> None:
    _, table = converted(gzipped(rows({})))
    arrow = {"string": "string", "double": "double", "timestamp": "timestamp[ms]"}
    maps = {"map<string,string>": "map<string, string", "map<string,double>": "map<string, double"}
    for column, field in zip(COLUMNS, table.schema, strict=True):
        assert column.name == field.name
        assert str(field.type).startswith({**arrow, **maps}[column.type])
        if not column.nullable:
            assert table.column(column.name).null_count == 0


def test_prices_before_commitments() -> None:
    reserved = one(lineItem__LineItemType="DiscountedUsage", lineItem__UnblendedCost="0")
    assert (reserved["billedcost"], reserved["contractedcost"], reserved["listcost"]) == (
        0.0,
        0.096,
        0.096,
    )
    assert reserved["contractedunitprice"] == reserved["listunitprice"] == 0.096
    cheaper = one(lineItem__UnblendedCost="0.05", lineItem__UnblendedRate="0.05")
    assert (cheaper["contractedcost"], cheaper["listcost"]) == (0.05, 0.096)
    tax = one(lineItem__LineItemType="Tax", lineItem__UnblendedCost="0.02")
    assert (tax["listcost"], tax["listunitprice"], tax["pricingquantity"]) == (0.02, None, None)


def test_a_line_item_without_a_rate_is_priced_by_what_it_costs() -> None:
    fee = {
        "lineItem__LineItemType": "Fee",
        "lineItem__UnblendedCost": "30",
        "lineItem__UnblendedRate": "",
        "lineItem__UsageAmount": "12",
        "pricing__publicOnDemandCost": "",
        "pricing__publicOnDemandRate": "",
    }
    prices = (
        "contractedunitprice",
        "listunitprice",
        "pricingcurrencycontractedunitprice",
        "pricingcurrencylistunitprice",
    )
    assert [one(**fee)[name] for name in prices] == [2.5, 2.5, 2.5, 2.5]
    abroad = one(**fee, pricing__currency="CNY")
    assert [abroad[name] for name in prices] == [2.5, 2.5, None, None]
    for quantity in ("0", "", "1e-320"):
        unpriced = one(**{**fee, "lineItem__UsageAmount": quantity})
        assert [unpriced[name] for name in prices] == [None] * 4


def test_an_upfront_fee_is_the_commitment_that_it_pays() -> None:
    fee = one(
        lineItem__LineItemType="SavingsPlanUpfrontFee",
        lineItem__UnblendedCost="438",
        savingsPlan__SavingsPlanARN="arn:plan",
    )
    assert (fee["commitmentdiscountquantity"], fee["commitmentdiscountunit"]) == (438.0, "USD")


BILL: tuple[Change, ...] = (
    {COST: "10.5"},
    {TYPE: "SavingsPlanCoveredUsage", COST: "4", "savingsPlan/SavingsPlanEffectiveCost": "2.5"},
    {TYPE: "SavingsPlanNegation", COST: "-4"},
    {
        TYPE: "SavingsPlanRecurringFee",
        COST: "3",
        "savingsPlan/TotalCommitmentToDate": "3",
        "savingsPlan/UsedCommitment": "2.5",
    },
    {TYPE: "DiscountedUsage", COST: "0", "reservation/EffectiveCost": "0.7"},
    {
        TYPE: "RIFee",
        COST: "20",
        "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod": "1",
        "reservation/UnusedRecurringFee": "2",
    },
    {TYPE: "Fee", COST: "100", "reservation/ReservationARN": "arn:reservation"},
    {
        TYPE: "Refund",
        COST: "-9",
        "lineItem/ProductCode": "ComputeSavingsPlans",
        "lineItem/LineItemDescription": "Refund for one-time fee for Savings Plan ID 1",
    },
    {COST: "1", "lineItem/Operation": "EKSPod-EC2"},
    {TYPE: "Tax", COST: "1.9"},
)


def test_billed_and_effective_cost_by_charge_type() -> None:
    summary, table = converted(gzipped(rows(*BILL)))
    found = {
        (row["x_chargetype"]): (row["billedcost"], row["effectivecost"])
        for row in table.to_pylist()
    }
    assert found == {
        "Usage": (10.5, 10.5),
        "SavingsPlanCoveredUsage": (0.0, 2.5),
        "SavingsPlanRecurringFee": (3.0, 0.5),
        "DiscountedUsage": (0.0, 0.7),
        "RIFee": (20.0, 3.0),
        "Fee": (100.0, 0.0),
        "Refund": (-9.0, 0.0),
        "Tax": (1.9, 1.9),
    }
    assert (summary.rows_read, summary.rows_written("cost_and_usage"), summary.rows_left_out) == (
        10,
        8,
        2,
    )
    assert summary.billed_cost == Decimal("126.4")
    assert summary.effective_cost == Decimal("19.1")
    assert summary.currency == "USD"


def test_what_comes_back_of_a_recurring_fee_was_part_of_effective_cost() -> None:
    plan = {TYPE: "Refund", COST: "-9", "lineItem/ProductCode": "ComputeSavingsPlans"}
    summary, table = converted(
        gzipped(rows(plan | {"lineItem/LineItemDescription": "Refund for hourly fee"}))
    )
    assert table.column("effectivecost").to_pylist() == [-9.0]
    assert summary.effective_cost == Decimal(-9)


def test_net_figures_where_aws_gives_them() -> None:
    _, table = converted(
        gzipped(
            rows(
                {COST: "10", "lineItem/NetUnblendedCost": "9"},
                {COST: "5", "lineItem/NetUnblendedCost": ""},
                {
                    TYPE: "DiscountedUsage",
                    COST: "0",
                    "reservation/EffectiveCost": "3",
                    "reservation/NetEffectiveCost": "2",
                },
            )
        )
    )
    net = sorted((row["x_netbilledcost"], row["x_neteffectivecost"]) for row in table.to_pylist())
    assert net == [(0.0, 2.0), (5.0, 5.0), (9.0, 9.0)]


money = st.decimals(-10_000, 10_000, places=10, allow_nan=False)
changes = st.fixed_dictionaries(
    {
        TYPE: st.sampled_from([change.get(TYPE, "Usage") for change in BILL]),
        COST: money.map(str),
        "lineItem/Operation": st.sampled_from(["RunInstances", "ECSTask-EC2"]),
        "lineItem/ProductCode": st.sampled_from(["AmazonEC2", "ComputeSavingsPlans"]),
        "lineItem/LineItemDescription": st.sampled_from(
            ["Refund", "Refund for one-time fee for Savings Plan ID 1"]
        ),
        "reservation/ReservationARN": st.sampled_from(["", "arn:reservation"]),
        "reservation/EffectiveCost": money.map(str),
        "reservation/UnusedRecurringFee": money.map(str),
        "savingsPlan/SavingsPlanEffectiveCost": money.map(str),
        "savingsPlan/TotalCommitmentToDate": money.map(str),
        "savingsPlan/UsedCommitment": money.map(str),
    }
)


@settings(max_examples=30, deadline=None)
@given(st.lists(changes, min_size=1, max_size=40))
def test_both_ways_through_a_bill_agree(bill: list[Change]) -> None:
    source, sink = FakeSource(), FakeSink()
    summary = convert_task(a_task(source.put("bill", gzipped(rows(*bill)))), source, sink)
    columns = ("billedcost", "effectivecost", "listcost")
    written = parquet_totals(io.BytesIO(sink.objects[summary.outputs[0].key]), columns)
    assert written.rows == summary.rows_written("cost_and_usage")
    assert written.rows == summary.rows_read - summary.rows_left_out
    for name, expected in (
        ("billedcost", summary.billed_cost),
        ("effectivecost", summary.effective_cost),
        ("listcost", summary.list_cost),
    ):
        assert abs(written.sums[name] - expected) < Decimal("1e-9")


def test_totals_keep_every_digit() -> None:
    exact = ["0.1000000001", "0.2000000002", "123456789.0123456789", "1E-7"]
    summary, _ = converted(gzipped(rows(*({COST: cost} for cost in exact))))
    assert summary.billed_cost == Decimal("123456789.3123457792")


def test_several_files_and_many_blocks_are_one_object() -> None:
    first = rows(*({COST: "1", "lineItem/ResourceId": f"i-{n:08x}"} for n in range(200)))
    second = rows(*({COST: "2"} for _ in range(3)))
    small = patch.object(blocks, "BLOCK_BYTES", 4096)
    with small, patch.object(task, "RUN_BYTES", 8192):
        summary, table = converted(gzipped(first), gzipped(second))
    assert (summary.rows_written("cost_and_usage"), summary.billed_cost) == (203, Decimal(206))
    assert table.num_rows == 203


def test_rows_that_are_read_together_stand_together() -> None:
    bill = rows(
        {"lineItem/UsageAccountId": "333333333333"},
        {"product/ProductName": "Zeta"},
        {"lineItem/UsageStartDate": "2026-10-07T00:00:00Z"},
        {"lineItem/UsageStartDate": "2026-10-06T00:00:00Z"},
        {"lineItem/ResourceId": ""},
    )
    _, table = converted(gzipped(bill))
    keys = [
        (row["subaccountid"], row["servicename"], row["resourceid"] or "", row["chargeperiodstart"])
        for row in table.to_pylist()
    ]
    assert keys == sorted(keys)


def test_a_filter_by_account_leaves_row_groups_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "ROW_GROUP", 10)
    accounts = [f"{number % 4:012d}" for number in range(40)]
    source, sink = FakeSource(), FakeSink()
    bill = gzipped(rows(*({"lineItem/UsageAccountId": account} for account in accounts)))
    convert_task(a_task(source.put("bill", bill)), source, sink)
    (body,) = sink.objects.values()
    metadata = pq.read_metadata(io.BytesIO(body))
    at = metadata.schema.names.index("subaccountid")
    found = [metadata.row_group(group).column(at).statistics for group in range(4)]
    assert [(one.min, one.max) for one in found] == [(account, account) for account in accounts[:4]]
    # Nothing is sorted by figures, so that their bounds would leave nothing unread.
    cost = metadata.schema.names.index("billedcost")
    assert metadata.row_group(0).column(cost).statistics is None


def test_a_file_without_rows_is_an_empty_object() -> None:
    summary, table = converted(gzip.compress(csv_of(rows({})).split(b"\n")[0] + b"\n"))
    assert (table.num_rows, summary.rows_read, summary.currency) == (0, 0, "")
    assert summary.billed_cost == 0


def test_unknown_columns_are_carried_along_and_reported() -> None:
    summary, table = converted(
        gzipped(rows({"lineItem/Novelty": "x", "lineItem/BlendedCost": "1"}))
    )
    assert summary.unknown_columns == ("lineItem/Novelty",)
    assert dict(table.to_pylist()[0]["x_other"]) == {"lineItem/Novelty": "x"}


def test_unknown_charge_types_are_reported_and_are_not_usage() -> None:
    summary, table = converted(gzipped(rows({TYPE: "Novelty", COST: "2"}, {})))
    assert summary.unknown_charge_types == ("Novelty",)
    categories = {row["x_chargetype"]: row["chargecategory"] for row in table.to_pylist()}
    assert categories == {"Novelty": "Adjustment", "Usage": "Usage"}


def test_columns_are_found_by_name_in_either_spelling() -> None:
    snake = {
        "bill_payer_account_id": "111111111111",
        "bill_billing_period_start_date": "2026-10-01 00:00:00+00:00",
        "bill_billing_period_end_date": "2026-11-01T00:00:00.000Z",
        "line_item_usage_account_id": "022222222222",
        "line_item_line_item_type": "Usage",
        "line_item_usage_start_date": "2026-10-05 01:00:00+00:00",
        "line_item_usage_end_date": "2026-10-05 02:00:00+00:00",
        "line_item_currency_code": "USD",
        "line_item_unblended_cost": "3.5",
        "resource_tags_user_team": "shop",
    }
    _, table = converted(gzipped([dict(reversed(snake.items()))]))
    row = table.to_pylist()[0]
    assert (row["billedcost"], row["subaccountid"]) == (3.5, "022222222222")
    assert dict(row["tags"]) == {"team": "shop"}


def test_price_details_only_with_a_price() -> None:
    change = {"product/vcpu": "2", "product/memory": "8 GiB"}
    assert (
        one(**{name.replace("/", "__"): value for name, value in change.items()})["skupricedetails"]
        is None
    )
    details = one(product__vcpu="2", product__memory="8 GiB", pricing__RateCode="A.B.C")
    assert dict(details["skupricedetails"])["CoreCount"] == "2"
    assert dict(details["skupricedetails"])["x_Memory"] == "8 GiB"


def test_the_word_none_is_no_number_but_may_be_text() -> None:
    row = one(lineItem__UsageAmount="None", lineItem__LineItemDescription="None")
    assert (row["pricingquantity"], row["chargedescription"]) == (None, "None")


def test_a_rate_in_words_is_no_price() -> None:
    change = {"pricing/publicOnDemandRate": "No Upfront", "lineItem/UsageAmount": "2"}
    row = one(**{name.replace("/", "__"): value for name, value in change.items()})
    assert row["listunitprice"] == row["listcost"] / 2


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (COST, "twelve"),
        (COST, "NaN"),
        (COST, "inf"),
        (COST, "1e400"),
        (COST, "1_000"),
        (COST, "1,5"),
        (COST, ""),
        (COST, "None"),
        ("lineItem/UsageAmount", "many"),
        ("pricing/publicOnDemandCost", "convertible"),
        ("lineItem/UsageStartDate", "2026-13-01T00:00:00Z"),
        ("lineItem/UsageEndDate", ""),
        ("bill/BillingPeriodStartDate", "2026-09-01T00:00:00Z"),
        ("bill/BillingPeriodStartDate", "yesterday"),
        (TYPE, ""),
        ("lineItem/UsageAccountId", ""),
        ("lineItem/CurrencyCode", "EUR"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(column: str, value: str) -> None:
    error = refused(gzipped(rows({}, {}, {column: value}, {})))
    assert error.details["file"] == FILE
    assert (error.details["line"], error.details["column"]) == (4, column)
    assert error.details["value"] == (value or None)
    assert error.remedy


def test_the_line_is_right_in_a_later_block_and_past_quoted_newlines() -> None:
    bill = rows(*({"lineItem/LineItemDescription": "two\nlines"} for _ in range(40)), {COST: "bad"})
    with patch.object(blocks, "BLOCK_BYTES", 2048):
        assert refused(gzipped(bill)).details["line"] == 2 + 40 * 2


def test_a_quoted_newline_is_part_of_its_value() -> None:
    row = one(lineItem__LineItemDescription='say "two"\nlines')
    assert row["chargedescription"] == 'say "two"\nlines'


@pytest.mark.parametrize(("cut", "columns"), [(b",1", 1), (b"", 2)])
def test_a_ragged_row_is_named(cut: bytes, columns: int) -> None:
    lines = csv_of(rows({}, {}, {})).split(b"\n")
    lines[2] = lines[2].rsplit(b",", columns)[0] if not cut else lines[2] + cut
    error = refused(gzip.compress(b"\n".join(lines)))
    assert (error.details["file"], error.details["line"]) == (FILE, 3)
    assert "columns instead of" in error.summary


def test_a_truncated_file_is_named() -> None:
    error = refused(gzipped(rows({})), gzipped(rows(*({},) * 500))[:-20])
    assert error.details["file"] == f"s3://{BUCKET}/bill-2.csv.gz"
    assert "ends too early" in error.summary


def test_text_that_is_not_utf8_is_refused() -> None:
    body = csv_of(rows({"lineItem/LineItemDescription": "caf?"})).replace(b"caf?", b"caf\xe9")
    assert refused(gzip.compress(body)).details["file"] == FILE


def test_a_missing_column_is_named() -> None:
    bill = [{name: value for name, value in rows({})[0].items() if name != COST}]
    error = refused(gzipped(bill))
    assert (error.details["line"], error.details["column"]) == (1, COST)


def test_a_repeated_column_is_refused() -> None:
    body = csv_of(rows({})).replace(b"bill/BillType", b"bill/BillingEntity", 1)
    assert "twice" in refused(gzip.compress(body)).summary


def test_a_replaced_or_missing_file_stops_the_task() -> None:
    source, sink = FakeSource(), FakeSink()
    file = source.put("bill", gzipped(rows({})), etag="newer")
    with pytest.raises(DeliveryReplaced):
        convert_task(a_task(file), source, sink)
    del source.files["bill"]
    with pytest.raises(DeliveryError):
        convert_task(a_task(file), source, sink)
    assert sink.objects == {}


def test_a_repeat_gives_the_same_object() -> None:
    first, second = (converted(gzipped(rows(*BILL)))[0] for _ in range(2))
    assert first == second


def test_tags_that_an_account_names_are_columns_of_their_own() -> None:
    bill = rows({"resourceTags/user:Cost Center": "12"}, {"resourceTags/user:Name": ""})
    _, table = converted(gzipped(bill), tag_columns=("cost-center", "Name"))
    assert table.column_names[-2:] == ["tag_costcenter", "tag_name"]
    assert sorted(table.select(["tag_costcenter", "tag_name"]).to_pylist(), key=str) == [
        {"tag_costcenter": "12", "tag_name": "web"},
        {"tag_costcenter": None, "tag_name": None},
    ]


def test_tasks_and_summaries_survive_the_way_between_steps() -> None:
    source, sink = FakeSource(), FakeSink()
    file = source.put("bill", gzipped(rows({COST: "1E-7"})))
    task = replace(a_task(file), tag_columns=("Team",))
    assert ConversionTask.from_payload(task.to_payload()) == task
    summary = convert_task(task, source, sink)
    assert summary.to_payload()[payloads.BILLED_COST] == "0.0000001"
    assert ConversionSummary.from_payload(summary.to_payload()) == summary
    assert {*ARROW_SCHEMA.names, "tag_team"} == set(
        pq.read_schema(io.BytesIO(*sink.objects.values())).names
    )

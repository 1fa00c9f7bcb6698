"""Any bill of any kind: totals of source and tables agree, and forms of one bill give one table."""

import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudspend.accounts.model import ExportKind
from cloudspend.convert import task
from cloudspend.convert.focus.mappings import MAPPINGS
from cloudspend.convert.focus.names import snake
from cloudspend.convert.focus.rules import KNOWN_CHARGE_TYPES
from cloudspend.convert.focus.schema import BILLING_DETAIL, COST_AND_USAGE
from cloudspend.convert.model import ConversionSummary
from cloudspend.convert.task import convert_task
from cloudspend.convert.writer import parquet_totals
from tests.fakes.convert import USAGE, FakeSink, FakeSource, a_task, csv_of

TYPE, COST = "lineItem/LineItemType", "lineItem/UnblendedCost"
PLAN_REFUND = "Refund for one-time fee for Savings Plan ID p"
Row = Mapping[str, str]

CHARGE_TYPES = (
    *sorted(KNOWN_CHARGE_TYPES),
    "Novelty",
)

money = st.decimals(-10_000, 10_000, places=10, allow_nan=False).map(str)
maybe_money = st.just("") | money
line_item = st.fixed_dictionaries(
    {
        TYPE: st.sampled_from(CHARGE_TYPES),
        COST: money,
        "lineItem/Operation": st.sampled_from(["RunInstances", "EKSPod-EC2", "FargateTask"]),
        "lineItem/ProductCode": st.sampled_from(["AmazonEC2", "ComputeSavingsPlans"]),
        "lineItem/LineItemDescription": st.sampled_from(["anything", PLAN_REFUND]),
        "lineItem/NetUnblendedCost": maybe_money,
        "pricing/publicOnDemandCost": maybe_money,
        "reservation/ReservationARN": st.sampled_from(["", "arn:reservation"]),
        "reservation/EffectiveCost": maybe_money,
        "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod": maybe_money,
        "reservation/UnusedRecurringFee": maybe_money,
        "savingsPlan/SavingsPlanEffectiveCost": maybe_money,
        "savingsPlan/TotalCommitmentToDate": maybe_money,
        "savingsPlan/UsedCommitment": maybe_money,
        "resourceTags/user:CostCenter": st.sampled_from(["", "1", "2"]),
        "resourceTags/user:Name": st.sampled_from(["", "web"]),
        "costCategory/Team": st.sampled_from(["", "shop"]),
        "product/vcpu": st.sampled_from(["", "2"]),
        "lineItem/Novelty": st.sampled_from(["", "new"]),
    }
)
focus_row = st.fixed_dictionaries(
    {
        **dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), money),
        "ChargeCategory": st.sampled_from(["Usage", "Purchase", "Tax", "Credit", "Adjustment"]),
        "CommitmentDiscountStatus": st.sampled_from(["", "Used", "Unused"]),
        "CommitmentDiscountCategory": st.sampled_from(["", "Usage", "Spend"]),
        "Tags": st.sampled_from(["", '{"user:Team": "shop"}']),
        "SkuMeter": st.sampled_from(["", "BoxUsage"]),
        "x_Discounts": st.sampled_from(["", '{"edp": -0.5}']),
        "Novelty": st.sampled_from(["", "new"]),
    }
)
FOCUS_USAGE = {
    "BillingAccountId": "111111111111",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-10-01T00:00:00Z",
    "BillingPeriodEnd": "2026-11-01T00:00:00Z",
    "ChargePeriodStart": "2026-10-05T00:00:00Z",
    "ChargePeriodEnd": "2026-10-06T00:00:00Z",
}
# What is read of a bill whose optional columns are in part missing.
REQUIRED = {
    ExportKind.CUR_LEGACY: set(MAPPINGS[ExportKind.CUR_LEGACY].required)
    | {"bill/BillingPeriodEndDate"},
    ExportKind.FOCUS_1_0: set(MAPPINGS[ExportKind.FOCUS_1_0].required),
}


@contextmanager
def small_groups() -> Iterator[None]:
    """Row groups of a few rows, so that a bill has several."""
    with patch.object(task, "RUN_BYTES", 4096):
        yield


def converted(kind: ExportKind, lines: Sequence[Row]) -> tuple[ConversionSummary, FakeSink]:
    source, sink = FakeSource(), FakeSink()
    task = replace(
        a_task(source.put("bill", gzip.compress(csv_of(lines)))),
        kind=kind,
        tables=tuple(MAPPINGS[kind].tables),
    )
    with small_groups():
        return convert_task(task, source, sink), sink


def sums(summary: ConversionSummary, sink: FakeSink, table: str, *columns: str) -> list[Decimal]:
    totals = [
        parquet_totals(io.BytesIO(sink.objects[output.key]), columns)
        for output in summary.outputs
        if output.table == table
    ]
    assert sum(one.rows for one in totals) == summary.rows_written(table)
    return [sum((one.sums[name] for one in totals), Decimal(0)) for name in columns]


def rows_of(summary: ConversionSummary, sink: FakeSink, table: str) -> list[dict[str, Any]]:
    return [
        row
        for output in summary.outputs
        if output.table == table
        for row in pq.read_table(io.BytesIO(sink.objects[output.key])).to_pylist()
    ]


def arranged(data: st.DataObject, lines: Sequence[Row], required: set[str]) -> list[Row]:
    """The bill with some of its optional columns, in any order."""
    names = list(lines[0])
    optional = [name for name in names if name not in required]
    left_out = data.draw(st.sets(st.sampled_from(optional)))
    order = data.draw(st.permutations([name for name in names if name not in left_out]))
    return [{name: line[name] for name in order} for line in lines]


def agree(summary: ConversionSummary, sink: FakeSink) -> None:
    """Sums of written columns equal those that were read: copies exactly, differences nearly."""
    columns = ("billedcost", "listcost", "effectivecost")
    billed, listed, effective = sums(summary, sink, COST_AND_USAGE, *columns)
    assert (billed, listed) == (summary.billed_cost, summary.list_cost)
    assert abs(effective - summary.effective_cost) < Decimal("1e-9")
    assert summary.rows_written(COST_AND_USAGE) == summary.rows_read - summary.rows_left_out


@settings(max_examples=25, deadline=None)
@given(st.lists(line_item, min_size=1, max_size=25), st.data())
def test_line_items_of_any_mix_and_columns_add_up(bill: list[Row], data: st.DataObject) -> None:
    whole = [{**USAGE, **row} for row in bill]
    lines = arranged(data, whole, REQUIRED[ExportKind.CUR_LEGACY])
    summary, sink = converted(ExportKind.CUR_LEGACY, lines)
    agree(summary, sink)
    [unblended] = sums(summary, sink, BILLING_DETAIL, "line_item_unblended_cost")
    assert unblended == summary.unblended_cost == sum(Decimal(line[COST]) for line in lines)
    assert summary.rows_written(BILLING_DETAIL) == len(bill)


@settings(max_examples=25, deadline=None)
@given(st.lists(line_item, min_size=1, max_size=25))
def test_the_negation_takes_back_what_covered_usage_bears(bill: list[Row]) -> None:
    """BilledCost adds up to Cost Explorer's unblended cost, which counts both."""
    covered = [row for row in bill if row["lineItem/Operation"] != "EKSPod-EC2"]
    covered = [row for row in covered if row[TYPE] != "SavingsPlanNegation"]
    negations = [
        {**row, TYPE: "SavingsPlanNegation", COST: str(-Decimal(row[COST]))}
        for row in covered
        if row[TYPE] == "SavingsPlanCoveredUsage"
    ]
    lines = [{**USAGE, **row} for row in [*covered, *negations]] or [{**USAGE}]
    summary, _ = converted(ExportKind.CUR_LEGACY, lines)
    assert summary.billed_cost == summary.unblended_cost


@settings(max_examples=25, deadline=None)
@given(st.lists(focus_row, min_size=1, max_size=25), st.data())
@pytest.mark.parametrize("kind", [ExportKind.FOCUS_1_0, ExportKind.FOCUS_1_2])
def test_focus_rows_of_any_mix_and_columns_add_up(
    kind: ExportKind, bill: list[Row], data: st.DataObject
) -> None:
    whole = [{**FOCUS_USAGE, **row} for row in bill]
    lines = arranged(data, whole, REQUIRED[ExportKind.FOCUS_1_0])
    summary, sink = converted(kind, lines)
    agree(summary, sink)
    assert summary.billed_cost == sum(Decimal(line["BilledCost"]) for line in lines)
    assert (summary.rows_left_out, summary.unblended_cost) == (0, Decimal(0))


def as_cur_2_0(line: Row) -> dict[str, str]:
    """A line item of the legacy report as CUR 2.0 has it."""
    kept: dict[str, str] = {}
    maps: dict[str, dict[str, str]] = {"resource_tags": {}, "cost_category": {}, "product": {}}
    of = {"resourceTags": "resource_tags", "costCategory": "cost_category", "product": "product"}
    for name, value in line.items():
        category, _, own = name.partition("/")
        if category in of and name != "product/location":
            if value:
                maps[of[category]][snake(own)] = value
        else:
            kept[snake(name)] = value
    return kept | {name: json.dumps(value) for name, value in maps.items()}


@settings(max_examples=25, deadline=None)
@given(st.lists(line_item, min_size=1, max_size=15), st.data())
def test_both_reports_of_a_bill_give_the_same_rows(bill: list[Row], data: st.DataObject) -> None:
    lines = [{**USAGE, **row} for row in bill]
    second = data.draw(st.permutations([as_cur_2_0(line) for line in lines]))
    legacy, cur_2_0 = converted(ExportKind.CUR_LEGACY, lines), converted(ExportKind.CUR_2_0, second)
    for table in (COST_AND_USAGE, BILLING_DETAIL):
        first, other = (
            [comparable(row) for row in rows_of(*one, table)] for one in (legacy, cur_2_0)
        )
        assert sorted(first) == sorted(other)
    totals = ("rows_read", "rows_left_out", "billed_cost", "effective_cost", "list_cost")
    assert [getattr(legacy[0], name) for name in totals] == [
        getattr(cur_2_0[0], name) for name in totals
    ]


def comparable(row: Mapping[str, Any]) -> str:
    """A row without what the two reports spell differently: original keys and unknown columns."""
    spelled = {"tags", "x_costcategories", "x_other"}
    return repr(
        sorted(
            (name, sorted(value) if isinstance(value, list) else value)
            for name, value in row.items()
            if name not in spelled
        )
    )

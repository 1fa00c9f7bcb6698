"""The bills of the demo's customer."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest

from cloudspend.exports.model import BillingPeriod
from local.world import estate
from local.world.bill import Bill, Order, make_bills
from local.world.columns import CATEGORIES, aws_type, in_aws_order
from local.world.fix import fix
from local.world.world import World

COST = "lineItem/UnblendedCost"


def by_account_and_service(bill: Bill) -> dict[tuple[str, str], Decimal]:
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    keys = zip(
        bill.values("lineItem/UsageAccountId"),
        bill.values("lineItem/ProductCode"),
        bill.values(COST),
        strict=True,
    )
    for account, service, cost in keys:
        sums[account, service] += Decimal(cost)
    return sums


def test_two_closed_months_and_the_current_one(world: World) -> None:
    assert [str(bill.period) for bill in world.bills()] == ["2026-09", "2026-10", "2026-11"]
    assert [bill.final for bill in world.bills()] == [True, True, False]
    assert all(len(bill.files) > 1 for bill in world.bills()[:2])


def test_the_same_day_has_the_same_bills(world: World) -> None:
    again = make_bills([Order.open(world.current, world.today)])
    assert again == [world.bills()[2]]


def test_closed_months_have_one_invoice_and_the_open_one_none(world: World) -> None:
    invoices = [set(bill.values("bill/InvoiceId")) for bill in world.bills()]
    assert [len(found) for found in invoices] == [1, 1, 1]
    assert invoices[2] == {""}
    assert not invoices[0] & invoices[1]


def test_every_row_belongs_to_the_payer_the_period_and_a_known_account(world: World) -> None:
    for bill in world.bills():
        starts = {value[:10] for value in bill.values("bill/BillingPeriodStartDate")}
        assert starts == {f"{bill.period}-01"}
        assert set(bill.values("bill/PayerAccountId")) == {estate.PAYER}
        assert set(bill.values("lineItem/UsageAccountId")) == set(estate.ACCOUNTS)


def test_a_closed_month_is_billed_to_its_last_hour(world: World) -> None:
    october = world.bills()[1]
    assert max(october.values("lineItem/UsageStartDate")).startswith("2026-10-31 23:00:00")


def test_the_open_month_is_billed_up_to_today(world: World) -> None:
    assert max(world.bills()[2].values("lineItem/UsageEndDate")).startswith("2026-11-04 00:00:00")


def test_the_first_of_a_month_has_a_bill_already() -> None:
    period = BillingPeriod(2026, 11)
    assert Order.open(period, date(2026, 11, 1)).until.day == 2


def test_line_items_are_told_apart(world: World) -> None:
    for bill in world.bills():
        ids = bill.values("identity/LineItemId")
        assert len(ids) == len(set(ids))


def test_the_restatement_moves_what_was_restated_and_nothing_else(world: World) -> None:
    first, second = world.bills()[1], world.restatement()
    before, after = by_account_and_service(first), by_account_and_service(second)
    moved = {key for key in before if before[key] != after[key]}
    assert moved == {(estate.PRODUCTION, "AmazonRDS"), (estate.DATA, "AmazonS3")}
    assert second.total() != first.total()
    assert second.columns == first.columns


def test_savings_plans_and_reservations_carry_what_amortization_needs(world: World) -> None:
    bill = world.bills()[0]
    needed = {
        "DiscountedUsage": "reservation/EffectiveCost",
        "SavingsPlanCoveredUsage": "savingsPlan/SavingsPlanEffectiveCost",
        "SavingsPlanRecurringFee": "savingsPlan/TotalCommitmentToDate",
    }
    kinds = bill.values("lineItem/LineItemType")
    for kind, column in needed.items():
        values = [v for k, v in zip(kinds, bill.values(column), strict=True) if k == kind]
        assert values
        assert all(Decimal(value) > 0 for value in values)


def test_covered_usage_and_its_negation_cancel_out(world: World) -> None:
    bill = world.bills()[0]
    kinds = ("SavingsPlanCoveredUsage", "SavingsPlanNegation")
    pairs = zip(bill.values("lineItem/LineItemType"), bill.values(COST), strict=True)
    assert sum(Decimal(cost) for kind, cost in pairs if kind in kinds) == 0


def test_money_is_decimal_as_aws_writes_it(world: World) -> None:
    for value in world.bills()[0].values(COST):
        assert -10 <= int(Decimal(value).as_tuple().exponent) <= 2
        assert "e" not in value.lower()


def test_what_a_careful_reader_accepts_stays_as_nise_made_it(world: World) -> None:
    bill = world.bills()[0]
    assert bill.values("lineItem/UsageStartDate")[0] == "2026-09-01 00:00:00+00:00"
    assert "None" in bill.values("savingsPlan/SavingsPlanEffectiveCost")


def test_the_word_none_is_in_columns_of_numbers_only(world: World) -> None:
    bill = world.bills()[0]
    words = {column for column in bill.columns if "None" in bill.values(column)}
    assert {aws_type(column) for column in words} == {"OptionalBigDecimal"}


def test_columns_of_numbers_hold_numbers(world: World) -> None:
    bill = world.bills()[0]
    for column in bill.columns:
        if aws_type(column) == "OptionalBigDecimal":
            for value in set(bill.values(column)) - {"", "None"}:
                assert Decimal(value).is_finite(), (column, value)


def test_columns_come_by_category_and_only_with_values(world: World) -> None:
    bill = world.bills()[0]
    order = [CATEGORIES.index(column.partition("/")[0]) for column in bill.columns]
    assert order == sorted(order)
    assert "lineItem/TaxType" in bill.columns
    assert "product/whoCanOpenCases" not in bill.columns


def test_one_field_can_be_changed(world: World) -> None:
    bill = world.bills()[0]
    changed = bill.with_value(1, 2, COST, "7")
    assert changed.values(COST)[3002] == "7"
    assert bill.values(COST)[3002] != "7"


@pytest.mark.parametrize(
    ("text", "aws"),
    [("0.30000000000000004", "0.3"), ("4e-07", "0.0000004"), ("-0.192", "-0.192"), ("", "")],
)
def test_binary_noise_is_no_money(text: str, aws: str) -> None:
    row = {
        "lineItem/LineItemType": "Usage",
        "lineItem/CurrencyCode": "USD",
        "lineItem/BlendedCost": "0",
        "pricing/publicOnDemandCost": "0",
        COST: text,
    }
    assert fix(row, "")[COST] == aws


def test_aws_order_keeps_a_categorys_own() -> None:
    columns = ["product/b", "identity/x", "product/a", "bill/y"]
    assert in_aws_order(columns) == ["identity/x", "bill/y", "product/b", "product/a"]

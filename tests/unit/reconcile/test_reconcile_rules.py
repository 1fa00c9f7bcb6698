"""Each rule explains what its evidence covers, and nothing without it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloudspend.reconcile import rules
from cloudspend.reconcile.cells import Cell, Costs, LakeSide, Side
from cloudspend.reconcile.compare import Comparison
from cloudspend.reconcile.evidence import Agreement, Evidence, LastDays, unsettled_since
from cloudspend.reconcile.explain import explain, pending
from cloudspend.reconcile.vocabulary import UNMAPPED, vocabulary

WORDS = vocabulary()
COMPUTE, OTHER = WORDS.split.chosen, WORDS.split.otherwise
NOW = datetime(2026, 11, 10, 6, tzinfo=UTC)
DELIVERED = datetime(2026, 11, 5, tzinfo=UTC)
CLOSED = Evidence(NOW, DELIVERED, open=False)
AGREED = Agreement(DELIVERED + timedelta(hours=2), NOW - timedelta(days=1))


def cell(charge_type: str = "Usage", service: str = "AWS Lambda", account: int = 2) -> Cell:
    return Cell(str(account) * 12, service, charge_type)


def amount(billed: str, effective: str | None = None, net: str | None = None) -> Costs:
    effective = billed if effective is None else effective
    return Costs(Decimal(billed), Decimal(effective), Decimal(effective if net is None else net))


def explained(
    rule: rules.Rule, remaining: Mapping[Cell, Costs], evidence: Evidence, **words: Any
) -> dict[Cell, Costs]:
    """What the rule accounts for."""
    found = rule(remaining, evidence, replace(WORDS, **words))
    return {each.cell: each.costs for each in found}


USAGE, REFUND, TAX = cell(), cell("Refund"), cell("Tax", "Tax")
SUPPORT = cell("Fee", "AWS Support (Business)")


@pytest.mark.parametrize(
    ("difference", "rows", "covers"),
    [
        ("0.00000005", 1000, True),
        ("-0.00000005", 1000, True),
        ("0.00000005005", 1000, True),
        ("0.00000005006", 1000, False),
        ("0.0000000001", 1, True),
        ("0.00000000011", 1, False),
        ("0.00000005", 0, False),
    ],
)
def test_rounding_covers_what_so_many_rows_can_be_rounded_by(
    difference: str, rows: int, covers: bool
) -> None:
    evidence = replace(CLOSED, rows={USAGE: rows})
    left = {USAGE: amount(difference)}
    assert explained(rules.rounding, left, evidence) == (left if covers else {})


DAYS = LastDays(date(2026, 10, 19), {USAGE: amount("3")}, {USAGE: amount("5")})
OPEN = replace(CLOSED, open=True, last_days=DAYS)


def test_the_last_days_of_an_open_month_explain_their_own_difference_alone() -> None:
    left = {USAGE: amount("-40"), cell(account=3): amount("-7")}
    assert explained(rules.last_days, left, OPEN) == {USAGE: amount("-2")}


@pytest.mark.parametrize("evidence", [replace(OPEN, open=False), replace(OPEN, last_days=None)])
def test_a_closed_month_is_not_being_counted(evidence: Evidence) -> None:
    assert explained(rules.last_days, {USAGE: amount("-2")}, evidence) == {}


@pytest.mark.parametrize(
    ("lake", "cost_explorer", "rule"),
    [
        ({}, {USAGE: amount("5")}, "delivery lags"),
        ({USAGE: amount("5")}, {}, "Cost Explorer lags"),
        ({USAGE: amount("5")}, {USAGE: amount("4")}, "estimate"),
    ],
)
def test_a_side_without_any_charge_on_the_last_days_lags(
    lake: dict[Cell, Costs], cost_explorer: dict[Cell, Costs], rule: str
) -> None:
    evidence = replace(OPEN, last_days=LastDays(date(2026, 10, 19), lake, cost_explorer))
    [found] = rules.last_days({USAGE: amount("-5")}, evidence, WORDS)
    assert (found.rule, found.expected_to_clear) == (rule, True)


@pytest.mark.parametrize(
    ("delivered", "now", "since"),
    [
        (datetime(2026, 10, 20, 5, tzinfo=UTC), NOW, date(2026, 10, 19)),
        (datetime(2026, 10, 1, 5, tzinfo=UTC), NOW, date(2026, 10, 1)),
        (DELIVERED, NOW, date(2026, 11, 1)),
    ],
    ids=["the day before the delivery", "not before the month", "none of a month long past"],
)
def test_days_are_counted_until_the_day_after(
    delivered: datetime, now: datetime, since: date
) -> None:
    assert unsettled_since(delivered, now, date(2026, 10, 1), date(2026, 11, 1)) == since


MOVED = [
    (rules.late_corrections, REFUND),
    (rules.late_corrections, cell("Credit")),
    (rules.late_tax_and_support, TAX),
    (rules.late_tax_and_support, SUPPORT),
    (rules.restated, USAGE),
]


@pytest.mark.parametrize(("rule", "moved"), MOVED)
def test_what_aws_changed_after_the_delivery_is_explained_by_the_rule_for_it(
    rule: rules.Rule, moved: Cell
) -> None:
    left = {moved: amount("-12.50", "-10")}
    evidence = replace(CLOSED, agreed={moved: AGREED})
    assert explained(rule, left, evidence) == left
    others = [other for other, _ in MOVED if other is not rule]
    assert not any(explained(other, left, evidence) for other in others)


@pytest.mark.parametrize(
    "evidence",
    [
        CLOSED,
        replace(CLOSED, agreed={REFUND: AGREED}, is_newest=False),
        replace(CLOSED, agreed={REFUND: replace(AGREED, differs_since=NOW - timedelta(days=4))}),
        replace(CLOSED, agreed={REFUND: replace(AGREED, at=DELIVERED - timedelta(seconds=1))}),
    ],
    ids=["never agreed", "a newer delivery is known", "awaited too long", "agreed before it came"],
)
def test_without_an_agreement_nothing_is_called_late(evidence: Evidence) -> None:
    assert explained(rules.late_corrections, {REFUND: amount("5")}, evidence) == {}


FEE = cell("SavingsPlanUpfrontFee", "Savings Plans for AWS Compute usage")
FEE_COST = amount("1000", "0")


@pytest.mark.parametrize(
    ("outside", "elsewhere", "difference", "covers"),
    [
        ({FEE: FEE_COST}, {}, FEE_COST, True),
        ({}, {FEE: FEE_COST}, amount("-1000", "0"), True),
        ({FEE: FEE_COST}, {FEE: amount("400", "0")}, amount("600", "0"), True),
        ({FEE: FEE_COST}, {}, amount("2000", "0"), False),
        ({FEE: FEE_COST}, {}, amount("1000", "5"), False),
        ({}, {}, FEE_COST, False),
    ],
)
def test_fees_with_other_dates_must_come_to_the_difference(
    outside: dict[Cell, Costs], elsewhere: dict[Cell, Costs], difference: Costs, covers: bool
) -> None:
    evidence = replace(CLOSED, outside=outside, elsewhere=elsewhere)
    found = explained(rules.fees_on_other_dates, {FEE: difference}, evidence)
    assert found == ({FEE: difference} if covers else {})


def test_usage_is_never_dated_away() -> None:
    evidence = replace(CLOSED, outside={USAGE: amount("5")})
    assert explained(rules.fees_on_other_dates, {USAGE: amount("5")}, evidence) == {}


HOURS, REST = cell(service=COMPUTE), cell(service=OTHER)
SWAPPED = {HOURS: amount("-8"), REST: amount("8")}


@pytest.mark.parametrize(
    ("families", "left", "covers"),
    [
        ({(REST, "NewThing"): amount("8")}, SWAPPED, True),
        ({(REST, "A"): amount("3"), (REST, "B"): amount("5")}, SWAPPED, True),
        ({(REST, "NewThing"): amount("7")}, SWAPPED, False),
        ({(REST, "EBS"): amount("8")}, SWAPPED, False),
        ({(HOURS, "BoxUsage"): amount("8")}, SWAPPED, False),
        ({(REST, "NewThing"): amount("8")}, SWAPPED | {HOURS: amount("-9")}, False),
        ({(REST, "NewThing"): amount("8")}, {REST: amount("8")}, False),
    ],
    ids=["one", "all together", "another amount", "assigned", "also assigned", "uneven", "alone"],
)
def test_only_a_family_that_nobody_assigned_moves_between_the_services_of_ec2(
    families: dict[tuple[Cell, str], Costs], left: dict[Cell, Costs], covers: bool
) -> None:
    evidence = replace(CLOSED, families=families)
    assert explained(rules.split_service, left, evidence) == (left if covers else {})


ENTERPRISE, BUNDLED = cell("Enterprise Discount Program Discount"), cell("Bundled Discount")
RENAMED = {ENTERPRISE: amount("-4"), BUNDLED: amount("4")}
BOTH = frozenset(RENAMED)


@pytest.mark.parametrize(
    ("left", "one_sided", "covers"),
    [
        (RENAMED, BOTH, True),
        (RENAMED, frozenset({ENTERPRISE}), False),
        (RENAMED | {BUNDLED: amount("4", "3")}, BOTH, False),
        ({ENTERPRISE: amount("-4"), cell(): amount("4")}, BOTH | {cell()}, False),
        (
            {ENTERPRISE: amount("-4"), cell("Bundled Discount", account=3): amount("4")},
            BOTH | {cell("Bundled Discount", account=3)},
            False,
        ),
    ],
    ids=["renamed", "both sides know one", "uneven", "usage is no discount", "another account"],
)
def test_a_discount_has_two_names_when_nothing_is_left_of_them(
    left: dict[Cell, Costs], one_sided: frozenset[Cell], covers: bool
) -> None:
    evidence = replace(CLOSED, one_sided=one_sided)
    assert explained(rules.renamed_discount, left, evidence) == (left if covers else {})


@pytest.mark.parametrize(("names", "covers"), [({"Loyalty Discount"}, True), ({"Gift"}, False)])
def test_a_charge_type_without_a_word_is_a_discount_if_it_says_so(
    names: set[str], covers: bool
) -> None:
    left = {ENTERPRISE: amount("-4"), cell(UNMAPPED): amount("4")}
    evidence = replace(CLOSED, one_sided=frozenset(left), unmapped=frozenset(names))
    assert explained(rules.renamed_discount, left, evidence) == (left if covers else {})


@pytest.mark.parametrize(
    ("listed", "missing", "covers"),
    [(True, True, True), (False, True, False), (True, False, False)],
)
def test_a_service_is_not_in_exports_if_it_is_listed_and_the_lake_has_none_of_it(
    listed: bool, missing: bool, covers: bool
) -> None:
    left = {USAGE: amount("-9")}
    evidence = replace(CLOSED, missing=frozenset({USAGE.service} if missing else ()))
    words = frozenset({USAGE.service} if listed else ())
    found = explained(rules.not_in_export, left, evidence, not_in_exports=words)
    assert found == (left if covers else {})


CELLS = st.sampled_from([USAGE, REFUND, TAX, SUPPORT, FEE, HOURS, REST, ENTERPRISE, BUNDLED])
COSTS = st.decimals("-500", "500", places=2).map(lambda cost: Costs(cost, cost, cost))
SIDES = st.dictionaries(CELLS, COSTS, min_size=1)
FAULTS = st.decimals("1", "500", places=2)


def sides(lake: Mapping[Cell, Costs], cost_explorer: Mapping[Cell, Costs]) -> Comparison:
    return Comparison(LakeSide(dict(lake)), Side(dict(cost_explorer)))


@given(SIDES, CELLS, FAULTS, st.booleans())
@example({USAGE: Costs()}, USAGE, Decimal("2.00"), True)
def test_a_fault_on_settled_days_is_never_explained_away(
    bill: dict[Cell, Costs], where: Cell, size: Decimal, is_open: bool
) -> None:
    """For every bill, and though both sides also differ on the days that are still counted,
    the fault is what remains, in its cell, to the cent: unless those days make both sides equal."""
    unsettled = {cell: amount("2") for cell in bill}
    lag = LastDays(date(2026, 10, 19), {}, unsettled)
    before = Costs(size, size, size)
    lake = bill | {where: bill.get(where, Costs()).plus(before)}
    stated = (
        {each: costs.plus(unsettled[each]) for each, costs in bill.items()} if is_open else bill
    )
    evidence = replace(
        CLOSED,
        open=is_open,
        last_days=lag,
        rows=dict.fromkeys(lake, 1000),
        families={(REST, "EBS"): before, (HOURS, "BoxUsage"): before},
        agreed={each: AGREED for each in bill if each != where},
    )
    found = explain(sides(lake, stated), evidence, WORDS)
    are_equal = lake[where] == stated.get(where, Costs())
    assert found.remaining(where) == (Costs() if are_equal else before)
    assert all(found.remaining(each).is_zero for each in found.cells if each != where)


@given(SIDES, COSTS)
def test_an_explanation_leaves_exactly_what_it_does_not_cover(
    bill: dict[Cell, Costs], moved: Costs
) -> None:
    """A late refund next to a fault: the refund is explained to the cent, the fault stays."""
    stated = bill | {REFUND: bill.get(REFUND, Costs()).plus(moved)}
    fault = amount("7.77")
    lake = bill | {USAGE: bill.get(USAGE, Costs()).plus(fault)}
    evidence = replace(CLOSED, agreed={REFUND: AGREED})
    found = explain(sides(lake | {REFUND: bill.get(REFUND, Costs())}, stated), evidence, WORDS)
    assert found.remaining(REFUND).is_zero
    assert found.remaining(USAGE) == fault


def test_what_is_awaited_is_told_with_the_largest_first() -> None:
    tax = {TAX: amount("-3"), REFUND: amount("9")}
    evidence = replace(CLOSED, agreed={TAX: AGREED, REFUND: AGREED})
    found = explain(sides({TAX: Costs(), REFUND: Costs()}, {c: Costs().minus(v) for c, v in tax.items()}), evidence, WORDS)  # fmt: skip # noqa: E501
    assert [each.cell for each in pending(found)] == [REFUND, TAX]


def test_where_both_sides_are_equal_nothing_is_explained() -> None:
    """Even if AWS counts other days otherwise: it is the period's totals that are promised."""
    bill = {USAGE: amount("7")}
    lag = LastDays(date(2026, 10, 19), {}, {USAGE: amount("2")})
    evidence = replace(CLOSED, open=True, last_days=lag)
    found = explain(sides(bill, bill), evidence, WORDS)
    assert (found.explanations, found.remaining(USAGE).is_zero) == ((), True)

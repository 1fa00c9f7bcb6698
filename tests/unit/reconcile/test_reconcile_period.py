"""A whole reconciliation: verdicts, faults by cell and amount, what is written and announced."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudspend.errors import Defect, PermissionDenied, TransientError
from cloudspend.lake.model import Verdict
from cloudspend.reconcile.reconcile import SUPERSEDED, unavailable
from cloudspend.reconcile.tables import DATA_QUALITY
from tests.unit.reconcile.reconcile_bills import (
    ACCOUNT,
    AFTER,
    COMPUTE,
    DURING,
    GENERATION,
    OTHER,
    PAYER,
    PERIOD,
    S3,
    STATE,
    Line,
    World,
    usage,
)

FIRST = [
    usage(2, "AmazonS3", S3, "20.10"),
    usage(2, "AmazonEC2", COMPUTE, "100.00", "USE2-BoxUsage:m5.large"),
    usage(3, "AmazonEC2", OTHER, "7.25", "EUC1-EBS:VolumeUsage.gp3"),
]
SECOND = [
    usage(2, "AmazonEC2", OTHER, "3.00", "DataTransfer-Out-Bytes"),
    usage(3, "AmazonS3", S3, "40.00"),
]
BILL = FIRST + SECOND


NET = " (net effective cost)"


def cells(world: World) -> dict[tuple[str, str, str], str]:
    """Residuals by cell; the net one is reported only where it is another than the effective
    one.
    """
    found = world.details["cells"]
    stated = {(c["account"][0], c["service"], c["charge_type"]): c["residual"] for c in found}
    return {
        (account, service, kind): residual
        for (account, service, kind), residual in stated.items()
        if not kind.endswith(NET)
        or residual != stated.get((account, service, kind.replace(NET, " (effective cost)")))
    }


def shown(world: World) -> set[str]:
    """What readers of the proof are shown; a generation's quality is measured in any case."""
    return {
        location
        for (table, _), location in world.catalog.locations.items()
        if table != DATA_QUALITY.name
    }


def test_a_final_bill_that_agrees_is_certified() -> None:
    world = World(BILL, [FIRST, SECOND])

    assert world.reconcile() == "certified"

    assert world.bus.kinds == ["PeriodCertified"]
    assert world.details["lake_total"] == world.details["cost_explorer_total"] == "170.35"
    assert world.details["cells"] == []


def test_the_lake_lost_a_file() -> None:
    world = World(BILL, [FIRST])
    assert world.reconcile() == "disputed"
    assert cells(world) == {("3", S3, "Usage"): "-40.00", ("2", OTHER, "Usage"): "-3.00"} | {
        ("3", S3, "Usage (effective cost)"): "-40.00",
        ("2", OTHER, "Usage (effective cost)"): "-3.00",
    }
    assert world.details["residual"] == "43.00"


def test_the_lake_has_a_file_twice() -> None:
    world = World(BILL, [FIRST, SECOND, SECOND])
    assert world.reconcile() == "disputed"
    assert cells(world)["3", S3, "Usage"] == "40.00"
    assert cells(world)["2", OTHER, "Usage"] == "3.00"
    assert world.details["residual"] == "43.00"


def test_a_cost_is_under_the_wrong_linked_account() -> None:
    wrong = [replace(line, account="4" * 12) for line in SECOND]
    world = World(BILL, [FIRST, wrong])
    assert world.reconcile() == "disputed"
    assert cells(world)["3", S3, "Usage"] == "-40.00"
    assert cells(world)["4", S3, "Usage"] == "40.00"
    assert world.details["lake_total"] == world.details["cost_explorer_total"]
    assert world.details["residual"] == "86.00"


def test_a_cost_is_under_the_wrong_service() -> None:
    changed = [SECOND[0], replace(SECOND[1], code="AmazonRDS")]
    world = World(BILL, [FIRST, changed])
    assert world.reconcile() == "disputed"
    assert cells(world)["3", S3, "Usage"] == "-40.00"
    assert cells(world)["3", "Amazon Relational Database Service", "Usage"] == "40.00"


def test_an_amortization_that_is_wrong_is_seen_though_billed_costs_agree() -> None:
    wrong = [FIRST[0], replace(FIRST[1], amortized=Decimal("60")), FIRST[2]]
    world = World(BILL, [wrong, SECOND])
    assert world.reconcile() == "disputed"
    assert cells(world) == {("2", COMPUTE, "Usage (effective cost)"): "-40.00"}
    assert world.details["residual"] == "0.00"


def test_ec2_hours_and_the_rest_of_ec2_are_two_services() -> None:
    swapped = [replace(FIRST[1], usage="USE2-CPUCredits:t3"), FIRST[0], FIRST[2]]
    world = World(BILL, [swapped, SECOND])
    assert world.reconcile() == "disputed"
    assert cells(world)["2", COMPUTE, "Usage"] == "-100.00"
    assert cells(world)["2", OTHER, "Usage"] == "100.00"


def test_savings_plans_taxes_and_discounts_agree_across_the_two_vocabularies() -> None:
    covered = replace(FIRST[1], kind="SavingsPlanCoveredUsage", amortized=Decimal("61.5"))
    negation = replace(covered, kind="SavingsPlanNegation", cost=-covered.cost, amortized=Decimal())
    tax = replace(FIRST[0], kind="Tax", cost=Decimal("2.02"))
    discount = replace(FIRST[0], kind="EdpDiscount", cost=Decimal("-0.5"))
    recurring = Line(
        "2" * 12, "ComputeSavingsPlans", "ComputeSP:3yrNoUpfront",
        "Savings Plans for AWS Compute usage", "SavingsPlanRecurringFee",
        Decimal("70"), Decimal("8.5"),
    )  # fmt: skip
    bill = [*BILL, covered, negation, tax, discount, recurring]
    world = World(bill, [bill])
    assert world.reconcile() == "certified"
    kinds = {row["charge_type"] for row in world.read("reconciliation_cells")}
    assert {"SavingsPlanCoveredUsage", "Tax", "Enterprise Discount Program Discount"} <= kinds


def test_an_unknown_charge_type_is_reported_and_never_usage() -> None:
    bill = [*BILL, replace(FIRST[0], kind="LoyaltyGift", cost=Decimal("-3"))]
    world = World(bill, [bill])
    assert world.reconcile() == "certified"
    assert "LoyaltyGift" in world.details["reason"]
    assert world.read("reconciliation")[0]["unmapped"] == "LoyaltyGift"
    unmapped = [r for r in world.read("reconciliation_cells") if r["charge_type"] == "unmapped"]
    assert [row["billed_cost"] for row in unmapped] == [-3.0]


def test_an_unknown_charge_type_on_one_side_is_disputed() -> None:
    odd = [replace(FIRST[0], kind="LoyaltyGift"), *FIRST[1:]]
    world = World(BILL, [odd, SECOND])
    assert world.reconcile() == "disputed"
    assert cells(world)["2", S3, "unmapped"] == "20.10"
    assert cells(world)["2", S3, "Usage"] == "-20.10"


NOT_INVOICED = [replace(BILL[0], invoice=""), *BILL[1:]]


@pytest.mark.parametrize(
    ("lake", "now", "estimated", "why"),
    [
        (BILL, DURING, False, "month is not over"),
        (NOT_INVOICED, AFTER, False, "1 of 5 rows"),
        (BILL, AFTER, True, "estimate"),
    ],
    ids=["open month", "not invoiced", "estimated"],
)
def test_a_bill_that_may_change_is_provisional_and_says_why(
    lake: list[Line], now: datetime, estimated: bool, why: str
) -> None:
    world = World(BILL, [lake], now=now, estimated=estimated)
    assert world.reconcile() == "provisional"
    assert why in world.details["reason"]
    assert world.bus.kinds == ["PeriodProvisional"]


def test_an_open_month_forgives_a_difference_of_estimates() -> None:
    late = [replace(FIRST[0], cost=Decimal("21.00")), *FIRST[1:]]
    world = World(BILL, [late, SECOND], now=DURING)
    assert world.reconcile() == "provisional"
    assert world.details["residual"] == "0.90"


def test_an_open_month_does_not_forgive_a_lost_file() -> None:
    world = World(BILL, [FIRST], now=DURING)
    assert world.reconcile() == "disputed"
    assert world.details["cells"][0]["residual"] == "-40.00"


def test_two_currencies_are_never_compared() -> None:
    world = World(BILL, [[replace(line, currency="CNY") for line in BILL]])
    assert world.reconcile() == "disputed"
    assert "CNY in the lake, USD in Cost Explorer" in world.details["reason"]


def test_the_proof_is_kept_in_registry_and_tables() -> None:
    world = World(BILL, [FIRST])
    world.reconcile()

    held = world.registry.pointer(PAYER, PERIOD)
    assert held
    assert (held.verdict, held.residual) == (Verdict.DISPUTED, Decimal("43"))
    assert held.reconciled_at == AFTER.replace(microsecond=0)
    [row] = world.read("reconciliation")
    assert (row["generation"], row["verdict"], row["final"]) == (GENERATION, "disputed", True)
    assert (row["rows"], row["residual"], row["ce_requests"]) == (3, 43.0, 2)
    assert (row["cells"], row["cells_beyond_tolerance"]) == (5, 2)
    off = [r for r in world.read("reconciliation_cells") if not r["within_tolerance"]]
    assert {(r["service"], r["residual"]) for r in off} == {(S3, -40.0), (OTHER, -3.0)}


def test_a_repeat_changes_nothing_and_tells_the_same_event() -> None:
    world = World(BILL, [BILL])
    assert world.reconcile() == world.reconcile() == "certified"
    assert len(world.read("reconciliation")) == 1
    assert len({event.event_id for event in world.bus.events}) == 1


def test_a_generation_that_is_no_longer_current_is_not_even_asked_for() -> None:
    world = World(BILL, [BILL])
    held = world.registry.pointer(PAYER, PERIOD)
    assert held
    world.registry.publish(replace(held, generation="20261106T000000Z-0000beef"))
    assert world.reconcile() == SUPERSEDED
    assert (world.api.asked, world.bus.events) == ([], [])


def test_a_generation_published_meanwhile_keeps_the_older_verdict_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(BILL, [BILL])
    held = world.registry.pointer(PAYER, PERIOD)
    assert held
    newer = replace(held, generation="20261106T000000Z-0000beef")
    ask = world.api.dimension_values

    def publish_then_ask(request: dict[str, object]) -> object:
        world.registry.publish(newer)
        return ask(request)

    monkeypatch.setattr(world.api, "dimension_values", publish_then_ask)
    assert world.reconcile() == SUPERSEDED
    assert world.registry.pointer(PAYER, PERIOD) == newer
    assert (shown(world), world.bus.events) == (set(), [])


def test_a_newer_verdict_that_comes_between_is_the_one_that_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(BILL, [BILL])
    later = AFTER.replace(microsecond=0) + timedelta(hours=1)
    point = world.catalog.point
    pointed: list[str] = []

    def interrupted(table: str, values: tuple[str, ...], location: str) -> None:
        if table == DATA_QUALITY.name:
            return point(table, values, location)
        if not pointed:
            held = world.registry.pointer(PAYER, PERIOD)
            assert held
            world.registry.publish(replace(held, reconciled_at=later))
        pointed.append(location)
        return point(table, values, location)

    monkeypatch.setattr(world.catalog, "point", interrupted)
    world.reconcile()
    assert len(shown(world)) == 2
    assert all(place.endswith("/reconciled_at=20261106T080809Z/") for place in shown(world))


FAILURE = {"Error": "PermissionDenied", "Cause": str(PermissionDenied("Denied.", remedy="Allow."))}


def test_without_cost_explorer_the_period_stays_provisional_and_says_why() -> None:
    world = World(BILL, [BILL])

    state = STATE | {"failure": FAILURE}
    assert unavailable(state, ACCOUNT, world.platform, AFTER) == {"verdict": "provisional"}

    held = world.registry.pointer(PAYER, PERIOD)
    assert held
    assert held.verdict_reason == "Not compared with Cost Explorer: Denied. Allow."
    assert world.bus.kinds == ["ReconciliationUnavailable"]
    [row] = world.read("reconciliation")
    assert (row["verdict"], row["residual"]) == ("provisional", None)
    assert world.read("reconciliation_cells") == []


@pytest.mark.parametrize("error", ["Defect", "TotalsDiffer", "QuestionRefused", "KeyError"])
def test_a_fault_of_ours_is_told_and_fails_the_execution(error: str) -> None:
    world = World(BILL, [BILL])
    state = STATE | {"failure": {"Error": error, "Cause": "It broke."}}
    with pytest.raises(Defect, match="Not compared with Cost Explorer: It broke"):
        unavailable(state, ACCOUNT, world.platform, AFTER)
    assert world.bus.kinds == ["ReconciliationUnavailable"]
    assert world.read("reconciliation")[0]["verdict"] == "provisional"


@pytest.mark.parametrize(
    "error", ["TransientError", "PermissionDenied", "ConnectionRefused", "UsageError", "CapReached"]
)
def test_what_others_must_mend_fails_nothing(error: str) -> None:
    world = World(BILL, [BILL])
    state = STATE | {"failure": {"Error": error, "Cause": "Not now."}}
    assert unavailable(state, ACCOUNT, world.platform, AFTER) == {"verdict": "provisional"}


def test_a_verdict_that_was_reached_outlives_an_outage() -> None:
    world = World(BILL, [BILL])
    world.reconcile()
    state = STATE | {"failure": FAILURE}
    assert unavailable(state, ACCOUNT, world.platform, AFTER) == {"verdict": "certified"}
    assert world.read("reconciliation")[0]["verdict"] == "certified"


def test_no_verdict_is_written_when_cost_explorer_fails() -> None:
    world = World(BILL, [BILL])
    world.api.fail_with = [TransientError("away")]
    with pytest.raises(TransientError):
        world.reconcile()
    assert (shown(world), world.bus.events) == (set(), [])


SERVICES = [
    ("AmazonS3", "Requests-Tier2", S3),
    ("AmazonEC2", "APS1-SpotUsage:c5.large", COMPUTE),
    ("AmazonEC2", "USE1-NatGateway-Bytes", OTHER),
    ("AmazonRDS", "InstanceUsage:db.m5", "Amazon Relational Database Service"),
    ("AmazonBrandNew", "Hours", "AmazonBrandNew by name"),
]
LINES = st.builds(
    lambda account, service, kind, cost: Line(
        account, service[0], service[1], service[2], kind, cost
    ),
    st.sampled_from(["2" * 12, "3" * 12, "4" * 12]),
    st.sampled_from(SERVICES),
    st.sampled_from(["Usage", "Credit", "Refund", "Tax", "EdpDiscount", "Fee", "RIFee"]),
    st.decimals("-5000", "5000", places=10),
)


@settings(max_examples=20, deadline=None)
@given(st.lists(LINES, max_size=40), st.integers(1, 5))
def test_no_clean_bill_is_disputed(bill: list[Line], files: int) -> None:
    world = World(bill, [bill[n::files] for n in range(files)])
    assert world.reconcile() == "certified"


@settings(max_examples=20, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=20), st.data())
def test_any_single_line_lost_is_found_in_its_cell(bill: list[Line], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(bill) - 1))
    lost = replace(bill[at], cost=Decimal("1000.00"), kind="Usage")
    world = World([*bill, lost], [bill])
    assert world.reconcile() == "disputed"
    assert cells(world)[lost.account[0], lost.shown, "Usage"] == "-1000.00"


def test_an_empty_month_that_is_over_is_certified() -> None:
    world = World([], [[]], now=datetime(2026, 12, 1, tzinfo=UTC))
    assert world.reconcile() == "certified"

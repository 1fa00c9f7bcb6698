"""Explanations in a whole reconciliation: what they rest on is looked up, kept and carried on."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cloudspend.accounts.model import Export, ExportKind, Member
from cloudspend.collect.ports import NotAvailable
from cloudspend.errors import PermissionDenied, TransientError
from cloudspend.lake.model import Generation, GenerationState
from cloudspend.reconcile.invoice import NONE_ISSUED, STILL_OPEN, Invoice, invoices_of
from cloudspend.reconcile.reconcile import reconcile
from tests.fakes.collecting import FakeServices
from tests.unit.reconcile.reconcile_bills import (
    ACCOUNT,
    AFTER,
    COMPUTE,
    DURING,
    OTHER,
    PAYER,
    PERIOD,
    S3,
    STATE,
    Line,
    World,
    usage,
)

BILL = [
    usage(2, "AmazonS3", S3, "20.10"),
    usage(2, "AmazonEC2", COMPUTE, "100.00", "USE2-BoxUsage:m5.large"),
    usage(3, "AmazonEC2", OTHER, "7.25", "EUC1-EBS:VolumeUsage.gp3"),
]
IN_SEPTEMBER = datetime(2026, 9, 20, tzinfo=UTC)
IN_OCTOBER = datetime(2026, 10, 20, tzinfo=UTC)


def member(account: str, joined: datetime = IN_SEPTEMBER, left: datetime | None = None) -> Member:
    return Member(account, "A", "ACTIVE", joined, left or AFTER, left)


REFUND = replace(BILL[0], kind="Refund", cost=Decimal("-5.50"))


def explanations(world: World) -> dict[tuple[str, str], tuple[str, float]]:
    return {
        (row["service"], row["charge_type"]): (row["explained_by"], row["explained"])
        for row in world.read("reconciliation_cells")
        if row["explained_by"]
    }


def certified() -> World:
    world = World(BILL, [BILL])
    assert world.reconcile() == "certified"
    world.now += timedelta(days=2)
    return world


def test_a_refund_after_closing_is_explained_and_the_certificate_withdrawn() -> None:
    world = certified()
    world.aws_says([*BILL, REFUND])

    assert world.reconcile() == "provisional"

    assert world.bus.kinds == ["PeriodCertified", "CertificateWithdrawn", "PeriodProvisional"]
    withdrawn = world.bus.events[1]
    assert withdrawn.details["difference"] == "-5.50"
    assert withdrawn.details["changes"] == [
        {
            "account": "222222222222",
            "service": S3,
            "before": "20.10",
            "after": "14.60",
            "difference": "-5.50",
        }
    ]
    assert explanations(world) == {(S3, "Refund"): ("late correction", 5.5)}
    assert (world.details["residual"], world.details["explained"]) == ("0.00", "5.50")
    assert "until 2026-11-06 07:08 both sides said the same" in world.details["reason"]


CREDIT_MEMO = Invoice("124", REFUND.cost, "USD")


@pytest.mark.parametrize(
    ("more", "verdict"),
    [([CREDIT_MEMO], "provisional"), ([replace(CREDIT_MEMO, total=Decimal(-9))], "disputed")],
    ids=["what is to come", "more than that"],
)
def test_a_credit_memo_disputes_nothing_before_the_export_has_the_refund(
    more: list[Invoice], verdict: str
) -> None:
    world = certified()
    world.invoices = [Invoice("123", Decimal("127.35"), "USD"), *more]
    world.aws_says([*BILL, REFUND])
    assert world.reconcile() == verdict


def test_two_wrong_invoices_do_not_make_up_for_each_other() -> None:
    split = [replace(BILL[0], invoice="122"), *BILL[1:]]
    stated = [Invoice("122", Decimal("30.10"), "USD"), Invoice("123", Decimal("97.25"), "USD")]
    world = World(split, [split], invoices=stated)
    assert world.reconcile() == "disputed"
    assert "2 of 2 invoices differ" in world.details["reason"]


def test_the_delivery_that_brings_the_refund_certifies_again() -> None:
    world = certified()
    world.aws_says([*BILL, REFUND])
    world.reconcile()
    world.publish("20261108T120000Z-0000beef", [[*BILL, REFUND]])
    assert world.reconcile() == "certified"


def test_a_refund_that_never_arrives_is_a_mismatch_in_the_end() -> None:
    world = certified()
    world.aws_says([*BILL, REFUND])
    for _ in range(4):
        assert world.reconcile() == "provisional"
        world.now += timedelta(days=1)
    assert world.reconcile() == "disputed"
    assert world.details["cells"][0]["residual"] == "5.50"


def test_a_cost_that_aws_shifts_between_linked_accounts_is_told_by_account() -> None:
    world = certified()
    world.aws_says([replace(BILL[0], account="4" * 12), *BILL[1:]])
    assert world.reconcile() == "provisional"
    changes = world.bus.events[1].details["changes"]
    assert {(c["account"][0], c["difference"]) for c in changes} == {
        ("2", "-20.10"),
        ("4", "20.10"),
    }


def test_with_a_newer_delivery_known_nothing_is_awaited() -> None:
    world = certified()
    world.aws_says([*BILL, REFUND])
    later = AFTER + timedelta(days=1)
    world.registry.generations = [
        Generation(
            PAYER, PERIOD, f"{later:%Y%m%dT%H%M%SZ}-00001234", "d", later, "b", "k",
            GenerationState.CHECKED,
        )
    ]  # fmt: skip
    assert world.reconcile() == "disputed"


def test_an_old_generation_is_not_explained_by_what_a_newer_one_agreed_on() -> None:
    world = World([*BILL, REFUND], [[*BILL, REFUND]])
    assert world.reconcile() == "certified"
    world.publish("20261101T000000Z-0000aaaa", [BILL])
    world.now += timedelta(hours=5)
    assert world.reconcile() == "disputed"
    assert world.details["cells"][0]["charge_type"] == "Refund"


def test_what_is_said_daily_is_said_once() -> None:
    world = World(BILL, [BILL[:1]])
    for _ in range(3):
        world.reconcile()
        world.now += timedelta(days=1)
    assert world.bus.kinds == ["PeriodDisputed"]


YESTERDAY = replace(BILL[0], day=DURING.date() - timedelta(days=1), cost=Decimal("9"))
GENERATION = f"{DURING:%Y%m%dT%H%M%SZ}-0000abcd"


def test_an_open_month_whose_delivery_lags_is_explained_by_its_last_days() -> None:
    world = World([*BILL, YESTERDAY], [BILL], now=DURING, generation=GENERATION)
    assert world.reconcile() == "provisional"
    assert explanations(world) == {(S3, "Usage"): ("delivery lags", -9.0)}
    assert world.details["residual"] == "0.00"
    assert world.read("reconciliation")[0]["ce_requests"] == 4


def test_a_day_that_is_missing_before_the_last_ones_is_a_mismatch() -> None:
    lost = replace(YESTERDAY, day=DURING.date() - timedelta(days=5))
    world = World([*BILL, lost, YESTERDAY], [BILL], now=DURING, generation=GENERATION)
    assert world.reconcile() == "disputed"
    [cell] = [c for c in world.details["cells"] if c["charge_type"] == "Usage"]
    assert cell["residual"] == "-9.00"


FEE = Line(
    "2" * 12, "ComputeSavingsPlans", "ComputeSP:1yrAllUpfront",
    "Savings Plans for AWS Compute usage", "SavingsPlanUpfrontFee",
    Decimal("876"), Decimal(0), day=date(2026, 11, 1),
)  # fmt: skip


def test_a_fee_with_a_date_of_the_next_month_is_explained_where_cost_explorer_shows_it() -> None:
    world = World(BILL, [[*BILL, FEE]])
    assert world.reconcile() == "certified"
    assert "1 of them after an explanation" in world.details["reason"]
    [(rule, explained)] = explanations(world).values()
    assert (rule, explained) == ("fee on another date", 876.0)


def test_the_same_fee_with_a_date_of_the_month_is_a_mismatch() -> None:
    world = World(BILL, [[*BILL, replace(FEE, day=date(2026, 10, 31))]])
    assert world.reconcile() == "disputed"


def test_net_figures_are_compared_where_the_export_has_them() -> None:
    wrong = [replace(BILL[0], net_amortized=Decimal("18")), *BILL[1:]]
    world = World(BILL, [wrong])
    assert world.reconcile() == "disputed"
    [cell] = world.details["cells"]
    assert (cell["charge_type"], cell["residual"]) == ("Usage (net effective cost)", "-2.10")

    focus = replace(ACCOUNT, export=Export(ExportKind.FOCUS_1_2, "bucket", "prefix", "name"))
    world = World(BILL, [wrong], account=focus)
    assert world.reconcile() == "certified"
    assert world.read("reconciliation")[0]["net_effective_residual"] is None


@pytest.mark.parametrize(
    ("invoices", "verdict"),
    [
        ([Invoice("123", Decimal("127.35"), "USD")], "certified"),
        ([Invoice("123", Decimal("127.36"), "USD")], "certified"),
        ([Invoice("123", Decimal("127.40"), "USD")], "disputed"),
        ([Invoice("123", Decimal("140"), "USD"), Invoice("123", Decimal("-12.65"), "USD")],
         "certified"),
        ([Invoice("999", Decimal("5"), "USD")], "disputed"),
        ([Invoice("123", Decimal("999"), "EUR")], "certified"),
        ([], "certified"),
    ],
    ids=["same", "a cent", "more", "with a credit memo", "unknown", "other currency", "none"],
)  # fmt: skip
def test_a_final_bill_is_what_was_invoiced(invoices: list[Invoice], verdict: str) -> None:
    world = World(BILL, [BILL], invoices=invoices)
    assert world.reconcile() == verdict
    if verdict == "disputed":
        assert "1 of 1 invoices differ" in world.details["reason"]
    [row] = world.read("reconciliation")
    stated = {invoice.invoice_id for invoice in invoices if invoice.currency == "USD"}
    assert row["invoices"] == (len(stated) or None)
    assert (row["invoices_missing_because"] is None) is bool(stated)


@pytest.mark.parametrize(
    ("answer", "stated"),
    [
        (PermissionDenied("It is denied.", remedy="Allow it."), "It is denied. Allow it."),
        (NotAvailable("AWS has nothing.", remedy=""), "AWS has nothing."),
        (lambda _: {"InvoiceSummaries": []}, NONE_ISSUED),
    ],
    ids=["denied", "not available", "paid for by another account"],
)  # fmt: skip
def test_without_invoices_a_bill_is_certified_and_says_why_there_are_none(
    answer: Any, stated: str
) -> None:
    read = invoices_of(FakeServices(list_invoice_summaries=answer), PAYER)
    world = World(BILL, [BILL])
    state = STATE | {"generation": world.generation}
    outcome = reconcile(state, ACCOUNT, world.api, world.platform, AFTER, read)
    assert outcome["verdict"] == "certified"
    assert "invoices say the same" not in world.details["reason"]
    [row] = world.read("reconciliation")
    figures = ("invoices", "invoiced", "invoice_residual")
    assert {row[name] for name in figures} == {None}
    assert row["invoices_missing_because"] == stated


def test_invoices_that_cannot_be_read_just_now_are_asked_for_again() -> None:
    read = invoices_of(FakeServices(list_invoice_summaries=TransientError("Throttled.")), PAYER)
    with pytest.raises(TransientError, match="Throttled"):
        read(PERIOD)


def test_an_open_bill_is_not_held_to_invoices() -> None:
    world = World(BILL, [BILL], now=DURING, invoices=[Invoice("123", Decimal(1), "USD")])
    assert world.reconcile() == "provisional"
    [row] = world.read("reconciliation")
    assert row["invoices_missing_because"] == STILL_OPEN


@pytest.mark.parametrize(
    ("members", "absent", "unexpected"),
    [
        ([], None, None),
        ([member("222222222222"), member("333333333333")], "", ""),
        ([member("222222222222")], "", "333333333333"),
        (
            [member(one) for one in ("222222222222", "333333333333", "444444444444")],
            "444444444444",
            "",
        ),
        # Who left in the month is expected in it, who left before is not.
        ([member("222222222222"), member("333333333333", left=IN_OCTOBER)], "", ""),
        ([member("222222222222"), member("333333333333", left=IN_SEPTEMBER)], "", "333333333333"),
        ([member("222222222222"), member("333333333333", joined=AFTER)], "", "333333333333"),
    ],
)
def test_the_members_of_the_month_are_expected_in_its_bill(
    members: list[Member], absent: str | None, unexpected: str | None
) -> None:
    world = World(BILL, [BILL])
    world.platform = replace(
        world.platform, members=lambda account: members if account == PAYER else []
    )
    assert world.reconcile() == "certified"
    [row] = world.read("reconciliation")
    assert (row["members_absent"], row["members_unexpected"]) == (absent, unexpected)


def test_coverage_and_freshness_stand_beside_the_verdict() -> None:
    new = usage(5, "AmazonBrandNew", "AmazonBrandNew by name", "3")
    world = World([*BILL, new], [[*BILL, usage(6, "AmazonRDS", "Amazon RDS", "0")]])
    world.reconcile()
    [row] = world.read("reconciliation")
    assert (row["services_missing"], row["accounts_missing"]) == (
        "AmazonBrandNew by name",
        "555555555555",
    )
    assert (row["services_extra"], row["accounts_extra"]) == (
        "Amazon Relational Database Service",
        "666666666666",
    )
    assert row["newest_charge"] == "2026-10-15"
    assert (row["charge_age_hours"], row["fresh"]) == (16 * 24, False)
    world.account = replace(ACCOUNT, fresh_hours=16 * 24)
    world.reconcile()
    assert world.read("reconciliation")[0]["fresh"] is True
    assert row["delivered_at"] == datetime.fromisoformat("2026-11-05T00:00:00+00:00")

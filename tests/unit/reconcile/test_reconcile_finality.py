"""When a bill is closed: by invoice ids, and by time and steadiness where there are none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudspend.accounts.model import ExportKind
from cloudspend.lake.model import GenerationState, Totals
from cloudspend.reconcile.finality import SETTLED, STEADY, Finality, unchanged_since
from cloudspend.reconcile.reconcile import reconcile
from tests.fakes.lake import NEW, NEWEST, OLD, PERIOD, TOTALS, a_generation, a_published
from tests.unit.reconcile.reconcile_bills import ACCOUNT, GENERATION, PAYER, STATE, World, usage

END = PERIOD.end
BY_INVOICE = Finality(END, END + timedelta(days=4), 3, 0, estimated=False)
LATER = END + SETTLED
BY_TIME = Finality(END, LATER, 3, 3, estimated=False, unchanged_since=LATER - STEADY)
SECOND = timedelta(seconds=1)
MORE = replace(TOTALS, billed_cost=Decimal(13))


@pytest.mark.parametrize(
    ("finality", "why"),
    [
        (BY_INVOICE, ""),
        (replace(BY_INVOICE, now=END - SECOND), "The month is not over."),
        (replace(BY_INVOICE, rows_without_invoice=1), "1 of 3 rows have no invoice id."),
        (replace(BY_INVOICE, estimated=True), "an estimate."),
        (BY_TIME, ""),
        (replace(BY_TIME, now=END - SECOND), "The month is not over."),
        (replace(BY_TIME, now=LATER - SECOND), "on 2026-11-08 00:00 UTC at the earliest."),
        (replace(BY_TIME, unchanged_since=LATER - STEADY + SECOND), "has not changed for 3 days"),
        (replace(BY_TIME, estimated=True), "an estimate."),
    ],
)
def test_the_missing_sign_is_said(finality: Finality, why: str) -> None:
    assert (why in finality.why_open) if why else not finality.why_open


def test_invoice_ids_that_an_export_cannot_have_are_not_waited_for() -> None:
    assert replace(BY_TIME, unchanged_since=None).why_open
    assert not BY_TIME.why_open


def kept(name: str, totals: Totals = TOTALS) -> object:
    return a_generation(name, totals=totals, state=GenerationState.PUBLISHED)


FIRST, SECOND_DAY, THIRD = (a_generation(name).delivered_at for name in (OLD, NEW, NEWEST))


@pytest.mark.parametrize(
    ("held", "since"),
    [
        ([kept(OLD), kept(NEW), kept(NEWEST)], FIRST),
        ([kept(OLD, MORE), kept(NEW), kept(NEWEST)], SECOND_DAY),
        ([kept(OLD), kept(NEW, MORE), kept(NEWEST)], THIRD),
        ([kept(OLD), a_generation(NEW, state=GenerationState.FAILED), kept(NEWEST)], FIRST),
        ([], a_published().published_at),
    ],
)
def test_figures_are_unchanged_since_they_were_first_delivered_unbroken(
    held: list[object], since: datetime
) -> None:
    assert unchanged_since(a_published(NEWEST), held) == since  # type: ignore[arg-type]


def test_deliveries_after_the_one_that_readers_see_do_not_count() -> None:
    held = [kept(OLD), kept(NEW), kept(NEWEST, MORE)]
    assert unchanged_since(a_published(NEW), held) == FIRST  # type: ignore[arg-type]


@given(st.integers(0, 60 * 24 * 40), st.integers(0, 60 * 24 * 40))
def test_once_closed_it_stays_closed_while_the_figures_stand(first: int, more: int) -> None:
    now = END + timedelta(minutes=first)
    finality = replace(BY_TIME, now=now, unchanged_since=END)
    later = replace(finality, now=now + timedelta(minutes=more))
    assert finality.why_open or not later.why_open


BILL = [replace(usage(2, "AmazonS3", "Amazon Simple Storage Service", "20.10"), invoice="")]
FOCUS = replace(ACCOUNT, export=replace(ACCOUNT.export, kind=ExportKind.FOCUS_1_0))


def verdict(world: World, days: int, delivered: int) -> str:
    """A FOCUS 1.0 month compared `days` after its end, delivered with these figures on the day
    `delivered` after it and again on the last."""
    current = world.registry.pointer(PAYER, world.api.period)
    assert current
    world.registry.generations = [
        a_generation(name, account_id=PAYER, period=current.period, totals=current.totals)
        for name in (f"202611{delivered:02}T000000Z-00000000", GENERATION)
    ]
    now = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=days)
    return str(reconcile(STATE, FOCUS, world.api, world.platform, now)["verdict"])


@pytest.mark.parametrize(
    ("days", "delivered", "wanted"),
    [(6, 2, "provisional"), (7, 2, "certified"), (7, 5, "certified")],
)
def test_a_focus_1_0_month_becomes_final_without_an_invoice_id(
    days: int, delivered: int, wanted: str
) -> None:
    assert verdict(World(BILL, [BILL]), days, delivered) == wanted


def test_a_focus_1_0_month_that_differs_is_disputed_once_it_is_final() -> None:
    other = [replace(BILL[0], cost=Decimal("20.20"))]
    assert verdict(World(BILL, [other]), 6, 2) == "provisional"
    assert verdict(World(BILL, [other]), 7, 2) == "disputed"


def test_an_estimate_of_cost_explorer_keeps_a_focus_1_0_month_open() -> None:
    assert verdict(World(BILL, [BILL], estimated=True), 30, 2) == "provisional"

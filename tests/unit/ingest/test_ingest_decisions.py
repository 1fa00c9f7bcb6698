"""What to do with a delivery, two totals, a pointer."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cloudspend.exports.model import BillingPeriod
from cloudspend.ingest.decisions import (
    Advance,
    Ingest,
    Repeat,
    Skip,
    Superseded,
    decide_ingest,
    decide_publish,
    restates,
)
from cloudspend.lake.model import Generation, GenerationState, PublishedPeriod, Totals
from cloudspend.lake.totals import differences
from tests.fakes.lake import NEW, NEWEST, NOW, OLD, PERIOD, TOTALS, a_generation, a_published

PUBLISHED = a_generation(NEW, state=GenerationState.PUBLISHED)
FAILED = a_generation(NEW, state=GenerationState.FAILED)
RECONCILED = a_published(NEW, reconciled_at=NOW, residual=Decimal(0))
UNAVAILABLE = a_published(NEW, reconciled_at=NOW)


@pytest.mark.parametrize(
    ("pointer", "existing", "kind"),
    [
        (None, None, Ingest),
        (None, FAILED, Ingest),
        (a_published(OLD), None, Ingest),
        (RECONCILED, PUBLISHED, Skip),
        # its execution ended between moving the pointer and saying so, or before reconciling
        (RECONCILED, a_generation(NEW, state=GenerationState.CHECKED), Ingest),
        (a_published(NEW), PUBLISHED, Ingest),
        # Cost Explorer could not be asked
        (UNAVAILABLE, PUBLISHED, Ingest),
    ],
)
def test_whether_a_delivery_is_taken_in(
    pointer: PublishedPeriod | None, existing: Generation | None, kind: type[Ingest | Skip]
) -> None:
    assert type(decide_ingest(NEW, pointer, existing)) is kind


@pytest.mark.parametrize("existing", [None, a_generation(OLD, state=GenerationState.FAILED)])
def test_an_older_delivery_is_superseded(existing: Generation | None) -> None:
    decision = decide_ingest(OLD, a_published(NEW), existing)
    assert decision == Skip(f"The newer delivery {NEW} is published.", superseded=True)


def test_where_the_pointer_goes() -> None:
    assert decide_publish(NEW, None) == Advance(None)
    assert decide_publish(NEW, a_published(OLD)) == Advance(OLD)
    assert decide_publish(NEW, a_published(NEW)) == Repeat()
    assert decide_publish(OLD, a_published(NEW)) == Superseded(
        f"The newer delivery {NEW} is published."
    )


HELD = a_published(OLD, rolled_back_from=NEW)


def test_a_period_that_was_rolled_back_waits_for_a_newer_delivery() -> None:
    assert type(decide_publish(NEW, HELD)) is Superseded
    assert decide_publish(OLD, HELD) == Repeat()
    assert decide_publish(NEWEST, HELD) == Advance(OLD)
    assert type(decide_ingest(NEW, HELD, PUBLISHED)) is Skip
    assert (
        type(decide_ingest(OLD, HELD, a_generation(OLD, state=GenerationState.PUBLISHED))) is Ingest
    )
    assert type(decide_ingest(NEWEST, HELD, None)) is Ingest


def test_a_month_that_is_over_is_restated_and_a_running_one_grows() -> None:
    assert restates("20261101T000000Z-aaaaaaaa", PERIOD)
    assert not restates("20261031T235959Z-aaaaaaaa", PERIOD)
    assert not restates(OLD, BillingPeriod(2026, 11))


@pytest.mark.parametrize("apart", ["0", "0.000000001", "-0.000000001"])
def test_rounding_is_no_difference(apart: str) -> None:
    found = replace(TOTALS, billed_cost=TOTALS.billed_cost + Decimal(apart))
    assert differences(TOTALS, found) == ()


def test_a_doubles_rounding_of_a_large_row_is_no_difference() -> None:
    written = Decimal("123456789012.3456789")
    read = Decimal(repr(float(written)))
    assert read != written
    expected = Totals(1, written, written, "USD", written)
    assert (
        differences(
            expected, replace(expected, billed_cost=read, effective_cost=read, list_cost=read)
        )
        == ()
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rows": 3}, "3 rows instead of 2"),
        ({"billed_cost": Decimal("12.51")}, "billed cost 12.51 instead of 12.5"),
        ({"effective_cost": Decimal("10.2499")}, "effective cost"),
        ({"list_cost": Decimal("15.7")}, "list cost 15.7 instead of 15.75"),
        # a cent of a cent counts, where the amount is small
        ({"billed_cost": Decimal("12.500001")}, "billed cost"),
    ],
)
def test_what_differs_is_said(change: dict[str, Any], words: str) -> None:
    wrong = differences(TOTALS, replace(TOTALS, **change))
    assert len(wrong) == 1
    assert words in wrong[0]

"""A finding is reported once, again when it is worse, and once when it is over."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudspend.alerts.event import Severity
from cloudspend.findings.decide import (
    Raise,
    Resolve,
    Suppress,
    Update,
    after,
    decide,
    first,
)
from cloudspend.findings.model import Finding, Observation
from tests.unit.findings.findings_world import A_DAY, ANOMALY, NOW, observed

ACCOUNT = "111111111111"
KNOWN = first(ACCOUNT, ANOMALY, NOW)
GONE = KNOWN.closed(NOW)
CLOSED = KNOWN.closed(NOW, by="a new customer")
MUTED = KNOWN.muted(NOW + 5 * A_DAY, "a test")
LATER = NOW + A_DAY


@pytest.mark.parametrize(
    ("known", "seen", "now", "kind", "tell"),
    [
        (None, ANOMALY, NOW, Raise, True),
        (None, None, NOW, Suppress, None),
        (KNOWN, ANOMALY, LATER, Suppress, None),
        (KNOWN, observed(reason="In other words."), LATER, Suppress, None),
        (KNOWN, observed(amount=Decimal(149)), LATER, Update, False),
        (KNOWN, observed(amount=Decimal(150)), LATER, Update, True),
        (KNOWN, observed(severity=Severity.CRITICAL), LATER, Update, True),
        (KNOWN, observed(severity=Severity.INFO), LATER, Update, False),
        (KNOWN, observed(mark="another"), LATER, Update, True),
        (KNOWN, None, LATER, Resolve, True),
        (GONE, None, LATER, Suppress, None),
        (GONE, ANOMALY, NOW + timedelta(days=3), Raise, True),
        (GONE, ANOMALY, NOW + timedelta(days=2, hours=23, minutes=59), Raise, False),
        (GONE, ANOMALY, LATER, Raise, False),
        (GONE, observed(amount=Decimal(400)), LATER, Raise, True),
        (CLOSED, ANOMALY, NOW + 60 * A_DAY, Suppress, None),
        (CLOSED, observed(amount=Decimal(400)), LATER, Raise, True),
        (MUTED, observed(amount=Decimal(900)), LATER, Update, False),
        (MUTED, ANOMALY, LATER, Suppress, None),
        (MUTED, None, LATER, Resolve, False),
        (MUTED, ANOMALY, NOW + 6 * A_DAY, Update, True),
    ],
)
def test_what_becomes_of_an_observation(
    known: Finding | None, seen: Observation | None, now: Any, kind: type, tell: bool | None
) -> None:
    decision = decide(known, seen, now)
    assert type(decision) is kind
    assert getattr(decision, "tell", None) is tell
    assert decision.reason


def test_what_grows_slowly_is_told_again_once_it_has_grown_by_half_in_all() -> None:
    known, stated = KNOWN, []
    for day in range(1, 8):
        seen, now = observed(amount=Decimal(100 + 10 * day)), NOW + day * A_DAY
        decision = decide(known, seen, now)
        stated.append(isinstance(decision, Update) and decision.tell)
        known = after(decision, known, seen, now)
    assert stated == [False] * 4 + [True] + [False] * 2
    assert known.changes == 2


def test_a_mute_that_is_over_is_told_once_and_forgotten() -> None:
    now = NOW + 6 * A_DAY
    known = after(decide(MUTED, ANOMALY, now), MUTED, ANOMALY, now)
    assert known.muted_until is None
    assert isinstance(decide(known, ANOMALY, now), Suppress)


def test_what_a_person_closed_is_raised_again_after_it_was_gone() -> None:
    gone = after(decide(CLOSED, None, LATER), CLOSED, None, LATER)
    assert isinstance(decide(gone, ANOMALY, NOW + 30 * A_DAY), Raise)


@given(st.lists(st.booleans(), max_size=60))
def test_what_comes_and_goes_every_day_never_floods(days: list[bool]) -> None:
    known: Finding | None = None
    stated = []
    for day, there in enumerate(days):
        now, seen = NOW + day * A_DAY, ANOMALY if there else None
        decision = decide(known, seen, now)
        if not isinstance(decision, Suppress) and decision.tell:
            stated.append(now)
        known = after(decision, known, seen, now) if known else seen and first(ACCOUNT, seen, now)
    # Reported when it is there and when it is over, and what is back within three days is not.
    raises = stated[::2]
    assert all(later - earlier > timedelta(days=3) for earlier, later in pairwise(raises))


def test_repeats_of_a_day_tell_nothing() -> None:
    decision = decide(KNOWN, ANOMALY, NOW)
    assert after(decision, KNOWN, ANOMALY, NOW) == KNOWN

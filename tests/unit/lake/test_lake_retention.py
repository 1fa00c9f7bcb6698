"""Expiry removes all that is too old, never what readers see or a rollback needs."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import AccountInventory, Generation, GenerationState, PublishedPeriod
from cloudspend.lake.retention import READERS_LEAVE, RetentionPolicy, due, kept_since
from tests.fakes.lake import a_generation, a_published
from tests.unit.sweep.sweep_world import ACTIVE, NOW, OCTOBER, months_before, named

KEEPS_13 = replace(ACTIVE, retention_months=13)


@pytest.mark.parametrize(
    ("now", "oldest"),
    [
        ("2026-11-23T10:00:00+00:00", "2025-10"),
        ("2026-12-31T23:59:59+00:00", "2025-11"),
        ("2027-01-01T00:00:00+00:00", "2025-12"),
        ("2027-01-01T00:30:00+01:00", "2025-11"),
    ],
)
def test_the_running_month_and_as_many_before_it_are_kept(now: str, oldest: str) -> None:
    assert str(kept_since(KEEPS_13, datetime.fromisoformat(now))) == oldest


def test_who_names_no_retention_keeps_all() -> None:
    assert kept_since(ACTIVE, NOW) is None
    old = BillingPeriod(2001, 1)
    pointer = a_published(period=old)
    holdings = AccountInventory((pointer,), (a_generation(pointer.generation, period=old),))
    assert due(ACTIVE, holdings, RetentionPolicy(), NOW).retire == ()


def of_october(
    *days_ago: int, state: GenerationState = GenerationState.PUBLISHED
) -> AccountInventory:
    """Generations delivered so many days ago, oldest first, of which the last is current."""
    moments = [NOW - timedelta(days=days) for days in days_ago]
    generations = tuple(a_generation(named(at), delivered_at=at, state=state) for at in moments)
    return AccountInventory((a_published(generations[-1].generation),), generations)


@pytest.mark.parametrize(
    ("kept", "days_ago", "expired"),
    [
        (RetentionPolicy(3, 7), (40, 30, 20, 10, 9), 1),
        (RetentionPolicy(3, 7), (40, 30, 20, 10, 6, 5, 4, 3, 1), 4),
        (RetentionPolicy(1, 7), (40, 30, 20), 1),
        (RetentionPolicy(0, 0), (40, 30, 20), 2),
        (RetentionPolicy(3, 7), (40, 30, 20), 0),
    ],
)
def test_the_newest_few_and_the_young_stay(
    kept: RetentionPolicy, days_ago: tuple[int, ...], expired: int
) -> None:
    holdings = of_october(*days_ago)
    assert due(ACTIVE, holdings, kept, NOW).expire == holdings.generations[:expired]


def test_what_never_was_published_does_not_count_among_the_newest_few() -> None:
    shown = of_october(40, 30, 5)
    failed = of_october(35, 33, 31, 29, state=GenerationState.FAILED).generations
    held = tuple(sorted((*shown.generations, *failed), key=lambda each: each.generation))
    expired = due(
        ACTIVE, AccountInventory(shown.published, held), RetentionPolicy(2, 7), NOW
    ).expire
    assert expired == failed


def test_after_a_rollback_the_newer_generation_stays() -> None:
    holdings = of_october(40, 30, 20)
    rolled_back = replace(holdings, published=(a_published(holdings.generations[0].generation),))
    expired = due(ACTIVE, rolled_back, RetentionPolicy(0, 0), NOW).expire
    assert expired == holdings.generations[1:2]


def test_objects_outlive_their_expiry_by_a_day() -> None:
    old, current = of_october(40, 30).generations
    for age, gone in ((READERS_LEAVE - timedelta(seconds=1), False), (READERS_LEAVE, True)):
        expired = replace(old, state=GenerationState.EXPIRED, expired_at=NOW - age)
        holdings = AccountInventory((a_published(current.generation),), (expired, current))
        assert bool(due(ACTIVE, holdings, RetentionPolicy(0, 0), NOW).remove) is gone


STATES = st.sampled_from([state for state in GenerationState if state is not state.EXPIRED])


@st.composite
def accounts_bills(draw: st.DrawFn) -> AccountInventory:
    """Any history of any number of months, with any generation current or none."""
    published: list[PublishedPeriod] = []
    generations: list[Generation] = []
    for period in months_before(OCTOBER, draw(st.integers(1, 20))):
        offsets = sorted(draw(st.sets(st.integers(0, 400), min_size=1, max_size=6)), reverse=True)
        of_it = []
        for hours in offsets:
            at = NOW - timedelta(hours=hours)
            expired = draw(st.booleans())
            state = GenerationState.EXPIRED if expired else draw(STATES)
            of_it.append(
                a_generation(
                    named(at),
                    period=period,
                    delivered_at=at,
                    state=state,
                    expired_at=NOW - timedelta(hours=draw(st.integers(0, 60))) if expired else None,
                )
            )
        generations += of_it
        current = draw(st.none() | st.sampled_from(of_it))
        if current:
            published.append(a_published(current.generation, period=period))
    return AccountInventory(tuple(published), tuple(generations))


@given(accounts_bills(), st.sampled_from([None, 13, 36]), st.integers(0, 3), st.integers(0, 9))
def test_of_a_kept_period_the_current_and_the_newest_generation_never_go(
    holdings: AccountInventory, months: int | None, generations: int, days: int
) -> None:
    account = replace(ACTIVE, retention_months=months)
    oldest = kept_since(account, NOW)
    gone = due(account, holdings, RetentionPolicy(generations, days), NOW)
    current = {(each.period, each.generation) for each in holdings.published}
    newest = {each.period: each.generation for each in holdings.generations}
    for each in gone.expire:
        assert (each.period, each.generation) not in current
        if oldest is None or each.period >= oldest:
            assert newest[each.period] != each.generation
    for each in gone.remove:
        assert (each.period, each.generation) not in current
        assert each.state is GenerationState.EXPIRED
        assert each.expired_at is not None
        assert NOW - each.expired_at >= READERS_LEAVE
    for pointer in gone.retire:
        assert oldest is not None
        assert pointer.period < oldest

"""States and their successors, and how each step is stored and reported."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudspend.accounts.lifecycle import (
    TRANSITIONS,
    state_after_connection_loss,
    transition,
    transitioned,
)
from cloudspend.accounts.model import AccountState, Change, ChangeCause
from cloudspend.accounts.ports import AccountChanged
from cloudspend.errors import UsageError
from tests.fakes.accounts import ACT, NOW, FakeAccounts, an_account
from tests.fakes.alerts import FakeBus

FORBIDDEN = [
    (before, after)
    for before in AccountState
    for after in AccountState
    if after not in TRANSITIONS[before]
]


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(AccountState)


def test_the_way_to_active_and_no_short_cut() -> None:
    account = an_account()
    for state in ("connected", "verifying", "backfilling", "active"):
        account = transitioned(account, AccountState(state), ACT)
    only_before = {state for state in AccountState if AccountState.ACTIVE in TRANSITIONS[state]}
    # degraded: by Sweep alone, which reaches again what it could not reach
    before = {AccountState.BACKFILLING, AccountState.ACTIVE, AccountState.DEGRADED}
    assert only_before == before


def test_nothing_is_removed_that_was_not_offboarded() -> None:
    before = {state for state in AccountState if AccountState.REMOVED in TRANSITIONS[state]}
    assert before == {AccountState.OFFBOARDING, AccountState.REMOVED}


@pytest.mark.parametrize("state", [s for s in AccountState if s is not AccountState.REMOVED])
def test_every_account_can_be_offboarded(state: AccountState) -> None:
    assert AccountState.OFFBOARDING in TRANSITIONS[state]


@pytest.mark.parametrize(("before", "after"), FORBIDDEN)
def test_what_may_not_follow_is_refused(before: AccountState, after: AccountState) -> None:
    registry, bus = FakeAccounts(account := an_account(state=before)), FakeBus()
    with pytest.raises(UsageError, match=f"is {before} and cannot become {after}"):
        transition(registry, bus, account, after, ACT)
    assert registry.get(account.account_id).state is before
    assert (registry.history(account.account_id), bus.events) == ([], [])


def test_a_transition_is_written_down_with_who_when_and_why_and_told() -> None:
    registry, bus = FakeAccounts(account := an_account(state=AccountState.VERIFYING)), FakeBus()
    act = ChangeCause("an operator", NOW, "The role is gone.")
    after = transition(registry, bus, account, AccountState.FAILED, act)
    assert registry.get(account.account_id) == after
    assert after.state_reason == "The role is gone."
    step = Change(
        1, AccountState.VERIFYING, AccountState.FAILED, NOW, "an operator", "The role is gone."
    )
    assert registry.history(account.account_id) == [step]
    assert bus.kinds == ["AccountStateChanged"]
    assert bus.events[0].details == {
        "before": "verifying",
        "after": "failed",
        "by": "an operator",
        "reason": "The role is gone.",
    }


def test_a_repeat_changes_nothing_and_is_told_as_the_same_event() -> None:
    registry, bus = FakeAccounts(account := an_account(state=AccountState.VERIFYING)), FakeBus()
    once = transition(registry, bus, account, AccountState.BACKFILLING, ACT)
    later = replace(ACT, at=NOW.replace(hour=12))
    assert transition(registry, bus, once, AccountState.BACKFILLING, later) == once
    assert len(registry.history(account.account_id)) == 1
    assert len(bus.events) == 2
    assert len({event.event_id for event in bus.events}) == 1


def test_a_transition_over_someone_else_s_is_refused() -> None:
    registry, bus = FakeAccounts(account := an_account(state=AccountState.BACKFILLING)), FakeBus()
    transition(registry, bus, account, AccountState.ACTIVE, ACT)
    with pytest.raises(AccountChanged):
        transition(registry, bus, account, AccountState.FAILED, ACT)
    assert [step.after for step in registry.history(account.account_id)] == [AccountState.ACTIVE]


def test_what_was_active_once_is_degraded_and_what_never_was_has_failed() -> None:
    assert state_after_connection_loss(an_account()) is AccountState.FAILED
    assert state_after_connection_loss(an_account(activated_at=NOW)) is AccountState.DEGRADED


@settings(deadline=None, max_examples=25)
@given(st.lists(st.sampled_from(list(AccountState)), max_size=12))
def test_a_history_tells_a_life_without_a_gap(wished: list[AccountState]) -> None:
    """Every step begins where the one before ended, and the last ends in the state."""
    registry, bus = FakeAccounts(account := an_account()), FakeBus()
    for state in wished:
        if state in TRANSITIONS[account.state]:
            account = transition(registry, bus, account, state, ACT)
    steps = registry.history(account.account_id)
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    ends = [AccountState.INVITED, *(step.after for step in steps)]
    assert [step.before for step in steps] == ends[:-1]
    assert ends[-1] is account.state
    assert len({event.event_id for event in bus.events}) == len(steps)

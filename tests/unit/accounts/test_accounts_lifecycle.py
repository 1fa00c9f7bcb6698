"""What may follow what."""

import pytest

from cloudspend.accounts.lifecycle import TRANSITIONS, moved, transition
from cloudspend.accounts.model import AccountState
from cloudspend.accounts.ports import AccountChanged
from cloudspend.errors import UsageError
from tests.fakes.accounts import FakeAccounts, an_account

FORBIDDEN = [
    (before, after)
    for before in AccountState
    for after in AccountState
    if after not in TRANSITIONS[before]
]


def test_the_way_to_active_and_no_short_cut() -> None:
    way = ["invited", "connected", "verifying", "active"]
    account = an_account()
    for state in way[1:]:
        account = moved(account, AccountState(state))
    only_before = {state for state in AccountState if AccountState.ACTIVE in TRANSITIONS[state]}
    assert only_before == {AccountState.VERIFYING, AccountState.ACTIVE}


@pytest.mark.parametrize(("before", "after"), FORBIDDEN)
def test_what_may_not_follow_is_refused(before: AccountState, after: AccountState) -> None:
    registry = FakeAccounts(account := an_account(state=before))
    with pytest.raises(UsageError, match=f"is {before} and cannot become {after}"):
        transition(registry, account, after)
    assert registry.get(account.account_id).state is before


def test_a_transition_is_written_down_with_its_reason() -> None:
    registry = FakeAccounts(account := an_account(state=AccountState.VERIFYING))
    after = transition(registry, account, AccountState.FAILED, "The role is gone.")
    assert registry.get(account.account_id) == after
    assert after.state_reason == "The role is gone."


def test_a_transition_over_someone_else_s_is_refused() -> None:
    registry = FakeAccounts(account := an_account(state=AccountState.VERIFYING))
    transition(registry, account, AccountState.ACTIVE)
    with pytest.raises(AccountChanged):
        transition(registry, account, AccountState.FAILED)

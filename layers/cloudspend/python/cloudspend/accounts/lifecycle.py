"""What may follow what in an account's life."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cloudspend.accounts.model import Account, AccountState
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.errors import UsageError

_INVITED = AccountState.INVITED
_CONNECTED = AccountState.CONNECTED
_VERIFYING = AccountState.VERIFYING
_ACTIVE = AccountState.ACTIVE
_FAILED = AccountState.FAILED

TRANSITIONS: Mapping[AccountState, frozenset[AccountState]] = {
    # an invitation that was lost or has expired is made again
    _INVITED: frozenset({_INVITED, _CONNECTED}),
    # connected again: the customer updated the stack before its first version was verified
    _CONNECTED: frozenset({_CONNECTED, _VERIFYING, _FAILED}),
    # verifying again: the execution before was stopped half-way
    _VERIFYING: frozenset({_VERIFYING, _ACTIVE, _CONNECTED, _FAILED}),
    # active again: the step was repeated
    _ACTIVE: frozenset({_ACTIVE, _CONNECTED, _VERIFYING, _FAILED}),
    # a mended role is verified again; a lost stack needs a new invitation
    _FAILED: frozenset({_FAILED, _INVITED, _CONNECTED, _VERIFYING}),
}


def moved(account: Account, state: AccountState, reason: str = "", **changes: Any) -> Account:
    """`account` in `state`, for `reason`. Raises UsageError when that may not follow."""
    if state not in TRANSITIONS[account.state]:
        allowed = ", ".join(sorted(TRANSITIONS[account.state]))
        raise UsageError(
            f"{account.display_name} ({account.account_id}) is {account.state} "
            f"and cannot become {state}.",
            remedy=f"From here it may become: {allowed}.",
        )
    return replace(account, state=state, state_reason=reason, **changes)


def transition(
    registry: AccountRegistry, account: Account, state: AccountState, reason: str = ""
) -> Account:
    """Move `account` and write it down, unless it already is so.

    Raises UsageError when `state` may not follow, AccountChanged when the registry holds another
    version of the account by now.
    """
    after = moved(account, state, reason)
    if after != account:
        registry.save(account, after)
    return after

"""What may follow what in an account's life. Each step is told as an event and kept as history."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cloudspend.accounts.model import Account, AccountState, Change, ChangeCause
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.access import AccountDegraded, OnboardingFailed
from cloudspend.alerts.catalog.accounts import AccountStateChanged
from cloudspend.alerts.event import Bus
from cloudspend.errors import UsageError

_INVITED = AccountState.INVITED
_CONNECTED = AccountState.CONNECTED
_VERIFYING = AccountState.VERIFYING
_BACKFILLING = AccountState.BACKFILLING
_ACTIVE = AccountState.ACTIVE
_DEGRADED = AccountState.DEGRADED
_SUSPENDED = AccountState.SUSPENDED
_OFFBOARDING = AccountState.OFFBOARDING
_REMOVED = AccountState.REMOVED
_FAILED = AccountState.FAILED

# Whatever an account is at, its operator may have it rest or leave.
_ENDS = frozenset({_SUSPENDED, _OFFBOARDING})

TRANSITIONS: Mapping[AccountState, frozenset[AccountState]] = {
    # an invitation that was lost or has expired is made again
    _INVITED: frozenset({_INVITED, _CONNECTED, _OFFBOARDING}),
    # connected again: the customer updated the stack before its first version was verified
    _CONNECTED: frozenset({_CONNECTED, _VERIFYING, _DEGRADED, _FAILED}) | _ENDS,
    # verifying again: the execution before was stopped half-way
    _VERIFYING: frozenset({_VERIFYING, _BACKFILLING, _CONNECTED, _DEGRADED, _FAILED}) | _ENDS,
    # backfilling again: the step was repeated
    _BACKFILLING: (
        frozenset({_BACKFILLING, _ACTIVE, _CONNECTED, _VERIFYING, _DEGRADED, _FAILED}) | _ENDS
    ),
    # active again: the step was repeated
    _ACTIVE: frozenset({_ACTIVE, _CONNECTED, _VERIFYING, _DEGRADED}) | _ENDS,
    # what was active once and lost something: mended by a check, or by a new invitation; active:
    # Sweep could not reach it, and does again
    _DEGRADED: frozenset({_DEGRADED, _ACTIVE, _INVITED, _CONNECTED, _VERIFYING}) | _ENDS,
    # connected: resumed, and to be verified; suspended again: its customer updated the stack
    _SUSPENDED: frozenset({_CONNECTED}) | _ENDS,
    # offboarding again: the execution before was stopped half-way
    _OFFBOARDING: frozenset({_OFFBOARDING, _REMOVED}),
    # offboarding again: what was kept is to go as well
    _REMOVED: frozenset({_REMOVED, _INVITED, _OFFBOARDING}),
    # what never was active: a mended role is verified again; a lost stack needs a new invitation
    _FAILED: frozenset({_FAILED, _INVITED, _CONNECTED, _VERIFYING}) | _ENDS,
}


def transitioned(
    account: Account, state: AccountState, act: ChangeCause, **changes: Any
) -> Account:
    """`account` in `state`, with the step in `last_change`; the same account where it all is so
    already. Raises UsageError when that may not follow."""
    if state not in TRANSITIONS[account.state]:
        allowed = ", ".join(sorted(TRANSITIONS[account.state]))
        raise UsageError(
            f"{account.display_name} ({account.account_id}) is {account.state} "
            f"and cannot become {state}.",
            remedy=f"From here it may become: {allowed}.",
        )
    after = replace(account, state=state, state_reason=act.reason, **changes)
    return account if after == account else with_step(after, account, act)


def with_step(after: Account, before: Account | None, act: ChangeCause) -> Account:
    """`after` with the step from `before` in its `last_change`."""
    last = before.last_change if before else None
    number = last.number + 1 if last else 1
    state = before.state if before else None
    step = Change(number, state, after.state, act.at, act.by, act.reason)
    return replace(after, last_change=step)


def state_after_connection_loss(account: Account) -> AccountState:
    """What an account becomes whose connection does not hold: DEGRADED if it ever was active."""
    return _DEGRADED if account.activated_at else _FAILED


def publish_state_change(account: Account, bus: Bus) -> None:
    """Announce the account's last step; the same event however often it is told."""
    change = account.last_change
    if change is None:
        return
    bus.put(
        event(
            AccountStateChanged(
                before=change.before, after=change.after, by=change.by, reason=change.reason or None
            ),
            account.for_events,
            f"{change.number} {change.at.isoformat()}",
        )
    )


def transition(
    registry: AccountRegistry,
    bus: Bus,
    account: Account,
    state: AccountState,
    act: ChangeCause,
    **changes: Any,
) -> Account:
    """Move `account`, write the step down, and tell it; a repeat tells it again.

    Raises UsageError when `state` may not follow, AccountChanged when the registry holds another
    version of the account by now.
    """
    after = transitioned(account, state, act, **changes)
    if after != account:
        registry.save(account, after)
    publish_state_change(after, bus)
    return after


def connection_lost(state: AccountState) -> type[AccountDegraded | OnboardingFailed]:
    """Return the event for an account that enters `state` because its connection fails."""
    return AccountDegraded if state is AccountState.DEGRADED else OnboardingFailed

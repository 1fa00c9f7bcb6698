"""Account state machine: the allowed transitions, and the event and history entry of each one."""

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

# An operator can suspend or offboard an account in any of these states.
_ENDS = frozenset({_SUSPENDED, _OFFBOARDING})

TRANSITIONS: Mapping[AccountState, frozenset[AccountState]] = {
    # invited again: the invitation was lost or has expired
    _INVITED: frozenset({_INVITED, _CONNECTED, _OFFBOARDING}),
    # connected again: the customer updated the stack before it was verified
    _CONNECTED: frozenset({_CONNECTED, _VERIFYING, _DEGRADED, _FAILED}) | _ENDS,
    # verifying again: the earlier execution was stopped
    _VERIFYING: frozenset({_VERIFYING, _BACKFILLING, _CONNECTED, _DEGRADED, _FAILED}) | _ENDS,
    # backfilling again: the step was repeated
    _BACKFILLING: (
        frozenset({_BACKFILLING, _ACTIVE, _CONNECTED, _VERIFYING, _DEGRADED, _FAILED}) | _ENDS
    ),
    # active again: the step was repeated
    _ACTIVE: frozenset({_ACTIVE, _CONNECTED, _VERIFYING, _DEGRADED}) | _ENDS,
    # degraded accounts recover by a check, by a new invitation, or when Sweep reaches them again
    _DEGRADED: frozenset({_DEGRADED, _ACTIVE, _INVITED, _CONNECTED, _VERIFYING}) | _ENDS,
    # connected: resumed, to be verified; suspended again: the customer updated the stack
    _SUSPENDED: frozenset({_CONNECTED}) | _ENDS,
    # offboarding again: the earlier execution was stopped
    _OFFBOARDING: frozenset({_OFFBOARDING, _REMOVED}),
    # offboarding again: delete data that was kept
    _REMOVED: frozenset({_REMOVED, _INVITED, _OFFBOARDING}),
    # failed before it was active: verify a repaired role again, or invite again for a deleted stack
    _FAILED: frozenset({_FAILED, _INVITED, _CONNECTED, _VERIFYING}) | _ENDS,
}


def transitioned(
    account: Account, state: AccountState, act: ChangeCause, **changes: Any
) -> Account:
    """Return `account` in `state`, with the change in `last_change`.

    Return the same account if nothing changes. Raises UsageError for a transition that is not
    allowed.
    """
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
    """Return `after` with the change from `before` in its `last_change`."""
    last = before.last_change if before else None
    number = last.number + 1 if last else 1
    state = before.state if before else None
    step = Change(number, state, after.state, act.at, act.by, act.reason)
    return replace(after, last_change=step)


def state_after_connection_loss(account: Account) -> AccountState:
    """Return the state of an account whose connection fails: DEGRADED if it was ever active."""
    return _DEGRADED if account.activated_at else _FAILED


def publish_state_change(account: Account, bus: Bus) -> None:
    """Publish the account's last change; repeats publish the same event."""
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
    """Change the account's state, save it with a history entry, and publish the change.

    A repeat publishes again. Raises UsageError for a transition that is not allowed, and
    AccountChanged when the registry has another version of the account.
    """
    after = transitioned(account, state, act, **changes)
    if after != account:
        registry.save(account, after)
    publish_state_change(after, bus)
    return after


def connection_lost(state: AccountState) -> type[AccountDegraded | OnboardingFailed]:
    """Return the event for an account that enters `state` because its connection fails."""
    return AccountDegraded if state is AccountState.DEGRADED else OnboardingFailed

"""Whether an account can be reached, as its state says it.

A role that was deleted sends no message: Sweep is the first to notice. What it lets down it also
takes up again, and nothing else: an account that was degraded by a check, or whose stack was
deleted, waits for a proof of its connection.
"""

from collections.abc import Iterable
from datetime import datetime

from cloudspend.accounts.lifecycle import transition
from cloudspend.accounts.model import Account, AccountState, Change, ChangeCause
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.alerts.event import Bus
from cloudspend.settings import SWEEP_MACHINE

REACHED_AGAIN = "It can be reached again."


def reflect(
    account: Account, unreachable: str, registry: AccountRegistry, bus: Bus, now: datetime
) -> None:
    """Let an active account that is not reached be degraded, with the reason `unreachable`, and be
    active again once it is. An account that is being onboarded is Onboard's. Raises
    AccountChanged."""
    if unreachable and account.state is AccountState.ACTIVE:
        after, reason = AccountState.DEGRADED, unreachable
    elif not unreachable and account.state is AccountState.DEGRADED:
        if not degraded_by_sweep(registry.history(account.account_id)):
            return
        after, reason = AccountState.ACTIVE, REACHED_AGAIN
    else:
        return
    transition(registry, bus, account, after, ChangeCause(SWEEP_MACHINE, now, reason))


def degraded_by_sweep(history: Iterable[Change]) -> bool:
    """Whether it was Sweep that last found the account, until then well, degraded."""
    degraded = AccountState.DEGRADED
    steps = [each for each in history if each.after is degraded and each.before is not degraded]
    return bool(steps) and steps[-1].by == SWEEP_MACHINE

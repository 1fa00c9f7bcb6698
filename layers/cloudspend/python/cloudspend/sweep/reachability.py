"""Set the state of accounts by their reachability.

A deleted role sends no message: Sweep notices it first. Sweep only restores accounts that it
degraded itself. An account that was degraded by a check, or whose stack was deleted, needs a new
verification.
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
    """Degrade an active account that cannot be reached, for the reason `unreachable`, and restore
    it when it can be reached again.

    An account that is being onboarded belongs to Onboard. Raises AccountChanged.
    """
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
    """Return whether Sweep was the one that degraded the account."""
    degraded = AccountState.DEGRADED
    steps = [each for each in history if each.after is degraded and each.before is not degraded]
    return bool(steps) and steps[-1].by == SWEEP_MACHINE

"""Coverage: decide which bill brings an account's cost, so that it is counted once.

The bill of an organization contains the cost of all its members. A member that is also onboarded
separately brings the same cost again, and a sum over accounts counts it twice. This is refused, or
the organization takes the coverage over if the operator chose so. The other direction is
impossible: AWS does not deliver an organization's bill without one of its members.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cloudspend.accounts.lifecycle import TRANSITIONS, publish_state_change, with_step
from cloudspend.accounts.model import (
    LEAVING,
    Account,
    AccountState,
    AccountType,
    ChangeCause,
    Member,
)
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.accounts import CoverageMoved
from cloudspend.alerts.event import Bus
from cloudspend.errors import UsageError

# The name of the check with which Onboard refuses double counting.
COUNTED_ONCE = "counted-once"


@dataclass(frozen=True)
class DoubleCounting:
    """Cost that would be counted twice, and the remedies."""

    summary: str
    remedy: str


def brings_cost(account: Account) -> bool:
    """Return whether readers see the account's bill now or soon. Data of a suspended account
    counts.
    """
    if account.covered_by is not None or account.state in LEAVING:
        return False
    return account.activated_at is not None or account.state is AccountState.BACKFILLING


def onboarded_members(
    organization: Account, members: Iterable[Member], accounts: Iterable[Account]
) -> list[Account]:
    """Return the accounts that bring cost which the organization's bill contains as well."""
    here = {member.account_id for member in members if member.left_at is None}
    here.discard(organization.account_id)
    return [one for one in accounts if one.account_id in here and brings_cost(one)]


def organizations_over(account_id: str, registry: AccountRegistry) -> list[Account]:
    """Return the onboarded organizations whose bill has the account's cost. May lag by seconds."""
    found = (
        registry.find(each) for each in registry.organizations_of(account_id) if each != account_id
    )
    return [one for one in found if one is not None and brings_cost(one)]


def doubled(account: Account, registry: AccountRegistry) -> DoubleCounting | None:
    """Return the cost that would be counted twice if the account's bill were ingested now.

    None where no double counting is known, and for an organization that will take the coverage
    over.
    """
    for organization in organizations_over(account.account_id, registry):
        return DoubleCounting(
            f"{_named(account)} is a member of the organization {_named(organization)}, whose bill "
            "has its cost already: it would be counted twice.",
            f"Query its cost there, by subaccountid = '{account.account_id}'. To onboard it by "
            f"itself, offboard {organization.account_id} first.",
        )
    if account.type is not AccountType.ORGANIZATION or account.move_coverage:
        return None
    members = registry.members(account.account_id)
    twice = onboarded_members(account, members, registry.list()) if members else []
    if not twice:
        return None
    return DoubleCounting(
        f"The bill of the organization {_named(account)} has the cost of accounts that are "
        f"onboarded by themselves: {names(twice)}. It would be counted twice.",
        "Move their coverage to the organization: cloudspend accounts verify "
        f"{account.account_id} --move-coverage (before it is connected: cloudspend accounts invite "
        f"{account.account_id} --move-coverage). Or offboard them.",
    )


def refuse_twice(account: Account, registry: AccountRegistry) -> None:
    """Raise UsageError if the account's cost would be counted twice."""
    if found := doubled(account, registry):
        raise UsageError(found.summary, remedy=found.remedy)


def take_over(
    organization: Account,
    members: Iterable[Account],
    registry: AccountRegistry,
    bus: Bus,
    act: ChangeCause,
) -> None:
    """Move the coverage of `members` to their organization.

    Their bills are not ingested any more, and `cloudspend.sweep.coverage` withdraws the months that
    the organization's bill contains. Can be repeated. Raises AccountChanged.
    """
    for member in members:
        reason = f"Its cost is in the bill of the organization {_named(organization)}."
        # An account that was invited again is not suspended; its connection is refused later.
        rests = AccountState.SUSPENDED in TRANSITIONS[member.state]
        after = replace(
            member,
            covered_by=organization.account_id,
            state=AccountState.SUSPENDED if rests else member.state,
            state_reason=reason,
        )
        after = with_step(after, member, replace(act, reason=reason))
        registry.save(member, after)
        publish_state_change(after, bus)
        bus.put(
            event(
                CoverageMoved(
                    organization=organization.account_id,
                    organization_name=organization.display_name,
                ),
                after.for_events,
                f"{organization.account_id} {act.at.isoformat()}",
            )
        )


def names(accounts: Iterable[Account]) -> str:
    """Return the accounts as part of a sentence."""
    return ", ".join(_named(one) for one in accounts)


def _named(account: Account) -> str:
    return f"{account.display_name} ({account.account_id})"

"""What readers see of accounts whose coverage has moved to their organization: each month once.

A month of such an account is withdrawn when its organization's bill of the same month is there to
be read, so that its cost is missing at no time and counted twice no longer than until the next
look. A month in which it belonged to the organization for some days only stays: the other days are
in its own bill alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cloudspend.accounts.coverage import names, onboarded_members, take_over
from cloudspend.accounts.model import Account, AccountType, ChangeCause, Member
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.accounts import CountedTwice, PeriodMoved
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import PublishedPeriod
from cloudspend.settings import SWEEP_MACHINE
from cloudspend.sweep.condition import AccountCondition
from cloudspend.sweep.expire import RetentionPorts, end_period


@dataclass(frozen=True)
class Covered:
    """An account whose coverage has moved, and how it belongs to the organization."""

    account: Account
    member: Member


def keep_apart(
    organization: Account,
    accounts: Iterable[Account],
    registry: AccountRegistry,
    store: RetentionPorts,
    now: datetime,
) -> AccountCondition | None:
    """See that nothing of the organization's bill is counted twice: move the coverage of members
    that are onboarded by themselves, where that was chosen, and withdraw the months that are there
    twice. Where it was not chosen, that is what is wrong with the organization."""
    if organization.type is not AccountType.ORGANIZATION:
        return None
    members = registry.members(organization.account_id)
    everyone = list(accounts) if members else []
    twice = onboarded_members(organization, members, everyone)
    if twice and organization.move_coverage:
        take_over(organization, twice, registry, store.bus, ChangeCause(SWEEP_MACHINE, now))
        everyone = [registry.find(one.account_id) or one for one in everyone]
        twice = []
    withdraw(organization, everyone, members, store, now)
    return _counted_twice(organization, twice, now) if twice else None


def withdraw_covered(
    account_id: str, registry: AccountRegistry, store: RetentionPorts, now: datetime
) -> int:
    """Withdraw what an organization covers by now, while its history comes in."""
    organization = registry.get(account_id)
    if not organization.move_coverage:
        return 0
    members = registry.members(account_id)
    return withdraw(organization, registry.list(), members, store, now)


def withdraw(
    organization: Account,
    accounts: Iterable[Account],
    members: Iterable[Member],
    store: RetentionPorts,
    now: datetime,
) -> int:
    """Take from readers the months of covered accounts that they find in the organization's bill.
    Returns how many. May be repeated."""
    belonging = {member.account_id: member for member in members}
    covered = [
        Covered(one, belonging[one.account_id])
        for one in accounts
        if one.covered_by == organization.account_id and one.account_id in belonging
    ]
    if not covered:
        return 0
    there = {each.period for each in store.registry.periods(organization.account_id)}
    withdrawn = 0
    for one in covered:
        for published in store.registry.periods(one.account.account_id):
            if published.period in there and is_whole(one.member, published.period):
                _tell(organization, one.account, published, store)
                withdrawn += end_period(published, store, now)
    return withdrawn


def is_whole(member: Member, period: BillingPeriod) -> bool:
    """Whether the account was a member on every day of the month."""
    return member.joined_at <= period.start and (
        member.left_at is None or member.left_at >= period.end
    )


def _tell(
    organization: Account, account: Account, published: PublishedPeriod, store: RetentionPorts
) -> None:
    """Before it is done: told twice is better than not at all."""
    store.bus.put(
        event(
            PeriodMoved(
                period=str(published.period),
                generation=published.generation,
                organization=organization.account_id,
                organization_name=organization.display_name,
            ),
            account.for_events,
            f"{published.period} {organization.account_id}",
        )
    )


def _counted_twice(organization: Account, twice: list[Account], now: datetime) -> AccountCondition:
    state = " ".join(one.account_id for one in twice)
    said = event(
        CountedTwice(accounts=names(twice)), organization.for_events, f"{state} {now:%Y-%m-%d}"
    )
    return AccountCondition(state, said)

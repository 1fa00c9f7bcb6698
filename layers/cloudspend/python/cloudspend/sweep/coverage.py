"""Show each month of a covered account once, after its coverage moved to its organization.

A month is withdrawn when the organization's bill of the same month is published: its cost is never
missing, and counted twice until the next sweep at most. A month in which the account was a member
for some days only stays, because the other days are only in its own bill.
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
    """An account whose coverage has moved, and its membership in the organization."""

    account: Account
    member: Member


def keep_apart(
    organization: Account,
    accounts: Iterable[Account],
    registry: AccountRegistry,
    store: RetentionPorts,
    now: datetime,
) -> AccountCondition | None:
    """Prevent double counting of the organization's bill.

    Moves the coverage of members that are onboarded separately, if the operator chose so, and
    withdraws months that exist twice. If not chosen, returns the condition of the organization.
    """
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
    """Withdraw the months that an organization covers, while the account's history is ingested."""
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
    """Withdraw the months of covered accounts that the organization's bill contains.

    Return their number. Can be repeated.
    """
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
    """Return whether the account was a member on every day of the month."""
    return member.joined_at <= period.start and (
        member.left_at is None or member.left_at >= period.end
    )


def _tell(
    organization: Account, account: Account, published: PublishedPeriod, store: RetentionPorts
) -> None:
    """Publish the withdrawal before it happens: a repeated event is better than none."""
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

"""Members of onboarded organizations: who belongs, who has joined, and who has left.

AWS Organizations lists an account for 90 days after it was closed. Such an account has no more
charges and counts as having left. A suspended account, or one whose closure is pending, is still a
member, because AWS may bill it (AWS Organizations user guide, "Monitor the state of your AWS
accounts").
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cloudspend.accounts.model import Account, Member
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.accounts import MemberJoined, MemberLeft
from cloudspend.alerts.event import Bus

CLOSED = "CLOSED"


@dataclass(frozen=True)
class OrganizationAccount:
    """An account as AWS Organizations lists it; `state` is its value."""

    account_id: str
    name: str
    state: str
    joined_at: datetime

    @property
    def belongs(self) -> bool:
        """Return whether the account counts as a member."""
        return self.state != CLOSED


@dataclass(frozen=True)
class MembershipChanges:
    """All members after a new list, and those that joined or left since the previous list.

    The first list contains no joined or left members.
    """

    members: tuple[Member, ...]
    joined: tuple[Member, ...] = ()
    left: tuple[Member, ...] = ()


def compare(
    known: Sequence[Member], listed: Iterable[OrganizationAccount], now: datetime
) -> MembershipChanges:
    """Compare a new list with the known members. Members that left earlier stay unchanged."""
    before = {member.account_id: member for member in known}
    seen = {one.account_id: one for one in listed}
    staying = {
        name: Member(name, one.name, one.state, one.joined_at, seen_at=now)
        for name, one in seen.items()
        if one.belongs
    }
    here = {name: one for name, one in before.items() if one.left_at is None}
    left = tuple(
        replace(one, status=seen[name].state if name in seen else one.status, left_at=now)
        for name, one in here.items()
        if name not in staying
    )
    joined = tuple(one for name, one in staying.items() if name not in here)
    return MembershipChanges((*staying.values(), *left), joined if known else (), left)


def refresh(
    account: Account,
    listed: Iterable[OrganizationAccount],
    registry: AccountRegistry,
    bus: Bus,
    now: datetime,
) -> MembershipChanges:
    """Save a complete list of an organization's accounts, and publish joined and left members.

    Events are published before saving, with stable ids: an interrupted run is repeated, and
    subscribers can drop repeats. A list without the account itself does not belong to its
    organization and is ignored.
    """
    listed = list(listed)
    if account.account_id not in {one.account_id for one in listed}:
        return MembershipChanges(())
    known = registry.members(account.account_id)
    moves = compare(known, listed, now)
    away = {member.account_id: member.left_at for member in known}
    for member in moves.joined:
        since = f"{member.joined_at.isoformat()}/{away.get(member.account_id)}"
        joined = MemberJoined(
            member=member.account_id, member_name=member.name, joined_at=member.joined_at
        )
        bus.put(event(joined, account.for_events, f"{member.account_id}/{since}"))
    for member in moves.left:
        left = MemberLeft(
            member=member.account_id,
            member_name=member.name,
            seen_at=member.seen_at,
            status=member.status,
        )
        since = member.seen_at.isoformat()
        bus.put(event(left, account.for_events, f"{member.account_id}/{since}"))
    registry.put_members(account.account_id, moves.members)
    return moves


def expected(members: Iterable[Member], start: datetime, end: datetime) -> list[Member]:
    """Return the members at any time from `start` to before `end`, whose charges a bill can
    contain.

    A member's last day counts, because leaving is only noticed in the next list.
    """
    return [
        member
        for member in members
        if member.joined_at < end and (member.left_at is None or member.left_at >= start)
    ]

"""Who belongs to an onboarded organization, who has joined it and who has left.

AWS Organizations goes on listing an account for 90 days after it was closed; such an account brings
no more charges and counts as one that left. One that is suspended, or whose closure is pending, is
a member as before: AWS may still bill it (AWS Organizations user guide, "Monitor the state of your
AWS accounts").
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
    """An account as AWS Organizations lists it; `state` is its word."""

    account_id: str
    name: str
    state: str
    joined_at: datetime

    @property
    def belongs(self) -> bool:
        """Whether it counts as a member."""
        return self.state != CLOSED


@dataclass(frozen=True)
class MembershipChanges:
    """What a new list says: how every member stands now, and who has joined or left since the
    list before. The first list is news of nobody."""

    members: tuple[Member, ...]
    joined: tuple[Member, ...] = ()
    left: tuple[Member, ...] = ()


def compare(
    known: Sequence[Member], listed: Iterable[OrganizationAccount], now: datetime
) -> MembershipChanges:
    """What `listed` changes in what is `known`. Members that left before, and are not there again,
    stay as they are."""
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
    """Take a whole new list of an organization's accounts into the registry and say who has joined
    and who has left.

    It is said before it is written down, under an id that is the same again: a run that is cut off
    in between is repeated, and whoever listens hears of each move once. A list that lacks the
    account itself is not of its organization, and moves nobody.
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
    """Who was a member at any time from `start` to before `end`: whose charges a bill of that time
    may have. Since a leaving is only noticed at the next list, the day of it counts."""
    return [
        member
        for member in members
        if member.joined_at < end and (member.left_at is None or member.left_at >= start)
    ]

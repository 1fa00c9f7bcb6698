"""Reach of an organization's member accounts, by the role that a StackSet creates there.

The role is verified like the role of the management account.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from cloudspend.access.ports import CustomerSessions
from cloudspend.access.verify import check_connection
from cloudspend.accounts.model import Account, CheckStatus, Member
from cloudspend.settings import MEMBER_ROLE


@dataclass(frozen=True)
class Reached:
    """A member, and why it cannot be reached; an empty reason if it can."""

    member: Member
    reason: str


def check_member_access(
    account: Account, members: Iterable[Member], customer_sessions: CustomerSessions, now: datetime
) -> Iterator[Reached]:
    """Try each of `members` except the management account, which has another role.

    Raises TransientError.
    """
    for member in members:
        if member.account_id != account.account_id:
            yield Reached(
                member, _reason(as_entered(account, member.account_id), customer_sessions, now)
            )


def as_entered(account: Account, member_id: str) -> Account:
    """Return the member as an account that is entered with the StackSet's role."""
    arn = f"arn:{account.partition}:iam::{member_id}:role/{MEMBER_ROLE}"
    return replace(account, account_id=member_id, role_arn=arn, key=None)


def _reason(member: Account, customer_sessions: CustomerSessions, now: datetime) -> str:
    checks = check_connection(member, customer_sessions, now)
    denied = (check.reason for check in checks if check.status is CheckStatus.DENIED)
    return next(denied, "")

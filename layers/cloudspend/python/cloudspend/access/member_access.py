"""Access to an organization's member accounts, by the role that a StackSet creates there.

The role is checked like the role of the management account.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from cloudspend.access.ports import CustomerSessions
from cloudspend.access.verify import check_connection
from cloudspend.accounts.model import Account, CheckStatus, Member
from cloudspend.settings import MEMBER_ROLE


@dataclass(frozen=True)
class MemberAccess:
    """Whether CloudSpend can enter a member account."""

    member: Member
    # Why the account cannot be entered; empty if it can.
    reason: str


def check_member_access(
    account: Account, members: Iterable[Member], customer_sessions: CustomerSessions, now: datetime
) -> Iterator[MemberAccess]:
    """Check the access to each of `members` except the management account, which has another role.

    Raises TransientError.
    """
    for member in members:
        if member.account_id != account.account_id:
            entered = member_account(account, member.account_id)
            yield MemberAccess(member, _reason(entered, customer_sessions, now))


def member_account(account: Account, member_id: str) -> Account:
    """Return a member as an account of its own, with the StackSet's role and the organization's
    external id.
    """
    arn = f"arn:{account.partition}:iam::{member_id}:role/{MEMBER_ROLE}"
    return replace(account, account_id=member_id, role_arn=arn, key=None)


def _reason(member: Account, customer_sessions: CustomerSessions, now: datetime) -> str:
    checks = check_connection(member, customer_sessions, now)
    denied = (check.reason for check in checks if check.status is CheckStatus.DENIED)
    return next(denied, "")

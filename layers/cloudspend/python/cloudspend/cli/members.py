"""`cloudspend accounts members`: who belongs to an organization, and who is reached."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cloudspend import wiring
from cloudspend.access.reach import reach
from cloudspend.accounts.members import expected
from cloudspend.accounts.model import AccountType, Member
from cloudspend.cli.options import AccountId, OutputOption
from cloudspend.cli.output import Output, show
from cloudspend.errors import UsageError
from cloudspend.exports.model import BillingPeriod

COLUMNS = ("account_id", "name", "status", "since", "left", "seen")
REACHED = ("reached", "reason")
NOBODY = (
    "No member is known yet. Members are listed once a day: cloudspend collect {id} --source "
    "organization_accounts does it now."
)


def list_members(
    account_id: AccountId,
    period: Annotated[
        str | None,
        typer.Option(
            metavar="YYYY-MM", help="Those who belonged there in this month, left since or not."
        ),
    ] = None,
    reached: Annotated[
        bool,
        typer.Option(
            "--reach", help="Try the role that a StackSet creates in each one that belongs there."
        ),
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the accounts of an onboarded organization, those that have left among them."""
    operator = wiring.operator()
    account = operator.accounts.get(account_id)
    if account.type is not AccountType.ORGANIZATION:
        raise UsageError(
            f"{account.display_name} ({account_id}) is of type {account.type}, which has no "
            "members.",
            remedy="See which accounts are organizations: cloudspend accounts list.",
        )
    members = operator.accounts.members(account_id)
    if period:
        month = BillingPeriod.parse(period)
        members = expected(members, month.start, month.end)
    rows = [_row(member) for member in members]
    if not reached:
        show(rows, COLUMNS, output, NOBODY.format(id=account_id))
        return
    here = [member for member in members if member.left_at is None]
    tried = [
        _row(one.member) | {"reached": "no" if one.reason else "yes", "reason": one.reason}
        for one in reach(account, here, operator.door, datetime.now(UTC))
    ]
    show(tried, COLUMNS + REACHED, output, NOBODY.format(id=account_id))


def _row(member: Member) -> dict[str, Any]:
    return {
        "account_id": member.account_id,
        "name": member.name,
        "status": member.status,
        "since": f"{member.joined_at:%Y-%m-%d}",
        "left": f"{member.left_at:%Y-%m-%d}" if member.left_at else "",
        "seen": f"{member.seen_at:%Y-%m-%d %H:%M} UTC",
    }

"""`cloudspend accounts members|members-link`: members of an organization and their reach."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cloudspend import wiring
from cloudspend.access.member_access import check_member_access
from cloudspend.accounts.link import members_link, update_link
from cloudspend.accounts.member_stacks import NEEDED, members_choice
from cloudspend.accounts.members import expected
from cloudspend.accounts.model import AccountType, Member, MemberStacks
from cloudspend.cli.options import AccountId, OutputOption
from cloudspend.cli.output import Output, progress, show, show_one, show_whole
from cloudspend.errors import UsageError
from cloudspend.exports.model import BillingPeriod

COLUMNS = ("account_id", "name", "status", "since", "left", "seen")
REACHED = ("reached", "reason")
WHOM = {
    True: "Send this link to someone in the delegated administrator's account for StackSets:",
    False: "Send this link, and what is to be set, to someone who may update the customer's stack:",
}
NO_MEMBERS = (
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
    """List the accounts of an onboarded organization, including those that have left."""
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
        show(rows, COLUMNS, output, NO_MEMBERS.format(id=account_id))
        return
    here = [member for member in members if member.left_at is None]
    tried = [
        _row(one.member) | {"reached": "no" if one.reason else "yes", "reason": one.reason}
        for one in check_member_access(account, here, operator.customer_sessions, datetime.now(UTC))
    ]
    show(tried, COLUMNS + REACHED, output, NO_MEMBERS.format(id=account_id))


def link_members(
    account_id: AccountId,
    stacks: Annotated[
        MemberStacks,
        typer.Option("--member-stacks", help="By whose StackSet; NONE takes the roles away."),
    ],
    members_in: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="An organizational unit or the root, for SELF_MANAGED an account; repeat it.",
        ),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Print the link that creates the role in an organization's member accounts.

    It updates the customer's own stack, in which two parameters must be set; for a delegated
    administrator, it creates a stack in its account.
    """
    operator = wiring.operator()
    account = operator.accounts.get(account_id)
    choice = members_choice(stacks, members_in or (), account.type)
    if choice.stacks is MemberStacks.DELEGATED_ADMIN:
        facts = {"link": members_link(account, operator.settings, choice)}
    else:
        facts = {
            "link": update_link(account, operator.settings),
            "MemberStacks": str(choice.stacks),
            "MembersIn": ",".join(choice.targets),
        }
    if output is not Output.TABLE:
        show_one({"account_id": account_id} | facts, output)
        return
    show_one({"account_id": account_id} | {k: v for k, v in facts.items() if k != "link"}, output)
    progress(WHOM[choice.stacks is MemberStacks.DELEGATED_ADMIN])
    show_whole(facts["link"])
    if stacks in NEEDED:
        progress(f"Before that: {NEEDED[stacks]}")


def _row(member: Member) -> dict[str, Any]:
    return {
        "account_id": member.account_id,
        "name": member.name,
        "status": member.status,
        "since": f"{member.joined_at:%Y-%m-%d}",
        "left": f"{member.left_at:%Y-%m-%d}" if member.left_at else "",
        "seen": f"{member.seen_at:%Y-%m-%d %H:%M} UTC",
    }

"""`cloudspend accounts`: invite, connect, list and show accounts."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cloudspend import wiring
from cloudspend.accounts.invite import Invitation, InviteRequest
from cloudspend.accounts.invite import invite as invite_account
from cloudspend.accounts.link import is_outdated, update_link
from cloudspend.accounts.member_stacks import NEEDED
from cloudspend.accounts.model import (
    Account,
    AccountState,
    Check,
    ConnectionKind,
    Export,
    ExportSetup,
    KeyFacts,
    MemberStacks,
)
from cloudspend.cli import fields as o
from cloudspend.cli import invitation as i
from cloudspend.cli.options import AccountId, OutputOption, act_of
from cloudspend.cli.output import Output, progress, show, show_one, show_whole
from cloudspend.onboarding.connect import ConnectRequest, connect
from cloudspend.settings import TEMPLATE_VERSION, Settings

app = typer.Typer(
    no_args_is_help=True, help="Invite accounts and see the state of their connection."
)

BY_KEY = (
    "The account needs an IAM user with the policy that 'cloudspend accounts key-policy "
    "{account_id}' prints; then take in a key of that user: cloudspend accounts connect-key "
    "{account_id}."
)
COLUMNS = ("account_id", "name", "type", "state", "connection", "export_kind", "since", "reason")
CHECKS = ("check", "status", "denied_by", "reason", "remedy", "checked_at")


@app.command()
def invite(  # noqa: PLR0913, PLR0917 - one parameter an option; they become one request
    account_id: i.Invited,
    name: o.Name = None,
    account_type: i.Type = None,
    partition: i.Partition = None,
    region: o.Regions = None,
    start_date: o.StartDate = None,
    retention_months: o.Retention = None,
    export_kind: i.Kind = None,
    export_setup: i.Setup = ExportSetup.CREATE_ALL,
    export_bucket: i.Bucket = None,
    export_prefix: i.Prefix = None,
    export_name: i.ExportName = None,
    billing_detail: o.BillingDetail = None,
    tag_column: o.TagColumns = None,
    contact: o.Contacts = None,
    owner: o.Owner = None,
    cost_centre: o.CostCentre = None,
    notes: o.Notes = None,
    freshness_hours: o.Freshness = None,
    connection: i.Connection = ConnectionKind.IAM_ROLE,
    phone_home: i.PhoneHome = True,
    member_stacks: i.Stacks = MemberStacks.NONE,
    members_in: i.MembersIn = None,
    move_coverage: o.MoveCoverage = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Record an account and print the link that connects it.

    Send the link to someone who can create IAM roles in the customer's account. It works once,
    within 7 days; inviting again creates a new one. Fields that are not given keep their value;
    options of the stack are given again with each invitation.
    """
    request = InviteRequest(
        account_id=account_id,
        display_name=name,
        type=account_type,
        partition=partition,
        regions=region,
        start_date=start_date,
        retention_months=retention_months,
        export_kind=export_kind,
        export_bucket=export_bucket,
        export_prefix=export_prefix,
        export_name=export_name,
        billing_detail=billing_detail,
        tag_columns=tag_column,
        contacts=contact,
        owner=owner,
        cost_centre=cost_centre,
        notes=notes,
        fresh_hours=freshness_hours,
        export_setup=export_setup,
        connection=connection,
        phone_home=phone_home,
        move_coverage=move_coverage,
        member_stacks=member_stacks,
        members_in=members_in or (),
    )
    operator = wiring.operator()
    invitation = invite_account(request, operator.invitation_ports, act_of(operator))
    _show_invitation(invitation, connection, NEEDED.get(member_stacks, ""), output)


def _show_invitation(
    invitation: Invitation, connection: ConnectionKind, needed: str, output: Output
) -> None:
    """Print the account and its links; `needed` are the prerequisites."""
    facts = _row(invitation.account) | {"link_expires": _time(invitation.account.expires_at)}
    if output is not Output.TABLE:
        links = {"link": invitation.link, "members_link": invitation.members_link}
        show_one(facts | {name: link for name, link in links.items() if link}, output)
        return
    show_one(facts, output)
    if invitation.link:
        progress(f"Send this link to someone who may create {_makes(connection)} in the account:")
        show_whole(invitation.link)
    if connection is ConnectionKind.ACCESS_KEY:
        progress(BY_KEY.format(account_id=invitation.account.account_id))
    if invitation.members_link:
        progress("And this one to someone in the delegated administrator's account for StackSets:")
        show_whole(invitation.members_link)
    if needed:
        progress(f"Before that: {needed}")


@app.command("connect")
def connect_account(
    account_id: AccountId,
    role_arn: Annotated[str, typer.Option(help="The output RoleArn of the customer's stack.")],
    kms_key: Annotated[
        str, typer.Option(metavar="ARN", help="The key that the bill is encrypted with, if any.")
    ] = "",
    template_version: Annotated[
        str, typer.Option(help="The output TemplateVersion of the customer's stack.")
    ] = TEMPLATE_VERSION,
    output: OutputOption = Output.TABLE,
) -> None:
    """Register the role of a stack that does not notify CloudSpend, and verify it.

    The role is verified like any other: see 'accounts show' for the result.
    """
    operator = wiring.operator()
    request = ConnectRequest(account_id, role_arn, kms_key, template_version)
    connected = connect(
        request,
        operator.accounts,
        operator.bus,
        operator.onboarding,
        operator.settings,
        act_of(operator),
    )
    show_one(_row(connected) | {"role_arn": connected.role_arn}, output)


@app.command("list")
def list_accounts(output: OutputOption = Output.TABLE) -> None:
    """List every account with its state."""
    rows = [_row(account) for account in wiring.operator().accounts.list()]
    show(rows, COLUMNS, output, "No account yet. Begin with: cloudspend accounts invite --help")


@app.command("show")
def show_account(account_id: AccountId, output: OutputOption = Output.TABLE) -> None:
    """Show one account, its connection, and the result of each permission check."""
    operator = wiring.operator()
    accounts = operator.accounts
    account = accounts.get(account_id)
    checks = [_check(check) for check in accounts.checks(account_id)]
    facts = _row(account) | {
        "export": _location(account.export),
        "regions": list(account.regions),
        "retention_months": account.retention_months,
        "freshness_hours": account.fresh_hours,
        "billing_detail": account.billing_detail,
        "tag_columns": list(account.tag_columns),
        "role_arn": account.role_arn,
        "kms_key": account.kms_key_arn,
        "template_version": account.template_version,
        **_update(account, operator.settings),
        **_key(account.key),
        "external_id": account.external_id,
        "invited_at": _time(account.invited_at),
        "activated_at": account.activated_at and _time(account.activated_at),
        "partition": account.partition,
        "contacts": list(account.contacts),
        "owner": account.owner,
        "cost_centre": account.cost_centre,
        "notes": account.notes,
        "covered_by": account.covered_by,
        "move_coverage": account.move_coverage,
    }
    if output is Output.TABLE:
        show_one(facts, output)
        show(checks, CHECKS, output, "No check has run yet.")
    elif output is Output.JSON:
        show_one(facts | {"checks": checks}, output)
    else:
        show(checks, CHECKS, output, "")


def _makes(connection: ConnectionKind) -> str:
    """Return the resources of the account's stack that need special rights."""
    return "IAM roles" if connection is ConnectionKind.IAM_ROLE else "buckets and exports of cost"


def _row(account: Account) -> dict[str, Any]:
    return {
        "account_id": account.account_id,
        "name": account.display_name,
        "type": str(account.type),
        "state": str(account.state),
        "connection": str(account.connection),
        "export_kind": str(account.export.kind),
        "since": account.start_date.isoformat(),
        "reason": _reason(account),
    }


def _reason(account: Account) -> str:
    """Return why the account is in its state; for an unused invitation, that it expired."""
    if account.state is AccountState.INVITED and account.expires_at <= datetime.now(UTC):
        return f"The link expired at {_time(account.expires_at)}."
    if is_outdated(account) and not account.state_reason:
        return f"Its template is of version {account.template_version}; see accounts show."
    return account.state_reason


def _update(account: Account, settings: Settings) -> dict[str, Any]:
    """Return how the customer gets the newest template; empty if it is current or unknown."""
    return {"update_link": update_link(account, settings)} if is_outdated(account) else {}


def _location(export: Export) -> str:
    return f"s3://{export.bucket}/{export.prefix}/{export.name}"


def _key(key: KeyFacts | None) -> dict[str, Any]:
    """Return the facts about an account's access key for people."""
    if key is None:
        return {}
    return {
        "key_ending": key.ending,
        "key_of": key.user_arn,
        "key_made_at": _time(key.made_at) if key.age_known else f"before {_time(key.made_at)}",
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "check": check.name,
        "status": str(check.status),
        "denied_by": check.denied_by,
        "reason": check.reason,
        "remedy": check.remedy,
        "checked_at": _time(check.checked_at),
    }


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"

"""Invite an account: record it and create the link that connects it."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from cloudspend.accounts import fields
from cloudspend.accounts.coverage import refuse_twice
from cloudspend.accounts.lifecycle import TRANSITIONS, publish_state_change, with_step
from cloudspend.accounts.link import StackChoices, members_link, quick_create_link
from cloudspend.accounts.member_stacks import members_choice
from cloudspend.accounts.model import (
    Account,
    AccountState,
    AccountType,
    ChangeCause,
    ConnectionKind,
    Export,
    ExportKind,
    ExportSetup,
    MemberStacks,
)
from cloudspend.accounts.ports import InvitationPorts
from cloudspend.accounts.validation import AccountFields, ValidationContext, validate
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.accounts import AccountInvited
from cloudspend.alerts.event import Bus
from cloudspend.errors import UsageError
from cloudspend.settings import EXPORT_REGIONS, PREFIX, Settings

VALID_FOR = timedelta(days=7)
TOKEN_BYTES = 32
EXPORT_NAMES = {
    ExportKind.CUR_LEGACY: f"{PREFIX}-cur",
    ExportKind.CUR_2_0: f"{PREFIX}-cur-2-0",
    ExportKind.FOCUS_1_0: f"{PREFIX}-focus-1-0",
    ExportKind.FOCUS_1_2: f"{PREFIX}-focus-1-2",
}


@dataclass(frozen=True)
class InviteRequest(AccountFields):
    """The operator's description of an account to invite, as text.

    Missing values keep their value for an account that is invited again, and follow a convention
    for a new one. Only a new account needs a `display_name`.

    `type`            defaults to ORGANIZATION `partition`       defaults to the platform's
    `regions`         default to the platform's region `start_date`      YYYY-MM-DD, defaults to the
    first day of the month one year ago export            defaults to
    `s3://cloudspend-export-<account id>-<region>/cloudspend/<name>` `billing_detail`  defaults to
    whether the export can fill that table `retention_months` None keeps data permanently
    `phone_home`      False: the customer's stack sends nothing, and the role is entered by hand
    `connection`      ACCESS_KEY: the stack creates bucket and export only, and a key follows
    `member_stacks`   how member accounts get their stacks `members_in`      which ones: ids of
    units, or of accounts for SELF_MANAGED `move_coverage`   an organization takes over the coverage
    of onboarded members
    """

    account_id: str = ""
    type: str | None = None
    partition: str | None = None
    export_kind: str | None = None
    export_setup: str = ExportSetup.CREATE_ALL
    export_bucket: str | None = None
    export_prefix: str | None = None
    export_name: str | None = None
    connection: str = ConnectionKind.IAM_ROLE
    phone_home: bool = True
    member_stacks: str = MemberStacks.NONE
    members_in: Sequence[str] = ()
    move_coverage: bool | None = None


@dataclass(frozen=True)
class Invitation:
    """The recorded account and its link, the only place with the token.

    `link` is empty if the customer's stack has nothing to create. `members_link` is for a delegated
    administrator of StackSets, if there is one.
    """

    account: Account
    link: str
    members_link: str | None = None


def invite(
    request: InviteRequest, invitation_ports: InvitationPorts, act: ChangeCause
) -> Invitation:
    """Record the account and create its link, which works once within seven days.

    An invited, failed, degraded or removed account is invited again: the earlier link becomes
    invalid, the external id stays. Raises UsageError for an invalid field, for a display name of
    another account, for a connected account, and for cost that would be counted twice.
    """
    existing = invitation_ports.registry.find(fields.account_id(request.account_id))
    invitation = prepared(request, existing, invitation_ports, act)
    refuse_twice(invitation.account, invitation_ports.registry)
    if existing is None:
        invitation_ports.registry.add(invitation.account)
    else:
        invitation_ports.registry.save(existing, invitation.account)
    _announce(invitation.account, invitation_ports.bus)
    return invitation


def prepared(
    request: InviteRequest,
    existing: Account | None,
    invitation_ports: InvitationPorts,
    act: ChangeCause,
) -> Invitation:
    """Return the invitation as `invite` would record it, without writing. Raises UsageError."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    before = (
        _again(request, existing, act)
        if existing
        else _new(request, invitation_ports.settings, act)
    )
    before = replace(before, export=_export(request, before.export))
    ground = ValidationContext(
        invitation_ports.known_regions(before.partition), act.at.date(), before.export.kind
    )
    account = replace(before, token_sha256=token_digest(token), **validate(request, ground))
    if request.move_coverage is not None:
        account = replace(account, move_coverage=request.move_coverage)
    if account.billing_detail and not account.export.kind.is_cur:
        account = replace(account, billing_detail=False)
    account = with_step(account, existing, act)
    setup = fields.one_of("export setup", request.export_setup, ExportSetup)
    _require_exports(setup, invitation_ports.settings)
    members = members_choice(request.member_stacks, request.members_in, account.type)
    connection = fields.one_of("connection", request.connection, ConnectionKind)
    choices = StackChoices(setup, request.phone_home, members, connection)
    if choices.by_key and setup is ExportSetup.USE_EXISTING:
        return Invitation(account, "")
    link = quick_create_link(account, token, invitation_ports.settings, choices)
    if members.stacks is MemberStacks.DELEGATED_ADMIN:
        return Invitation(account, link, members_link(account, invitation_ports.settings, members))
    return Invitation(account, link)


def _require_exports(setup: ExportSetup, settings: Settings) -> None:
    """Check that the customer's stack can create the export in this region, if it has to."""
    if setup is ExportSetup.USE_EXISTING or settings.region in EXPORT_REGIONS:
        return
    raise UsageError(
        f"The export setup {setup.value} is not possible from the platform's region "
        f"{settings.region}: the customer's stack is in the same region, and AWS lets stacks "
        f"make exports in {' and '.join(EXPORT_REGIONS)} only.",
        remedy="Allowed here: USE_EXISTING (--export-setup), for an export that the account has "
        "already. Or deploy CloudSpend in one of those regions.",
    )


def token_digest(token: str) -> str:
    """Return the digest of a registration token that the registry keeps.

    The token is 32 random bytes, so a plain hash cannot be searched.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def _new(request: InviteRequest, settings: Settings, act: ChangeCause) -> Account:
    """Return a new account with default values."""
    if request.display_name is None:
        raise UsageError(
            f"The account {request.account_id} is new and has no display name yet.",
            remedy="Give it one: --name NAME.",
        )
    account_id = fields.account_id(request.account_id)
    kind = fields.one_of("export kind", request.export_kind or ExportKind.CUR_2_0, ExportKind)
    return Account(
        account_id=account_id,
        display_name=request.display_name,
        type=fields.one_of("type", request.type or AccountType.ORGANIZATION, AccountType),
        regions=(settings.region,),
        start_date=date(act.at.year - 1, act.at.month, 1),
        retention_months=None,
        export=Export(
            kind, f"{PREFIX}-export-{account_id}-{settings.region}", PREFIX, EXPORT_NAMES[kind]
        ),
        external_id=secrets.token_hex(16),
        state=AccountState.INVITED,
        invited_at=act.at,
        expires_at=act.at + VALID_FOR,
        billing_detail=kind.is_cur,
        partition=fields.partition(request.partition or settings.partition, settings.partition),
    )


def _again(request: InviteRequest, existing: Account, act: ChangeCause) -> Account:
    if AccountState.INVITED not in TRANSITIONS[existing.state]:
        raise UsageError(
            f"{existing.display_name} ({existing.account_id}) is {existing.state} already.",
            remedy=f"See its state: cloudspend accounts show {existing.account_id}.",
        )
    return replace(
        existing,
        type=fields.one_of("type", request.type or existing.type, AccountType),
        partition=fields.partition(request.partition or existing.partition, existing.partition),
        state=AccountState.INVITED,
        state_reason=act.reason,
        covered_by=None,
        invited_at=act.at,
        expires_at=act.at + VALID_FOR,
    )


def _export(request: InviteRequest, before: Export) -> Export:
    """Return the location of the export. By convention, each kind has its own name."""
    kind = fields.one_of("export kind", request.export_kind or before.kind, ExportKind)
    name = before.name if kind is before.kind else EXPORT_NAMES[kind]
    return Export(
        kind=kind,
        bucket=fields.bucket(request.export_bucket or before.bucket),
        prefix=fields.prefix(request.export_prefix or before.prefix),
        name=fields.export_name(request.export_name or name, kind),
    )


def _announce(account: Account, bus: Bus) -> None:
    publish_state_change(account, bus)
    bus.put(
        event(
            AccountInvited(expires_at=account.expires_at),
            account.for_events,
            str(account.token_sha256),
        )
    )

"""Inviting an account: record it and make the link that connects it."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cloudspend.accounts import fields
from cloudspend.accounts.lifecycle import TRANSITIONS, tell_change, with_step
from cloudspend.accounts.link import StackChoices, quick_create_link
from cloudspend.accounts.model import (
    Account,
    AccountState,
    AccountType,
    Act,
    Export,
    ExportKind,
    ExportSetup,
)
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.alerts.catalog import event
from cloudspend.alerts.event import Bus
from cloudspend.errors import UsageError
from cloudspend.settings import PREFIX, Settings

VALID_FOR = timedelta(days=7)
TOKEN_BYTES = 32
EXPORT_NAMES = {
    ExportKind.CUR_LEGACY: f"{PREFIX}-cur",
    ExportKind.CUR_2_0: f"{PREFIX}-cur-2-0",
    ExportKind.FOCUS_1_0: f"{PREFIX}-focus-1-0",
    ExportKind.FOCUS_1_2: f"{PREFIX}-focus-1-2",
}


@dataclass(frozen=True)
class InviteRequest:
    """What an operator says of a new account, as text; what is left out follows a convention.

    `start_date` (YYYY-MM-DD) defaults to the first day of the month one year ago, the export to
    `s3://cloudspend-export-<account id>-<region>/cloudspend/<name>`, named after its kind
    (`EXPORT_NAMES`), and `billing_detail` to whether the export can fill that table. Without
    `phone_home` the customer's stack tells nobody of itself, and the role is entered by hand.
    """

    account_id: str
    display_name: str
    type: str
    regions: Sequence[str]
    start_date: str | None = None
    retention_months: int | None = None
    export_kind: str = ExportKind.CUR_2_0
    export_setup: str = ExportSetup.CREATE_ALL
    export_bucket: str | None = None
    export_prefix: str | None = None
    export_name: str | None = None
    billing_detail: bool | None = None
    tag_columns: Sequence[str] = ()
    phone_home: bool = True


@dataclass(frozen=True)
class Invitation:
    """The account as recorded, and the link, which is the only place that holds the token."""

    account: Account
    link: str


def invite(
    request: InviteRequest, registry: AccountRegistry, bus: Bus, settings: Settings, act: Act
) -> Invitation:
    """Record the account and make its link, which works once within 7 days.

    An account that is invited or failed is invited again: the earlier link becomes void, the
    external id stays. Raises UsageError for a wrong field, for a display name that another account
    bears, and for an account that is connected already.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    existing = registry.find(fields.account_id(request.account_id))
    account = _account(request, settings, act, existing, token_digest(token))
    setup = fields.one_of("export setup", request.export_setup, ExportSetup)
    link = quick_create_link(account, token, settings, StackChoices(setup, request.phone_home))
    if existing is None:
        registry.add(account)
    else:
        registry.save(existing, account)
    _announce(account, bus)
    return Invitation(account, link)


def token_digest(token: str) -> str:
    """What the registry keeps of a registration token. The token is 32 random bytes, so that a
    plain hash cannot be searched."""
    return hashlib.sha256(token.encode()).hexdigest()


def _account(
    request: InviteRequest,
    settings: Settings,
    act: Act,
    existing: Account | None,
    digest: str,
) -> Account:
    now = act.at
    export = _export(request, settings)
    invited = Account(
        account_id=fields.account_id(request.account_id),
        display_name=fields.display_name(request.display_name),
        type=fields.one_of("type", request.type, AccountType),
        regions=fields.regions(request.regions),
        start_date=fields.start_date(request.start_date or _a_year_before(now), now.date()),
        retention_months=fields.retention_months(request.retention_months),
        export=export,
        external_id=existing.external_id if existing else secrets.token_hex(16),
        state=AccountState.INVITED,
        invited_at=now,
        expires_at=now + VALID_FOR,
        token_sha256=digest,
        billing_detail=fields.billing_detail(request.billing_detail, export.kind),
        tag_columns=fields.tag_columns(request.tag_columns),
    )
    return with_step(invited if existing is None else _again(existing, invited), existing, act)


def _again(existing: Account, invited: Account) -> Account:
    if AccountState.INVITED not in TRANSITIONS[existing.state]:
        raise UsageError(
            f"{existing.display_name} ({existing.account_id}) is {existing.state} already.",
            remedy=f"See how it stands: cloudspend accounts show {existing.account_id}.",
        )
    return replace(
        invited,
        stack_id=existing.stack_id,
        request_id=existing.request_id,
        activated_at=existing.activated_at,
    )


def _export(request: InviteRequest, settings: Settings) -> Export:
    default_bucket = f"{PREFIX}-export-{request.account_id}-{settings.region}"
    kind = fields.one_of("export kind", request.export_kind, ExportKind)
    return Export(
        kind=kind,
        bucket=fields.bucket(request.export_bucket or default_bucket),
        prefix=fields.prefix(request.export_prefix or PREFIX),
        name=fields.export_name(request.export_name or EXPORT_NAMES[kind], kind),
    )


def _a_year_before(now: datetime) -> str:
    return f"{now.year - 1:04d}-{now.month:02d}-01"


def _announce(account: Account, bus: Bus) -> None:
    tell_change(account, bus)
    bus.put(
        event(
            "AccountInvited",
            account.for_events,
            str(account.token_sha256),
            expires_at=account.expires_at,
        )
    )

"""The claim of a customer's stack in its registration, and whether its token is valid."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from cloudspend.accounts import fields
from cloudspend.accounts.invite import token_digest
from cloudspend.accounts.model import Account, Export, ExportKind
from cloudspend.accounts.ports import Registration
from cloudspend.errors import ConnectionRefused
from cloudspend.onboarding.custom_resource import Kind, Request
from cloudspend.settings import Settings

MAX_TOKEN = 128

NEW_LINK = "Ask the person who sent the link for a new one."


@dataclass(frozen=True)
class Claim:
    """The custom resource's properties, parsed. Only the token proves anything.

    The role is verified later, by assuming it.
    """

    account_id: str
    token_sha256: str
    role_arn: str
    export: Export
    kms_key_arn: str | None
    template_version: str | None


class Decision(Enum):
    """CONNECT: use the claim as the account's connection. REPEAT: the claim was accepted before."""

    CONNECT = "connect"
    REPEAT = "repeat"


def read_claim(properties: Mapping[str, Any], settings: Settings) -> Claim:
    """Parse every property; the customer can edit each one in the console.

    Raises UsageError that names the first invalid one.
    """
    account_id = fields.account_id(_text(properties, "AccountId"))
    kind = fields.one_of("ExportKind", _text(properties, "ExportKind"), ExportKind)
    return Claim(
        account_id=account_id,
        token_sha256=token_digest(_token(properties)),
        role_arn=fields.role_arn(_text(properties, "RoleArn"), account_id, settings.partition),
        export=Export(
            kind=kind,
            bucket=fields.bucket(_text(properties, "ExportBucketName")),
            prefix=fields.prefix(_text(properties, "ExportPrefix")),
            name=fields.export_name(_text(properties, "ExportName"), kind),
        ),
        kms_key_arn=fields.kms_key(_optional(properties, "KmsKeyArn")),
        template_version=fields.template_version(_optional(properties, "TemplateVersion")),
    )


def claimed_account(properties: Mapping[str, Any]) -> tuple[str, str]:
    """Return the account id and the token's digest, for a stack that is being deleted."""
    return fields.account_id(_text(properties, "AccountId")), token_digest(_token(properties))


def judge(
    request: Request,
    claim: Claim,
    account: Account,
    registration: Registration | None,
    now: datetime,
) -> Decision:
    """Decide how to handle a claim for `account`, given the registration that used its token.

    A token works once. The stack that used it may present it again in an update. Raises
    ConnectionRefused.
    """
    if registration is not None:
        return _seen_before(request, account, registration)
    if not hmac.compare_digest(claim.token_sha256, account.token_sha256 or ""):
        raise not_made_for(claim.account_id)
    if now >= account.expires_at:
        raise ConnectionRefused(
            f"This link expired at {account.expires_at:%Y-%m-%d %H:%M} UTC.", remedy=NEW_LINK
        )
    return Decision.CONNECT


def not_made_for(account_id: str) -> ConnectionRefused:
    """Return the error for an invalid link; it is the same whether or not the account exists."""
    return ConnectionRefused(
        f"This link was not made for the account {account_id}.",
        remedy=f"Sign in to the account it was made for and open it there. {NEW_LINK}",
    )


def _seen_before(request: Request, account: Account, registration: Registration) -> Decision:
    if registration.stack_id == request.stack_id:
        if registration.request_id == request.request_id:
            return Decision.REPEAT
        if request.kind is Kind.UPDATE and account.stack_id == request.stack_id:
            return Decision.CONNECT
    raise ConnectionRefused("This link was used already, and it works once.", remedy=NEW_LINK)


def _token(properties: Mapping[str, Any]) -> str:
    token = properties.get("RegistrationToken")
    if not isinstance(token, str) or not 0 < len(token) <= MAX_TOKEN:
        # The value itself is never part of a text.
        raise fields.refused("RegistrationToken", "", "the token of the quick-create link")
    return token


def _text(properties: Mapping[str, Any], name: str) -> str:
    value = properties.get(name)
    if not isinstance(value, str):
        raise fields.refused(name, "", "a text")
    return value


def _optional(properties: Mapping[str, Any], name: str) -> str:
    """Return a property that stacks of earlier templates do not send; empty if it is missing."""
    return _text(properties, name) if name in properties else ""

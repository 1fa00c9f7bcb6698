"""Proving a connection: the role opens to the platform's external id, to nothing else, and leads
into the account that was invited.

AWS IAM user guide, "The confused deputy problem": test the role with and without the external id.
"""

from datetime import datetime

from cloudspend.access.ports import Door
from cloudspend.accounts.model import Account, Check, CheckStatus
from cloudspend.errors import ConnectionRefused

ASSUME = "sts:AssumeRole"
IDENTITY = "sts:GetCallerIdentity"

ROLE_OPENS = "role-opens"
RIGHT_ACCOUNT = "right-account"
WRONG_ID_REFUSED = "wrong-external-id-refused"
NO_ID_REFUSED = "missing-external-id-refused"

UPDATE_STACK = "Update the stack 'cloudspend' in the account with CloudSpend's template, unchanged."
CLOSE_ROLE = (
    "The role's trust policy must require the external id (condition StringEquals on "
    f"sts:ExternalId). {UPDATE_STACK}"
)


def check_connection(account: Account, door: Door, now: datetime) -> list[Check]:
    """Every proof of the connection, in order; only the first when the role does not open, since
    the others would prove nothing then."""
    inside = door.enter(account, account.external_id)
    opens = _check(
        ROLE_OPENS,
        inside is not None,
        f"The role {account.role_arn} cannot be assumed with the right external id.",
        f"The role must exist, and trust the platform with this external id. {UPDATE_STACK}",
        now,
    )
    if inside is None:
        return [opens]
    return [
        opens,
        _right_account(account, inside, now),
        _refusal(WRONG_ID_REFUSED, "a wrong", account, door, now),
        _refusal(NO_ID_REFUSED, "no", account, door, now),
    ]


def verify_connection(checks: list[Check]) -> None:
    """Raises ConnectionRefused for the first proof that failed."""
    for check in checks:
        if check.status is not CheckStatus.PASSED:
            raise ConnectionRefused(check.reason, remedy=check.remedy, check=check.name)


def _right_account(account: Account, inside: str, now: datetime) -> Check:
    return _check(
        RIGHT_ACCOUNT,
        inside == account.account_id,
        f"The role leads into the account {inside}, not into {account.account_id}.",
        "Open the quick-create link while signed in to the account that was invited.",
        now,
        action=IDENTITY,
    )


def _refusal(name: str, what: str, account: Account, door: Door, now: datetime) -> Check:
    other = f"not-{account.external_id}" if name == WRONG_ID_REFUSED else None
    refused = door.enter(account, other) is None
    reason = f"The role {account.role_arn} can be assumed with {what} external id."
    return _check(name, refused, reason, CLOSE_ROLE, now)


def _check(
    name: str, passed: bool, reason: str, remedy: str, now: datetime, *, action: str = ASSUME
) -> Check:
    if passed:
        return Check(name, action, CheckStatus.PASSED, "", "", now)
    return Check(name, action, CheckStatus.DENIED, reason, remedy, now)

"""Verify a connection: only the platform's external id opens the role, and it leads to the invited
account.

The same checks apply to sessions of an access key where they can. AWS IAM user guide, "The confused
deputy problem": test the role with and without the external id.
"""

from collections.abc import Iterable
from datetime import datetime

from cloudspend.access.keys import RIGHT_ACCOUNT
from cloudspend.access.ports import CustomerSessions
from cloudspend.access.trust import excess
from cloudspend.accounts.model import Account, Check, CheckStatus, ConnectionKind
from cloudspend.errors import ConnectionRefused, PermissionDenied

ASSUME = "sts:AssumeRole"
TAG = "sts:TagSession"
READ_ROLE = "iam:GetRole"
FEDERATE = "sts:GetFederationToken"
IDENTITY = "sts:GetCallerIdentity"

ROLE_OPENS = "role-opens"
WRONG_ID_REFUSED = "wrong-external-id-refused"
NO_ID_REFUSED = "missing-external-id-refused"
TRUSTS_NO_ONE_ELSE = "trusts-no-one-else"
SESSIONS_MARKED = "sessions-say-whose-they-are"
KEY_OPENS = "key-opens"
KEY_NOT_TOO_MUCH = "key-may-do-no-more"
OF_A_ROLE = frozenset(
    {ROLE_OPENS, WRONG_ID_REFUSED, NO_ID_REFUSED, TRUSTS_NO_ONE_ELSE, SESSIONS_MARKED, READ_ROLE}
)
OF_A_KEY = frozenset({KEY_OPENS, KEY_NOT_TOO_MUCH})

UPDATE_STACK = "Update the stack 'cloudspend' in the account with CloudSpend's template, unchanged."
CLOSE_ROLE = (
    "The role's trust policy must require the external id (condition StringEquals on "
    f"sts:ExternalId). {UPDATE_STACK}"
)


def check_connection(
    account: Account, customer_sessions: CustomerSessions, now: datetime
) -> list[Check]:
    """Run the checks of the pending connection in order.

    Return only the first check if the connection does not open, because the others would show
    nothing.
    """
    if account.pending_connection is ConnectionKind.ACCESS_KEY:
        return _check_key(account, customer_sessions, now)
    inside = customer_sessions.enter(account, account.external_id)
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
        _refusal(WRONG_ID_REFUSED, "a wrong", account, customer_sessions, now),
        _refusal(NO_ID_REFUSED, "no", account, customer_sessions, now),
        _trust(account, customer_sessions, now),
        _marks(account, customer_sessions, now),
    ]


def verify_connection(checks: list[Check]) -> None:
    """Raise ConnectionRefused for the first failed check. Warnings do not fail."""
    for check in checks:
        if check.status is CheckStatus.DENIED:
            raise ConnectionRefused(check.reason, remedy=check.remedy, check=check.name)


def connection_checks(account: Account, checks: Iterable[Check]) -> list[Check]:
    """Return the checks of the pending connection, without those of an earlier connection."""
    other = OF_A_KEY if account.pending_connection is ConnectionKind.IAM_ROLE else OF_A_ROLE
    return [check for check in checks if check.name not in other]


def _check_key(account: Account, customer_sessions: CustomerSessions, now: datetime) -> list[Check]:
    try:
        identity = customer_sessions.enter_by_key(account)
    except ConnectionRefused as error:
        return [
            Check(KEY_OPENS, FEDERATE, CheckStatus.DENIED, error.summary, error.remedy, now),
        ]
    opens = Check(KEY_OPENS, FEDERATE, CheckStatus.PASSED, "", "", now)
    return [opens, _right_account(account, identity.account_id, now)]


def _trust(account: Account, customer_sessions: CustomerSessions, now: datetime) -> Check:
    try:
        policy = customer_sessions.trust_policy(account)
    except PermissionDenied as error:
        reason = (
            "The role cannot read its own definition, so that no one can see whom else it trusts. "
            f"{error.summary}"
        )
        return _check(TRUSTS_NO_ONE_ELSE, False, reason, UPDATE_STACK, now, action=READ_ROLE)
    beyond = excess(policy, customer_sessions.platform_id, account.external_id)
    reason = f"The trust policy of the role {account.role_arn} {', and it '.join(beyond)}."
    return _check(TRUSTS_NO_ONE_ELSE, not beyond, reason, CLOSE_ROLE, now, action=READ_ROLE)


def _marks(account: Account, customer_sessions: CustomerSessions, now: datetime) -> Check:
    if customer_sessions.accepts_session_tags(account):
        return _check(SESSIONS_MARKED, True, "", "", now, action=TAG)
    reason = (
        "The role does not let sessions bear tags and a source identity, so that CloudTrail shows "
        "their names alone."
    )
    return Check(SESSIONS_MARKED, TAG, CheckStatus.WARNING, reason, UPDATE_STACK, now)


def _right_account(account: Account, inside: str, now: datetime) -> Check:
    return _check(
        RIGHT_ACCOUNT,
        inside == account.account_id,
        f"The connection leads into the account {inside}, not into {account.account_id}.",
        "Open the quick-create link while signed in to the account that was invited.",
        now,
        action=IDENTITY,
    )


def _refusal(
    name: str, what: str, account: Account, customer_sessions: CustomerSessions, now: datetime
) -> Check:
    other = f"not-{account.external_id}" if name == WRONG_ID_REFUSED else None
    refused = customer_sessions.enter(account, other) is None
    reason = f"The role {account.role_arn} can be assumed with {what} external id."
    return _check(name, refused, reason, CLOSE_ROLE, now)


def _check(
    name: str, passed: bool, reason: str, remedy: str, now: datetime, *, action: str = ASSUME
) -> Check:
    if passed:
        return Check(name, action, CheckStatus.PASSED, "", "", now)
    return Check(name, action, CheckStatus.DENIED, reason, remedy, now)

"""Checks of a connection: only the platform, with its external id, can assume the customer's role,
and the role belongs to the invited account.

Of an access key, only the account is checked. Source: AWS IAM user guide, "The confused deputy
problem", which recommends to test a role with and without the external id.
"""

from collections.abc import Iterable
from datetime import datetime

from cloudspend.access.keys import RIGHT_ACCOUNT
from cloudspend.access.ports import CustomerSessions
from cloudspend.access.trust import excess_trust
from cloudspend.accounts.model import Account, Check, CheckStatus, ConnectionKind
from cloudspend.errors import ConnectionRefused, PermissionDenied

ASSUME = "sts:AssumeRole"
TAG = "sts:TagSession"
READ_ROLE = "iam:GetRole"
FEDERATE = "sts:GetFederationToken"
IDENTITY = "sts:GetCallerIdentity"

# Names of the checks, as customers and operators see them. They are stored: do not change them.
ROLE_OPENS = "role-opens"
WRONG_ID_REFUSED = "wrong-external-id-refused"
NO_ID_REFUSED = "missing-external-id-refused"
TRUSTS_NO_ONE_ELSE = "trusts-no-one-else"
SESSION_TAGS_ACCEPTED = "sessions-say-whose-they-are"
KEY_OPENS = "key-opens"
KEY_LIMITED = "key-may-do-no-more"
ROLE_CHECKS = frozenset(
    {
        ROLE_OPENS,
        WRONG_ID_REFUSED,
        NO_ID_REFUSED,
        TRUSTS_NO_ONE_ELSE,
        SESSION_TAGS_ACCEPTED,
        READ_ROLE,
    }
)
KEY_CHECKS = frozenset({KEY_OPENS, KEY_LIMITED})

UPDATE_STACK = "Update the stack 'cloudspend' in the account with CloudSpend's template, unchanged."
CLOSE_ROLE = (
    "The role's trust policy must require the external id (condition StringEquals on "
    f"sts:ExternalId). {UPDATE_STACK}"
)


def check_connection(
    account: Account, customer_sessions: CustomerSessions, now: datetime
) -> list[Check]:
    """Run the checks of the pending connection, in order.

    If the connection does not work at all, only the first check is returned, because no other one
    could be run. Raises TransientError.
    """
    if account.pending_connection is ConnectionKind.ACCESS_KEY:
        return _check_key(account, customer_sessions, now)
    entered_id = customer_sessions.enter(account, account.external_id)
    opens = _check(
        ROLE_OPENS,
        entered_id is not None,
        f"The role {account.role_arn} cannot be assumed with the right external id.",
        f"The role must exist, and trust the platform with this external id. {UPDATE_STACK}",
        now,
    )
    if entered_id is None:
        return [opens]
    return [
        opens,
        _right_account(account, entered_id, now),
        _refusal(WRONG_ID_REFUSED, "a wrong", account, customer_sessions, now),
        _refusal(NO_ID_REFUSED, "no", account, customer_sessions, now),
        _trust(account, customer_sessions, now),
        _session_tags(account, customer_sessions, now),
    ]


def verify_connection(checks: list[Check]) -> None:
    """Raise ConnectionRefused for the first check that was denied; warnings are accepted."""
    for check in checks:
        if check.status is CheckStatus.DENIED:
            raise ConnectionRefused(check.reason, remedy=check.remedy, check=check.name)


def connection_checks(account: Account, checks: Iterable[Check]) -> list[Check]:
    """Return the checks that concern the pending connection; the registry also holds those of the
    connection that it replaces.
    """
    other = KEY_CHECKS if account.pending_connection is ConnectionKind.IAM_ROLE else ROLE_CHECKS
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
            "The role cannot read its own definition, so its trust policy cannot be checked. "
            f"{error.summary}"
        )
        return _check(TRUSTS_NO_ONE_ELSE, False, reason, UPDATE_STACK, now, action=READ_ROLE)
    clauses = excess_trust(policy, customer_sessions.platform_id, account.external_id)
    reason = f"The trust policy of the role {account.role_arn} {', and it '.join(clauses)}."
    return _check(TRUSTS_NO_ONE_ELSE, not clauses, reason, CLOSE_ROLE, now, action=READ_ROLE)


def _session_tags(account: Account, customer_sessions: CustomerSessions, now: datetime) -> Check:
    if customer_sessions.accepts_session_tags(account):
        return _check(SESSION_TAGS_ACCEPTED, True, "", "", now, action=TAG)
    reason = (
        "The role does not allow session tags and a source identity: CloudTrail shows only the "
        "names of CloudSpend's sessions."
    )
    return Check(SESSION_TAGS_ACCEPTED, TAG, CheckStatus.WARNING, reason, UPDATE_STACK, now)


def _right_account(account: Account, entered_id: str, now: datetime) -> Check:
    return _check(
        RIGHT_ACCOUNT,
        entered_id == account.account_id,
        f"The connection leads into the account {entered_id}, not into {account.account_id}.",
        "Open the quick-create link while signed in to the account that was invited.",
        now,
        action=IDENTITY,
    )


def _refusal(
    name: str, wording: str, account: Account, customer_sessions: CustomerSessions, now: datetime
) -> Check:
    """Check that the role refuses another external id, or none."""
    external_id = f"not-{account.external_id}" if name == WRONG_ID_REFUSED else None
    refused = customer_sessions.enter(account, external_id) is None
    reason = f"The role {account.role_arn} can be assumed with {wording} external id."
    return _check(name, refused, reason, CLOSE_ROLE, now)


def _check(
    name: str, passed: bool, reason: str, remedy: str, now: datetime, *, action: str = ASSUME
) -> Check:
    if passed:
        return Check(name, action, CheckStatus.PASSED, "", "", now)
    return Check(name, action, CheckStatus.DENIED, reason, remedy, now)

"""Events of connections: roles and access keys."""

from datetime import datetime
from typing import Annotated

from cloudspend.alerts.catalog.event_type import MAX_NAMES, Count, EventDetails, Most, Record
from cloudspend.alerts.event import Severity

_ROTATE = (
    (
        "Have the customer create a second key for {user_arn}, and replace the one ending in "
        "{ending}: cloudspend accounts rotate-key {id}."
    ),
    "Better: move the account to a role with cloudspend accounts move-to-role {id}.",
)
_SEE_CHECKS = "See every check and its result: cloudspend accounts show {id}."


class CheckResult(Record, frozen=True, kw_only=True):
    """The result of one permission check."""

    name: str
    status: str


class AccountActivated(EventDetails, frozen=True, kw_only=True):
    """An account is active."""

    severity = Severity.INFO
    title = "the account is active"
    sentence = "{name} ({id}) is active: its connection is verified and its bills are ingested."
    checks: Annotated[tuple[CheckResult, ...], Most(MAX_NAMES)]


class AccountDegraded(EventDetails, frozen=True, kw_only=True):
    """A check that passed before fails now."""

    severity = Severity.CRITICAL
    title = "CloudSpend has lost access it had before"
    sentence = "{name} ({id}) is degraded: access that worked before fails now. {reason}"
    actions = ("{remedy}", "Then try again: cloudspend accounts verify {id}.", _SEE_CHECKS)
    check: str
    reason: str
    remedy: str


class OnboardingFailed(EventDetails, frozen=True, kw_only=True):
    """Onboarding stopped at a check."""

    severity = Severity.CRITICAL
    title = "onboarding failed at the check {check}"
    sentence = "{name} ({id}) is not active. {reason}"
    actions = ("{remedy}", _SEE_CHECKS)
    check: str
    reason: str
    remedy: str


class AccessKeyConnected(EventDetails, frozen=True, kw_only=True):
    """An account is connected by an access key."""

    severity = Severity.INFO
    title = "connected by an access key ending in {ending}"
    sentence = (
        "{name} ({id}) is connected by the access key of {user_arn} ending in {ending}. The key is "
        "being verified."
    )
    actions = (
        "A role is safer, if the customer can create one: cloudspend accounts move-to-role {id}.",
    )
    user_arn: str
    ending: str


class AccessKeyRotated(EventDetails, frozen=True, kw_only=True):
    """An account has a new access key."""

    severity = Severity.INFO
    title = "the access key was rotated"
    sentence = (
        "{name} ({id}) is connected by a new access key, of {user_arn} and ending in {ending}."
    )
    actions = (
        "Have the customer delete the earlier key in an hour, when its last session has ended.",
    )
    user_arn: str
    ending: str


class AccessKeyAging(EventDetails, frozen=True, kw_only=True):
    """An access key is due for rotation."""

    severity = Severity.WARNING
    title = "the access key is {at_least}{days} days old and due for rotation"
    sentence = (
        "The access key of {name} ({id}) is {at_least}{days} days old. Keys should be replaced "
        "after {limit_days} days."
    )
    actions = _ROTATE
    user_arn: str
    ending: str
    made_at: datetime
    days: Count
    limit_days: Count
    at_least: str


class AccessKeyTooOld(EventDetails, frozen=True, kw_only=True):
    """An access key is older than allowed."""

    severity = Severity.CRITICAL
    title = "the access key is {at_least}{days} days old, {limit_days} are allowed"
    sentence = (
        "The access key of {name} ({id}) is {at_least}{days} days old, longer than the allowed "
        "{limit_days} days."
    )
    actions = _ROTATE
    user_arn: str
    ending: str
    made_at: datetime
    days: Count
    limit_days: Count
    at_least: str


class MovedToRole(EventDetails, frozen=True, kw_only=True):
    """A role has replaced an account's access key."""

    severity = Severity.INFO
    title = "connected by a role; the access key was deleted"
    sentence = (
        "{name} ({id}) is now connected by the role {role_arn}. CloudSpend has deleted its copy of "
        "the access key ending in {ending}."
    )
    actions = ("Have the customer delete the key ending in {ending}, of {user_arn}, in IAM.",)
    role_arn: str
    user_arn: str
    ending: str


class MoveToRoleFailed(EventDetails, frozen=True, kw_only=True):
    """A role could not replace an account's access key."""

    severity = Severity.WARNING
    title = "the role could not be verified; the access key stays in use"
    sentence = (
        "{name} ({id}) stays connected by its access key, because the role {role_arn} could not be "
        "verified. {reason}"
    )
    actions = ("{remedy}", "Then create a new link: cloudspend accounts move-to-role {id}.")
    role_arn: str
    check: str
    reason: str
    remedy: str

"""What becomes of the way into an account."""

from collections.abc import Mapping

from cloudspend.alerts import schema as s
from cloudspend.alerts.catalog.event_type import MAX_NAMES, EventType
from cloudspend.alerts.event import Severity

_ROTATE = (
    (
        "Have the customer make a second key for {user_arn}, and put it in the place of the one "
        "ending in {ending}: cloudspend accounts rotate-key {id}."
    ),
    "Better, move the account to a role: cloudspend accounts move-to-role {id}.",
)
_KEY = {"user_arn": s.TEXT, "ending": s.TEXT}
_AGE = {
    **_KEY,
    "made_at": s.TIME,
    "days": s.COUNT,
    "limit_days": s.COUNT,
    "at_least": s.TEXT,
}
_CHECK = s.obj(name=s.TEXT, status=s.TEXT)

EVENTS: Mapping[str, EventType] = {
    "AccountActivated": EventType(
        Severity.INFO,
        "{name} ({id}) is active: its connection is proved and its bills are taken in.",
        (),
        {"checks": s.listing(_CHECK, MAX_NAMES)},
    ),
    "AccountDegraded": EventType(
        Severity.CRITICAL,
        "{name} ({id}) is degraded: something that worked before does not any more. {reason}",
        (
            "{remedy}",
            "Then try again: cloudspend accounts verify {id}.",
            "See every check and its result: cloudspend accounts show {id}.",
        ),
        {"check": s.TEXT, "reason": s.TEXT, "remedy": s.TEXT},
    ),
    "OnboardingFailed": EventType(
        Severity.CRITICAL,
        "{name} ({id}) is not active. {reason}",
        ("{remedy}", "See every check and its result: cloudspend accounts show {id}."),
        {"check": s.TEXT, "reason": s.TEXT, "remedy": s.TEXT},
    ),
    "AccessKeyConnected": EventType(
        Severity.INFO,
        "{name} ({id}) is connected by the access key of {user_arn} ending in {ending}; it is "
        "being verified.",
        ("Better a role, if there can be one: cloudspend accounts move-to-role {id}.",),
        _KEY,
    ),
    "AccessKeyRotated": EventType(
        Severity.INFO,
        "{name} ({id}) is connected by a new access key, of {user_arn} and ending in {ending}.",
        ("Have the customer delete the earlier key in an hour, when no session of it is left.",),
        _KEY,
    ),
    "AccessKeyAging": EventType(
        Severity.WARNING,
        "The access key of {name} ({id}) is {at_least}{days} days old, and keys should be replaced "
        "after {limit_days}.",
        _ROTATE,
        _AGE,
    ),
    "AccessKeyTooOld": EventType(
        Severity.CRITICAL,
        "The access key of {name} ({id}) is {at_least}{days} days old, long beyond what is "
        "allowed: {limit_days}.",
        _ROTATE,
        _AGE,
    ),
    "MovedToRole": EventType(
        Severity.INFO,
        "{name} ({id}) is connected by the role {role_arn} from now on; its access key ending in "
        "{ending} is deleted here.",
        ("Have the customer delete the key ending in {ending}, of {user_arn}, in IAM.",),
        {"role_arn": s.TEXT, **_KEY},
    ),
    "MoveToRoleFailed": EventType(
        Severity.WARNING,
        "{name} ({id}) stays connected by its access key, since the role {role_arn} did not prove "
        "itself. {reason}",
        ("{remedy}", "Then make a new link: cloudspend accounts move-to-role {id}."),
        {"role_arn": s.TEXT, "check": s.TEXT, "reason": s.TEXT, "remedy": s.TEXT},
    ),
}

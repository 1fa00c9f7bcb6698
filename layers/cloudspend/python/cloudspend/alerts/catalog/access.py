"""What becomes of the way into an account."""

from collections.abc import Mapping

from cloudspend.alerts import schema as s
from cloudspend.alerts.catalog.kind import MAX_NAMES, EventType
from cloudspend.alerts.event import Severity

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
}

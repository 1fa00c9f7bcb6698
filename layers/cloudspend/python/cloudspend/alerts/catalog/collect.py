"""What Collect reads, what it may not read, and what it cost."""

from collections.abc import Mapping

from cloudspend.alerts import schema as s
from cloudspend.alerts.catalog.event_type import EventType
from cloudspend.alerts.event import Severity

AGAIN = "Collect it again: cloudspend collect {id} --source {source}."

EVENTS: Mapping[str, EventType] = {
    "SourceDegraded": EventType(
        Severity.WARNING,
        "The source {source} of {name} ({id}) cannot be collected any more; everything "
        "else is. {reason}",
        ("Do what the reason says, or live without it.", AGAIN),
        {"source": s.TEXT, "reason": s.TEXT},
    ),
    "SourceRecovered": EventType(
        Severity.INFO,
        "The source {source} of {name} ({id}) can be collected again.",
        (),
        {"source": s.TEXT},
    ),
    "SourceFailed": EventType(
        Severity.WARNING,
        "The source {source} of {name} ({id}) could not be collected. {reason}",
        ("Look at the log of cloudspend-collect-source.", AGAIN),
        {"source": s.TEXT, "reason": s.TEXT},
    ),
    "CollectCapReached": EventType(
        Severity.WARNING,
        "Cost Explorer was asked for {pages} pages of {name} ({id}) on {day}, which cost the "
        "account {cost} USD and is as much as it may be. What was collected is kept; the rest "
        "follows.",
        (
            "When this comes every day, deploy with a higher stage setting collect_pages.",
            "See what takes so many pages: cloudspend collect {id}.",
        ),
        {"day": s.TEXT, "pages": s.COUNT, "cost": s.MONEY},
    ),
    "SourceStuck": EventType(
        Severity.WARNING,
        "The source {source} of {name} ({id}) has not got on for {days} days: of the {pages} pages "
        "of Cost Explorer that the account may be asked for on a day, none is left for it, or one "
        "question alone takes more.",
        (
            "Deploy with a higher stage setting collect_pages: it does not finish otherwise.",
            AGAIN,
        ),
        {"source": s.TEXT, "days": s.COUNT, "pages": s.COUNT},
    ),
    "CollectCompleted": EventType(
        Severity.INFO,
        "{name} ({id}) has collected from {accounts} accounts: {collected} sources are up "
        "to date, {not_available} have nothing, {degraded} cannot be read, {capped} go on "
        "tomorrow, {failed} failed. AWS was asked for {pages} pages, for {cost} USD.",
        (),
        {
            "collect": s.TEXT,
            "accounts": s.COUNT,
            "collected": s.COUNT,
            "not_available": s.COUNT,
            "degraded": s.COUNT,
            "capped": s.COUNT,
            "failed": s.COUNT,
            "pages": s.COUNT,
            "cost": s.MONEY,
        },
    ),
}

"""What other rooms say on the bus, as observations: their events are told once, and can be muted.

The event itself is the message, so that nothing is said twice; the finding remembers that it was
said, lets a person mute it, and stands in the list until it is over.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloudspend.access.key_age import LIMITS
from cloudspend.alerts.catalog.findings import FindingKind
from cloudspend.alerts.event import Severity
from cloudspend.findings.apply import next_finding
from cloudspend.findings.decide import Suppress, decide
from cloudspend.findings.findings_table import FindingsTable
from cloudspend.findings.model import Observation, finding_id

DELIVERIES = "deliveries"

Detail = Mapping[str, Any]


@dataclass(frozen=True)
class Heard:
    """What an event says of a finding: it is there, or (`seen` is None) it is over."""

    kind: FindingKind
    subject: str
    seen: Observation | None

    @property
    def finding_id(self) -> str:
        return finding_id(self.kind, self.subject)


def heard(detail_type: str, detail: Detail) -> Heard | None:
    """What the event says of a finding; None for one that is about none."""
    reads = READS.get(detail_type)
    return reads(detail) if reads else None


def deliver_if_new(
    detail_type: str,
    detail: Detail,
    board: FindingsTable,
    now: datetime,
    tell: Callable[[], None],
) -> str:
    """Call `tell` for an event that people are to hear of, and remember what was told.

    Returns why it was told or not. What is over is always told: that event says more than "over".
    Raises FindingChanged when someone else wrote the finding meanwhile.
    """
    about = heard(detail_type, detail)
    if about is None:
        tell()
        return "it is about no finding"
    account_id = detail["account"]["id"]
    if not board.keeps(account_id):
        tell()
        return "its account has left, so that nothing is kept of it"
    known = board.findings.find(account_id, about.finding_id)
    decision = decide(known, about.seen, now)
    if about.seen is None or (not isinstance(decision, Suppress) and decision.tell):
        tell()
    finding = next_finding(account_id, decision, known, about.seen, now)
    if finding and finding != known:
        board.save(finding)
    return decision.reason


def _there(kind: FindingKind, subject: str, detail: Detail, mark: str) -> Heard:
    return Heard(
        kind,
        subject,
        Observation(
            kind,
            subject,
            Severity(detail["severity"]),
            reason=detail["summary"],
            remedy=" ".join(detail["actions"]),
            mark=mark,
        ),
    )


def _unreachable(details: Detail) -> str:
    return f"{details['error']} {details['reason']}"


def _period(detail: Detail) -> str:
    return str(detail["details"]["period"])


READS: Mapping[str, Callable[[Detail], Heard]] = {
    "DeliveryOverdue": lambda detail: _there(FindingKind.FRESHNESS, DELIVERIES, detail, ""),
    "PeriodPublished": lambda _detail: Heard(FindingKind.FRESHNESS, DELIVERIES, None),
    "AccountUnreachable": lambda detail: _there(
        FindingKind.PERMISSION_LOST, DELIVERIES, detail, _unreachable(detail["details"])
    ),
    **{
        kind.__name__: lambda detail: _there(
            FindingKind.KEY_OLD, detail["details"]["ending"], detail, ""
        )
        for _, kind in LIMITS
    },
    "PeriodDisputed": lambda detail: _there(
        FindingKind.MISMATCH, _period(detail), detail, detail["details"]["residual"]
    ),
    "PeriodCertified": lambda detail: Heard(FindingKind.MISMATCH, _period(detail), None),
    "PeriodProvisional": lambda detail: Heard(FindingKind.MISMATCH, _period(detail), None),
    "PeriodRestated": lambda detail: _there(
        FindingKind.RESTATEMENT, _period(detail), detail, detail["details"]["generation"]
    ),
}

"""Findings from events of other rooms: alerted once, and mutable.

The event itself is the alert, so nothing is sent twice. The finding records that it was sent, can
be muted, and is listed until it is over.
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
class EventMeaning:
    """The meaning of an event for a finding: it exists, or (`seen` is None) it is over."""

    kind: FindingKind
    subject: str
    seen: Observation | None

    @property
    def finding_id(self) -> str:
        return finding_id(self.kind, self.subject)


def meaning_of(detail_type: str, detail: Detail) -> EventMeaning | None:
    """Return the meaning of the event for a finding; None for an event without one."""
    reads = READS.get(detail_type)
    return reads(detail) if reads else None


def deliver_if_new(
    detail_type: str,
    detail: Detail,
    findings_table: FindingsTable,
    now: datetime,
    tell: Callable[[], None],
) -> str:
    """Call `tell` for an event that needs an alert, and record the alert.

    Return why the alert was sent or not. The end of a finding is always sent. Raises FindingChanged
    when someone else changed the finding in the meantime.
    """
    about = meaning_of(detail_type, detail)
    if about is None:
        tell()
        return "it is about no finding"
    account_id = detail["account"]["id"]
    if not findings_table.keeps(account_id):
        tell()
        return "its account has left, so that nothing is kept of it"
    known = findings_table.findings.find(account_id, about.finding_id)
    decision = decide(known, about.seen, now)
    if about.seen is None or (not isinstance(decision, Suppress) and decision.tell):
        tell()
    finding = next_finding(account_id, decision, known, about.seen, now)
    if finding and finding != known:
        findings_table.save(finding)
    return decision.reason


def _there(kind: FindingKind, subject: str, detail: Detail, mark: str) -> EventMeaning:
    return EventMeaning(
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


READS: Mapping[str, Callable[[Detail], EventMeaning]] = {
    "DeliveryOverdue": lambda detail: _there(FindingKind.FRESHNESS, DELIVERIES, detail, ""),
    "PeriodPublished": lambda _detail: EventMeaning(FindingKind.FRESHNESS, DELIVERIES, None),
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
    "PeriodCertified": lambda detail: EventMeaning(FindingKind.MISMATCH, _period(detail), None),
    "PeriodProvisional": lambda detail: EventMeaning(FindingKind.MISMATCH, _period(detail), None),
    "PeriodRestated": lambda detail: _there(
        FindingKind.RESTATEMENT, _period(detail), detail, detail["details"]["generation"]
    ),
}

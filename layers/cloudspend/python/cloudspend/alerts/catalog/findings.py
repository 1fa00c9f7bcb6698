"""What is found in the data: raised once, told again when it changes, and over one day."""

from collections.abc import Mapping
from enum import StrEnum

from cloudspend.alerts import schema as s
from cloudspend.alerts.catalog.event_type import MAX_CELLS, MAX_NAMES, EventType
from cloudspend.alerts.event import Severity


class FindingKind(StrEnum):
    """What a finding is about."""

    COST_ANOMALY = "cost_anomaly"
    FOREIGN_REGION = "foreign_region"
    BUDGET = "budget"
    COMMITMENT_EXPIRING = "commitment_expiring"
    COMMITMENT_UNUSED = "commitment_unused"
    PURCHASE_RECOMMENDATION = "purchase_recommendation"
    FRESHNESS = "freshness"
    COVERAGE_GAP = "coverage_gap"
    MISMATCH = "mismatch"
    RESTATEMENT = "restatement"
    PERMISSION_LOST = "permission_lost"
    KEY_OLD = "key_old"


_MOVER = s.obj(what=s.TEXT, before=s.MONEY, after=s.MONEY, difference=s.MONEY)
_FINDING: Mapping[str, s.Schema] = {
    "finding": s.TEXT,
    "kind": s.one_of(FindingKind),
    "subject": s.TEXT,
    "since": s.nullable(s.DAY),
}
_TOLD: Mapping[str, s.Schema] = {
    **_FINDING,
    "amount": s.nullable(s.MONEY),
    "currency": s.nullable(s.CURRENCY),
    "reason": s.TEXT,
    "remedy": s.TEXT,
    "moved": s.listing(_MOVER, MAX_CELLS),
}
_STEPS = (
    "{remedy}",
    "See all of it: cloudspend findings show {id} {finding}.",
    "Known and accepted? cloudspend findings mute {id} {finding} --days 30 --reason TEXT.",
)

EVENTS: Mapping[str, EventType] = {
    "FindingRaised": EventType(None, "{name} ({id}): {reason}", _STEPS, _TOLD),
    "FindingUpdated": EventType(
        None,
        "{name} ({id}), {change}: {reason}",
        _STEPS,
        {**_TOLD, "change": s.TEXT},
    ),
    "FindingResolved": EventType(
        Severity.INFO,
        "{name} ({id}): {kind} of {subject} is over. {reason}",
        (),
        {**_FINDING, "reason": s.TEXT},
    ),
    "FindingsDigest": EventType(
        Severity.INFO,
        "{name} ({id}): of {open} open findings, {changed} changed without a message of their own.",
        ("See them: cloudspend findings list {id}.",),
        {
            "open": s.COUNT,
            "changed": s.COUNT,
            "findings": s.listing(
                s.obj(finding=s.TEXT, kind=s.one_of(FindingKind), why=s.TEXT, summary=s.TEXT),
                MAX_NAMES,
            ),
        },
    ),
}

"""Events of findings: raised once, updated when they change, resolved when they are over."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from cloudspend.alerts.catalog.event_type import (
    MAX_CELLS,
    MAX_NAMES,
    Count,
    Currency,
    EventDetails,
    Money,
    Most,
    Record,
)
from cloudspend.alerts.event import Severity


class FindingKind(StrEnum):
    """The subject of a finding."""

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


_STEPS = (
    "{remedy}",
    "See the finding: cloudspend findings show {id} {finding}.",
    "Known and accepted? cloudspend findings mute {id} {finding} --days 30 --reason TEXT.",
)


class CostDriverRow(Record, frozen=True, kw_only=True):
    """A part of a cost that changed."""

    what: str
    before: Money
    after: Money
    difference: Money


class FindingRow(Record, frozen=True, kw_only=True):
    """A finding of the digest."""

    finding: str
    kind: FindingKind
    why: str
    summary: str


CostDriverRows = Annotated[tuple[CostDriverRow, ...], Most(MAX_CELLS)]


class FindingRaised(EventDetails, frozen=True, kw_only=True):
    """A finding is new, or open again."""

    severity = None
    title = "{subject}[: {amount} {currency}]"
    sentence = "{name} ({id}): {reason}"
    actions = _STEPS
    finding: str
    kind: FindingKind
    subject: str
    since: date | None = None
    amount: Money | None = None
    currency: Currency | None = None
    reason: str
    remedy: str
    moved: CostDriverRows


class FindingUpdated(EventDetails, frozen=True, kw_only=True):
    """A finding has changed enough to be reported again."""

    severity = None
    title = "{subject}, {change}[: {amount} {currency}]"
    sentence = "{name} ({id}), {change}: {reason}"
    actions = _STEPS
    finding: str
    kind: FindingKind
    subject: str
    since: date | None = None
    amount: Money | None = None
    currency: Currency | None = None
    reason: str
    remedy: str
    moved: CostDriverRows
    change: str


class FindingResolved(EventDetails, frozen=True, kw_only=True):
    """A finding is over."""

    severity = Severity.INFO
    title = "resolved: {subject}"
    sentence = "{name} ({id}): {kind} of {subject} is over. {reason}"
    finding: str
    kind: FindingKind
    subject: str
    since: date | None = None
    reason: str


class FindingsDigest(EventDetails, frozen=True, kw_only=True):
    """The changes of a day that were not reported separately."""

    severity = Severity.INFO
    title = "{changed} of {open} open findings changed"
    sentence = "{name} ({id}): {changed} of {open} open findings changed without an alert."
    actions = ("See them: cloudspend findings list {id}.",)
    open: Count
    changed: Count
    findings: Annotated[tuple[FindingRow, ...], Most(MAX_NAMES)]

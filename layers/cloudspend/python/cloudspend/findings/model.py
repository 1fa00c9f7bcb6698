"""Findings: something a person should know, from its first observation to its end."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from cloudspend.alerts.catalog.findings import FindingKind
from cloudspend.alerts.event import Severity

WEIGHT: Mapping[Severity, int] = {each: n for n, each in enumerate(Severity)}


class Status(StrEnum):
    """A finding is resolved when it is over, or when a person closes it."""

    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class CostDriver:
    """One part of an amount that changed, before and after, in currency units."""

    what: str
    before: Decimal
    after: Decimal

    @property
    def difference(self) -> Decimal:
        return self.after - self.before


@dataclass(frozen=True)
class Observation:
    """Today's observation of a rule.

    `kind` and `subject` (within the account) identify it; `reason` and `remedy` are sentences for a
    person. `mark` is a fingerprint of the state where there is no amount: another mark is a change.
    """

    kind: FindingKind
    subject: str
    severity: Severity
    reason: str
    remedy: str
    since: date | None = None
    amount: Decimal | None = None
    currency: str | None = None
    moved: tuple[CostDriver, ...] = ()
    mark: str = ""

    @property
    def finding_id(self) -> str:
        return finding_id(self.kind, self.subject)


@dataclass(frozen=True)
class Finding:
    """An observation with its history.

    `last_alert` is the observation of the last alert. `changes` counts the alerts; `announced` is
    whether an alert reported it as open. `closed_by` is the reason of the person who closed it,
    empty if it ended by itself. There are no alerts until `muted_until`.
    """

    account_id: str
    seen: Observation
    last_alert: Observation
    status: Status
    raised_at: datetime
    seen_at: datetime
    changes: int = 0
    announced: bool = True
    resolved_at: datetime | None = None
    closed_by: str = ""
    muted_until: datetime | None = None
    mute_reason: str = ""
    revision: int = 0

    @property
    def finding_id(self) -> str:
        return self.seen.finding_id

    @property
    def is_open(self) -> bool:
        return self.status is Status.OPEN

    def is_muted(self, now: datetime) -> bool:
        return self.muted_until is not None and now < self.muted_until

    def muted(self, until: datetime, reason: str) -> "Finding":
        return replace(self, muted_until=until, mute_reason=reason)

    def closed(self, now: datetime, by: str = "") -> "Finding":
        """Return the finding as resolved, by itself or by a person's reason."""
        return replace(self, status=Status.RESOLVED, resolved_at=now, closed_by=by)


def finding_id(kind: FindingKind, subject: str) -> str:
    """Return the id of every observation of one subject in one account."""
    return hashlib.sha256(f"{kind}\n{subject}".encode()).hexdigest()[:10]

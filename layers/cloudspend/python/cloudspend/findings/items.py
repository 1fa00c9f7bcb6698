"""Registry items of findings.

`kind` adds open findings to the index of all accounts.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from cloudspend.alerts.catalog.findings import FindingKind
from cloudspend.alerts.event import Severity
from cloudspend.findings.model import CostDriver, Finding, Observation, Status

FINDING = "FINDING"

Item = Mapping[str, Any]


def finding_key(account_id: str, finding_id: str) -> dict[str, str]:
    """Return the key of a finding."""
    return {"pk": f"ACCOUNT#{account_id}", "sk": f"{FINDING}#{finding_id}"}


def from_finding(finding: Finding) -> dict[str, Any]:
    item = {
        **finding_key(finding.account_id, finding.finding_id),
        "account_id": finding.account_id,
        "seen": _from_observation(finding.seen),
        "last_alert": _from_observation(finding.last_alert),
        "status": str(finding.status),
        "raised_at": finding.raised_at.isoformat(),
        "seen_at": finding.seen_at.isoformat(),
        "changes": finding.changes,
        "announced": finding.announced,
        "resolved_at": _iso(finding.resolved_at),
        "closed_by": finding.closed_by,
        "muted_until": _iso(finding.muted_until),
        "mute_reason": finding.mute_reason,
        "revision": finding.revision,
    }
    return item | ({"kind": FINDING} if finding.is_open else {})


def to_finding(item: Item) -> Finding:
    """Return the finding of a FINDING# item."""
    return Finding(
        account_id=item["account_id"],
        seen=_to_observation(item["seen"]),
        last_alert=_to_observation(item["last_alert"]),
        status=Status(item["status"]),
        raised_at=datetime.fromisoformat(item["raised_at"]),
        seen_at=datetime.fromisoformat(item["seen_at"]),
        changes=int(item["changes"]),
        announced=item["announced"],
        resolved_at=_time(item["resolved_at"]),
        closed_by=item["closed_by"],
        muted_until=_time(item["muted_until"]),
        mute_reason=item["mute_reason"],
        revision=int(item["revision"]),
    )


def _from_observation(seen: Observation) -> dict[str, Any]:
    """Return the item of an observation. Money is text: DynamoDB's numbers have at most 38
    digits.
    """
    return {
        "kind": str(seen.kind),
        "subject": seen.subject,
        "severity": str(seen.severity),
        "reason": seen.reason,
        "remedy": seen.remedy,
        "since": _iso(seen.since),
        "amount": None if seen.amount is None else f"{seen.amount:f}",
        "currency": seen.currency,
        "moved": [[each.what, f"{each.before:f}", f"{each.after:f}"] for each in seen.moved],
        "mark": seen.mark,
    }


def _to_observation(item: Item) -> Observation:
    since, amount = item["since"], item["amount"]
    return Observation(
        kind=FindingKind(item["kind"]),
        subject=item["subject"],
        severity=Severity(item["severity"]),
        reason=item["reason"],
        remedy=item["remedy"],
        since=None if since is None else date.fromisoformat(since),
        amount=None if amount is None else Decimal(amount),
        currency=item["currency"],
        moved=tuple(
            CostDriver(w, Decimal(before), Decimal(now)) for w, before, now in item["moved"]
        ),
        mark=item["mark"],
    )


def _iso(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)

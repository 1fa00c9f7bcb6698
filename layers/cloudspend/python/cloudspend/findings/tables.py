"""The table `findings` and its rows."""

import json
from typing import Any

from cloudspend.findings.model import Finding
from cloudspend.lake.tables import ACCOUNT_KEY, Column, Table

FINDINGS = Table(
    name="findings",
    comment="What a person should know of each account, open and over, one row a finding",
    partition_keys=(ACCOUNT_KEY,),
    columns=(
        Column("finding_id", "string", "The finding's ten characters, as the commands take it"),
        Column("kind", "string", "What it is about: cost_anomaly, budget, mismatch and others"),
        Column("subject", "string", "What of the account it is about"),
        Column("severity", "string", "info, warning or critical"),
        Column("status", "string", "open or resolved"),
        Column("summary", "string", "What was last seen, as a sentence"),
        Column("what_to_do", "string", "The remedy, as a sentence"),
        Column("since", "date", "Since when, as far as the data say; null where they do not"),
        Column("amount", "double", "How much; null where it is not about money"),
        Column("currency", "string", "ISO 4217 currency of the amount"),
        Column("moved", "string", "What moved: a JSON array of objects with what, before, after"),
        Column("raised_at", "timestamp", "When it was raised, or raised again, in UTC"),
        Column("seen_at", "timestamp", "When it was last seen, in UTC"),
        Column("messages", "bigint", "Number of alerts about it"),
        Column("resolved_at", "timestamp", "When it was over, in UTC; null while it is open"),
        Column("resolved_because", "string", "What the person wrote who closed it, if one did"),
        Column("muted_until", "timestamp", "Until when no alert about it is sent, in UTC"),
        Column("muted_because", "string", "Why"),
    ),
)
TABLES = (FINDINGS,)


def prefix(account_id: str) -> str:
    """Return the folder of an account's rows."""
    return f"{FINDINGS.data_folder}/{ACCOUNT_KEY.name}={account_id}/"


def row(finding: Finding) -> dict[str, Any]:
    """Return the row of a finding."""
    seen = finding.seen
    moved = [
        {"what": each.what, "before": f"{each.before:f}", "after": f"{each.after:f}"}
        for each in seen.moved
    ]
    return {
        "finding_id": finding.finding_id,
        "kind": str(seen.kind),
        "subject": seen.subject,
        "severity": str(seen.severity),
        "status": str(finding.status),
        "summary": seen.reason,
        "what_to_do": seen.remedy,
        "since": seen.since,
        "amount": None if seen.amount is None else float(seen.amount),
        "currency": seen.currency,
        "moved": json.dumps(moved),
        "raised_at": finding.raised_at,
        "seen_at": finding.seen_at,
        "messages": finding.changes,
        "resolved_at": finding.resolved_at,
        "resolved_because": finding.closed_by or None,
        "muted_until": finding.muted_until,
        "muted_because": finding.mute_reason or None,
    }

"""List, mute and resolve findings by hand."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from cloudspend.errors import UsageError
from cloudspend.findings.findings_table import FindingsTable
from cloudspend.findings.model import WEIGHT, Finding
from cloudspend.findings.ports import Findings


def order(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings: most severe first, then largest, then oldest."""
    return sorted(
        findings,
        key=lambda each: (
            -WEIGHT[each.seen.severity],
            -(each.seen.amount or Decimal()),
            each.raised_at,
        ),
    )


def the_finding(findings: Findings, account_id: str, finding_id: str) -> Finding:
    """Return a finding. Raises UsageError when there is none."""
    found = findings.find(account_id, finding_id)
    if found is None:
        raise UsageError(
            f"The account {account_id} has no finding {finding_id!r}.",
            remedy=f"See those it has: cloudspend findings list {account_id} --all.",
        )
    return found


def mute_end(now: datetime, length: timedelta) -> datetime:
    """Return the end of a mute of `length`, to the second."""
    return (now + length).replace(microsecond=0)


def mute(
    findings_table: FindingsTable, account_id: str, finding_id: str, until: datetime, reason: str
) -> Finding:
    """Mute a finding. Raises UsageError for an unknown or ended finding, and for an empty
    reason.
    """
    known = the_finding(findings_table.findings, account_id, finding_id)
    if not known.is_open:
        raise UsageError(f"The finding {finding_id} is over: there is nothing to mute.")
    return findings_table.save(known.muted(until, _given(reason)))


def resolve(
    findings_table: FindingsTable, account_id: str, finding_id: str, now: datetime, reason: str
) -> Finding:
    """Close a finding. Raises UsageError for an unknown or ended finding, and for an empty
    reason.
    """
    known = the_finding(findings_table.findings, account_id, finding_id)
    if not known.is_open:
        raise UsageError(f"The finding {finding_id} is over already.")
    return findings_table.save(known.closed(now, by=_given(reason)))


def _given(reason: str) -> str:
    if not reason.strip():
        raise UsageError("The reason is empty.", remedy='Say why: --reason "a new customer".')
    return reason.strip()

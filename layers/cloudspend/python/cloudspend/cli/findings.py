"""`cloudspend findings`: list, show, mute and resolve findings."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from cloudspend import wiring
from cloudspend.cli.options import AccountId, OutputOption
from cloudspend.cli.output import Output, progress, show, show_one
from cloudspend.findings.manage import mute, mute_end, order, resolve, the_finding
from cloudspend.findings.model import Finding

COLUMNS = ("finding", "account_id", "kind", "severity", "status", "since", "amount", "summary")

app = typer.Typer(help="See findings, mute them, say that they are dealt with.")

FindingId = Annotated[str, typer.Argument(metavar="FINDING", help="The finding's ten characters.")]
Reason = Annotated[str, typer.Option(help="Why, for the next person who looks at it.")]


@app.command("list")
def list_findings(
    account_id: Annotated[
        str, typer.Argument(metavar="[ACCOUNT]", help="One account's; without it, everyone's.")
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Of one account: those that are over as well.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the open findings, most severe and largest first."""
    findings = wiring.operator().findings
    found = findings.of(account_id) if account_id else findings.open()
    now = datetime.now(UTC)
    rows = [_row(each, now) for each in order(found) if each.is_open or (everything and account_id)]
    show(rows, COLUMNS, output, "There is no open finding.")


@app.command("show")
def show_finding(
    account_id: AccountId, finding_id: FindingId, output: OutputOption = Output.TABLE
) -> None:
    """Show one finding: its cost drivers, the remedy, and its history."""
    finding = the_finding(wiring.operator().findings, account_id, finding_id)
    show_one(_whole(finding, datetime.now(UTC)), output)


@app.command("mute")
def mute_finding(
    account_id: AccountId,
    finding_id: FindingId,
    reason: Reason,
    days: Annotated[int, typer.Option(min=1, max=366, help="For how many days.")] = 30,
) -> None:
    """Mute a finding for some days: it sends no alerts, and stays in the list."""
    until = mute_end(datetime.now(UTC), timedelta(days=days))
    mute(wiring.operator().findings_table, account_id, finding_id, until, reason)
    progress(f"Muted until {until:%Y-%m-%d %H:%M} UTC.")


@app.command("resolve")
def resolve_finding(account_id: AccountId, finding_id: FindingId, reason: Reason) -> None:
    """Close a finding. It is raised again only when it gets worse, or returns after it was over."""
    resolve(wiring.operator().findings_table, account_id, finding_id, datetime.now(UTC), reason)
    progress("Resolved.")


def _row(finding: Finding, now: datetime) -> dict[str, Any]:
    seen = finding.seen
    return {
        "finding": finding.finding_id,
        "account_id": finding.account_id,
        "kind": str(seen.kind),
        "severity": str(seen.severity),
        "status": "muted" if finding.is_open and finding.is_muted(now) else str(finding.status),
        "since": seen.since,
        "amount": None if seen.amount is None else f"{seen.amount:f} {seen.currency or ''}".strip(),
        "summary": seen.reason,
    }


def _whole(finding: Finding, now: datetime) -> dict[str, Any]:
    moved = [f"{m.what}: {m.before:f} to {m.after:f}" for m in finding.seen.moved]
    return {
        **_row(finding, now),
        "subject": finding.seen.subject,
        "what_to_do": finding.seen.remedy,
        "moved": moved,
        "raised_at": finding.raised_at,
        "seen_at": finding.seen_at,
        "messages": finding.changes,
        "resolved_at": finding.resolved_at,
        "resolved_because": finding.closed_by,
        "muted_until": finding.muted_until,
        "muted_because": finding.mute_reason,
    }

"""`cloudspend ingest`: ingest AWS's deliveries now."""

import time
from typing import Annotated

import typer

from cloudspend import wiring
from cloudspend.cli.options import AccountId, OutputOption
from cloudspend.cli.output import Output, progress, show
from cloudspend.exports.deliveries import Unreadable
from cloudspend.exports.model import BillingPeriod
from cloudspend.ingest.backfill import Backfill, advance, find_backfill
from cloudspend.ingest.start import IngestRequest, Started
from cloudspend.lake.ports import Executions

COLUMNS = ("period", "generation", "outcome", "reason")
SUCCEEDED, WAITING, UNREADABLE = "SUCCEEDED", "WAITING", "UNREADABLE"
FAILED = 1
POLL_SECONDS = 1.0
PATIENCE_SECONDS = 10.0

Row = dict[str, str]


def ingest(
    account_id: AccountId,
    period: Annotated[str | None, typer.Option(help="YYYY-MM; default: every period.")] = None,
    wait: Annotated[bool, typer.Option(help="Wait for the end, and fail if it failed.")] = True,
    at_once: Annotated[
        int | None, typer.Option(min=1, help="How many periods are taken in at the same time.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Convert, check and publish the newest delivery of each period, newest period first.

    Skips periods that are published or running, and retries failed deliveries. Without waiting,
    starts only as many periods as run at the same time.
    """
    operator = wiring.operator()
    chosen = BillingPeriod.parse(period) if period else None
    backfill, unreadable = find_backfill(
        account_id, chosen, operator.accounts, operator.customer_bucket
    )
    limit = at_once or operator.settings.policy.backfill_at_once
    backfill, started = advance(backfill, operator.executions, limit)
    if wait:
        started += _to_the_end(backfill, operator.executions, limit)
        backfill = Backfill()
    rows = [
        *(_row(one, operator.executions.status(one.execution) or "UNKNOWN") for one in started),
        *map(_waiting, backfill.waiting),
        *map(_unreadable, unreadable),
    ]
    show(rows, COLUMNS, output, "AWS has delivered nothing for this account yet.")
    if backfill.waiting:
        progress(f"{len(backfill.waiting)} wait: give the command again when these have ended.")
    if unreadable or (wait and any(row["outcome"] != SUCCEEDED.lower() for row in rows)):
        progress(f"Why: the alerts, or cloudspend accounts show {account_id}.")
        raise typer.Exit(FAILED)


def _to_the_end(backfill: Backfill, executions: Executions, at_once: int) -> list[Started]:
    """Start waiting deliveries as others end, until all have ended, and report progress."""
    began = spoke = time.monotonic()
    started: list[Started] = []
    while backfill.waiting or backfill.running:
        if time.monotonic() - spoke >= PATIENCE_SECONDS:
            spoke = time.monotonic()
            progress(
                f"{len(backfill.running)} running, {len(backfill.waiting)} waiting, "
                f"for {spoke - began:.0f} s"
            )
        time.sleep(POLL_SECONDS)
        backfill, more = advance(backfill, executions, at_once)
        started += more
    return started


def _row(started: Started, outcome: str) -> Row:
    return _as_row(started.period, started.generation, outcome, started.reason)


def _waiting(request: IngestRequest) -> Row:
    return _as_row(request.period, request.generation, WAITING, "Newer periods go first.")


def _unreadable(manifest: Unreadable) -> Row:
    return _as_row(manifest.period, "", UNREADABLE, manifest.error.sentence)


def _as_row(period: BillingPeriod, generation: str, outcome: str, reason: str) -> Row:
    return {
        "period": str(period),
        "generation": generation,
        "outcome": outcome.lower(),
        "reason": reason,
    }

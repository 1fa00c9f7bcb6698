"""`cloudspend ingest`: take in now what AWS has delivered."""

import time
from typing import Annotated

import typer

from cloudspend import wiring
from cloudspend.cli.options import AccountId, OutputOption
from cloudspend.cli.output import Output, say, show
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.ports import Executions
from cloudspend.lake.start import Started, ingest_account

COLUMNS = ("period", "generation", "outcome", "reason")
RUNNING, SUCCEEDED = "RUNNING", "SUCCEEDED"
FAILED = 1
POLL_SECONDS = 1.0
PATIENCE_SECONDS = 10.0


def ingest(
    account_id: AccountId,
    period: Annotated[str | None, typer.Option(help="YYYY-MM; default: every period.")] = None,
    wait: Annotated[bool, typer.Option(help="Wait for the end, and fail if it failed.")] = True,
    output: OutputOption = Output.TABLE,
) -> None:
    """Convert, check and publish the newest delivery of each period.

    What is published already, or under way, is left alone; a delivery that failed is tried again.
    """
    operator = wiring.operator()
    chosen = BillingPeriod.parse(period) if period else None
    started = ingest_account(
        account_id, chosen, operator.accounts, operator.customer_bucket, operator.executions
    )
    ended = [_end(one, operator.executions) if wait else RUNNING for one in started]
    rows = [_row(one, outcome) for one, outcome in zip(started, ended, strict=True)]
    show(rows, COLUMNS, output, "AWS has delivered nothing for this account yet.")
    if wait and any(outcome != SUCCEEDED for outcome in ended):
        say(f"Why: the alerts, or cloudspend accounts show {account_id}.")
        raise typer.Exit(FAILED)


def _end(started: Started, executions: Executions) -> str:
    """Wait until the execution is over; tell now and then that it is not."""
    began = spoke = time.monotonic()
    while (status := executions.status(started.execution)) == RUNNING:
        if time.monotonic() - spoke >= PATIENCE_SECONDS:
            spoke = time.monotonic()
            say(f"{started.period}: running for {spoke - began:.0f} s")
        time.sleep(POLL_SECONDS)
    return status or "UNKNOWN"


def _row(started: Started, outcome: str) -> dict[str, str]:
    return {
        "period": str(started.period),
        "generation": started.generation,
        "outcome": outcome.lower(),
        "reason": started.reason,
    }

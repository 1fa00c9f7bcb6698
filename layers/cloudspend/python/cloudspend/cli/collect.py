"""`cloudspend collect`: start a run of Collect.

Like `cloudspend sweep`, it starts the state machine: operators need no permission in customers'
accounts, and the requests count toward the same budget.
"""

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

import typer

from cloudspend import payloads as p
from cloudspend import wiring
from cloudspend.cli.options import OutputOption, ingesting
from cloudspend.cli.output import Output, progress, show
from cloudspend.collect.calls import PAGE_PRICE
from cloudspend.collect.collect_run import outcomes_key
from cloudspend.collect.model import Status
from cloudspend.errors import Defect

COLUMNS = ("account", "source", "status", "rows", "pages", "cost", "reason")
RUNNING, SUCCEEDED, FAILED = "RUNNING", "SUCCEEDED", "FAILED"
INCOMPLETE = 1
POLL_SECONDS = 1.0
PATIENCE_SECONDS = 10.0


def collect(
    account_id: Annotated[
        str | None, typer.Argument(help="The account; without one, every active account.")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="Only this source; may be given several times.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Collect AWS's own figures now: Cost Explorer, commitments, budgets, invoices, the
    organization.

    Waits for the end and prints by source the stored rows, the requested pages, their cost to the
    account (in USD), and the result. Skips sources that are not due, unless an account or source is
    named. Fails if a source failed.
    """
    platform = wiring.operator()
    if account_id:
        ingesting(platform.accounts.get(account_id))
    name = f"operator-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    wanted = {p.ACCOUNTS: [account_id] if account_id else [], p.SOURCES: source or []}
    platform.collects.start(name, wanted)
    _wait(platform.collects, name)
    outcomes = _outcomes(platform.lake, name)
    rows = [_row(one) for one in outcomes]
    show(rows, COLUMNS, output, "There is no active account.")
    for one in sorted({one[p.ACCOUNT_ID] for one in outcomes}):
        _say_cost(platform, one, datetime.now(UTC).date())
    if any(one[p.STATUS] == Status.FAILED for one in outcomes):
        raise typer.Exit(INCOMPLETE)


def _wait(collects: Any, name: str) -> None:
    """Wait until the run has ended. A run with a failed source has also written its outcomes."""
    began = spoke = time.monotonic()
    while (status := collects.status(name)) in (RUNNING, None):
        if time.monotonic() - spoke >= PATIENCE_SECONDS:
            spoke = time.monotonic()
            progress(f"running for {spoke - began:.0f} s")
        time.sleep(POLL_SECONDS)
    if status not in (SUCCEEDED, FAILED):
        raise Defect(
            f"The execution {name} of cloudspend-collect ended as {status}.",
            remedy="See its history in the Step Functions console.",
        )


def _outcomes(lake: Any, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = lake.read_json(outcomes_key(name))
    return found


def _row(outcome: dict[str, Any]) -> dict[str, Any]:
    return {
        "account": outcome[p.ACCOUNT_ID],
        "source": outcome[p.SOURCE],
        "status": outcome[p.STATUS],
        "rows": outcome[p.ROWS],
        "pages": outcome[p.PAGES],
        "cost": Decimal(outcome[p.COST]),
        "reason": outcome[p.REASON],
    }


def _say_cost(platform: Any, account_id: str, day: date) -> None:
    taken = platform.spend.taken(account_id, day)
    progress(
        f"{account_id}: {taken} priced pages of Cost Explorer today, {taken * PAGE_PRICE} USD of "
        f"{platform.settings.policy.collect_pages * PAGE_PRICE} USD."
    )

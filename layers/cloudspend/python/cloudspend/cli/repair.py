"""`cloudspend periods repair`: repair partitions that differ from the registry."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from cloudspend import wiring
from cloudspend.cli.options import AccountId, OutputOption
from cloudspend.cli.output import Output, progress, show
from cloudspend.exports.model import BillingPeriod
from cloudspend.sweep.repair import Drift, drifts, look, repair, without_files

COLUMNS = ("period", "table", "generation", "wrong")
FAILED = 1


def repair_periods(
    account_id: AccountId,
    period: Annotated[
        str | None, typer.Argument(metavar="PERIOD", help="YYYY-MM; default: every period.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Set the partitions of an account's billing periods to their published generations.

    Lists the repairs; each one is also published as the event PartitionRepaired. Sweep does the
    same four times a day. Fails if the files of a published generation are missing, which no repair
    restores.
    """
    operator = wiring.operator()
    account = operator.accounts.get(account_id)
    chosen = BillingPeriod.parse(period) if period else None
    holdings = operator.generations.holdings(account.account_id)
    shown, stored = look(account.account_id, operator.publish_ports, operator.lake)
    found = drifts(holdings, shown, operator.lake.bucket)
    wanted = [drift for drift in found if chosen in (None, drift.period)]
    repaired = repair(account, wanted, operator.publish_ports, datetime.now(UTC))
    show([_row(drift) for drift in repaired], COLUMNS, output, "Every partition was right.")
    lost = [one for one in without_files(holdings, stored) if chosen in (None, one.period)]
    for one in lost:
        progress(f"{one.period}: the files of generation {one.generation} are gone from the lake.")
    if lost:
        raise typer.Exit(FAILED)


def _row(drift: Drift) -> dict[str, str | None]:
    return {
        "period": str(drift.period),
        "table": drift.table,
        "generation": drift.generation,
        "wrong": drift.wrong,
    }

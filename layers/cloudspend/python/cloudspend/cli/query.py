"""`cloudspend query`: run a query in Athena."""

from typing import Annotated

import typer

from cloudspend import wiring
from cloudspend.cli.options import OutputOption
from cloudspend.cli.output import Output, progress, show
from cloudspend.lake.query import run_query

KB = 1024


def query(
    sql: Annotated[str, typer.Argument(help="Athena SQL; tables are in the database cloudspend.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Run one SQL statement in CloudSpend's workgroup and print its result.

    Start with: SELECT * FROM billing_periods, cost_by_service_daily or cost_by_account_monthly.
    """
    result = run_query(wiring.operator().queries, sql)
    rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
    show(rows, result.columns, output, "The query has no rows.")
    if output is Output.TABLE:
        progress(f"{len(rows)} rows, {result.scanned_bytes / KB:,.0f} KB scanned")

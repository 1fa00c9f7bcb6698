"""`cloudspend exports`: exports of an account, their flaws, and the support case for earlier
months.
"""

from datetime import UTC, datetime
from typing import Any

import typer

from cloudspend import wiring
from cloudspend.cli.options import AccountId, ListsByDefault, OutputOption
from cloudspend.cli.output import Output, progress, show, show_whole
from cloudspend.errors import UsageError
from cloudspend.exports.definition import Definition, flaws
from cloudspend.exports.history import missing_months, support_case

COLUMNS = ("name", "kind", "used", "location", "region", "format", "wrong", "parameters")
FOR_PEOPLE = ("name", "kind", "used", "location", "wrong")

app = typer.Typer(
    cls=ListsByDefault,
    no_args_is_help=True,
    help="See an account's reports and exports. `cloudspend exports ACCOUNT` lists them.",
)


@app.command("list")
def list_exports(account_id: AccountId, output: OutputOption = Output.TABLE) -> None:
    """List every report and export of cost in the account, with its flaws.

    To use another export, the customer updates the stack with the parameters that are listed for
    it.
    """
    operator = wiring.operator()
    account = operator.accounts.get(account_id)
    found = operator.export_definitions(account).all()
    rows = [
        _row(one, one.export == account.export, operator.settings.region)
        for one in sorted(found, key=lambda one: (one.export.kind, one.export.name))
    ]
    people = output is Output.TABLE
    columns = FOR_PEOPLE if people else COLUMNS
    show(rows, columns, output, "The account has neither a report nor an export of cost.")
    for row in rows if people else ():
        if not row["used"]:
            progress(f"To use {row['name']}, update the stack with: {row['parameters']}")


@app.command("backfill-text")
def backfill_text(account_id: AccountId) -> None:
    """Write the support case with which the customer requests missing months.

    AWS delivers an export from the month of its creation; earlier months require a support case.
    """
    operator = wiring.operator()
    account = operator.accounts.get(account_id)
    holdings = operator.generations.holdings(account.account_id)
    published = {one.period for one in holdings.published}
    months = missing_months(account.start_date, published, datetime.now(UTC))
    if not months:
        raise UsageError(
            f"No month of {account.display_name} ({account.account_id}) is missing since "
            f"{account.start_date}.",
            remedy="For earlier ones invite the account with an earlier --start-date.",
        )
    show_whole(support_case(account, months))


def _row(definition: Definition, used: bool, region: str) -> dict[str, Any]:
    export = definition.export
    return {
        "name": export.name,
        "kind": export.kind.value,
        "used": used,
        "location": f"s3://{export.bucket}/{export.prefix}",
        "region": definition.region,
        "format": definition.format,
        "wrong": " ".join(flaws(definition, region)),
        "parameters": " ".join(f"{k}={v}" for k, v in definition.parameters.items()),
    }

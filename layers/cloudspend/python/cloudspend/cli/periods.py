"""`cloudspend periods`: what readers see of an account, month by month."""

from cloudspend import wiring
from cloudspend.cli.options import AccountId, OutputOption
from cloudspend.cli.output import Output, say, show
from cloudspend.lake.model import PublishedPeriod

COLUMNS = (
    "period",
    "certification",
    "billed_cost",
    "effective_cost",
    "currency",
    "residual",
    "rows",
    "generation",
)
DETAILS = ("published_at", "reason")


def periods(account_id: AccountId, output: OutputOption = Output.TABLE) -> None:
    """List an account's billing periods with their certification.

    certified: final, and equal to Cost Explorer's figures. provisional: open, or not compared yet.
    disputed: the figures differ, see the reason. The residual is what remains of the difference.
    """
    operator = wiring.operator()
    account = operator.accounts.get(account_id)
    rows = [_row(period) for period in operator.generations.periods(account.account_id)]
    columns = COLUMNS if output is Output.TABLE else (*COLUMNS, *DETAILS)
    show(rows, columns, output, f"No period of {account.display_name} is published yet.")
    if output is Output.TABLE:
        for row in rows:
            say(f"{row['period']} is {row['certification']}: {row['reason']}")


def _row(period: PublishedPeriod) -> dict[str, object]:
    totals = period.totals
    return {
        "period": str(period.period),
        "certification": str(period.verdict),
        "billed_cost": round(totals.billed_cost, 2),
        "effective_cost": round(totals.effective_cost, 2),
        "currency": totals.currency,
        "residual": None if period.residual is None else round(period.residual, 4),
        "rows": totals.rows,
        "generation": period.generation,
        "published_at": f"{period.published_at:%Y-%m-%d %H:%M:%S}",
        "reason": period.verdict_reason,
    }

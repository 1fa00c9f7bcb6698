"""`cloudspend reconcile`: compare with Cost Explorer now, and show the arithmetic of the
verdict.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import typer

from cloudspend import wiring
from cloudspend.accounts.model import Account
from cloudspend.cli.options import AccountId, OutputOption
from cloudspend.cli.output import Output, progress, show
from cloudspend.errors import UsageError
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import PublishedPeriod, Verdict
from cloudspend.reconcile.compare import Comparison, Difference, Measure
from cloudspend.reconcile.invoice import InvoiceCheck, invoices_of
from cloudspend.reconcile.reconcile import reconcile_period
from cloudspend.reconcile.rules import ROUNDING
from cloudspend.reconcile.tables import Outcome

ARITHMETIC = (
    "account",
    "service",
    "charge_type",
    "figure",
    "cost_explorer",
    "lake",
    "difference",
    "explained",
    "residual",
)
COLUMNS = ("period", *ARITHMETIC, "because")
TOTAL, INVOICES, INVOICE = "total", "invoices", "invoice"
# A smaller difference, apart from rounding, counts as equal for people.
SHOWN = Decimal("0.005")
REQUEST = Decimal("0.01")

Row = dict[str, object]


def reconcile(
    account_id: AccountId,
    period: Annotated[
        str | None,
        typer.Argument(
            metavar="[PERIOD]", help="YYYY-MM; default: every period that is not certified."
        ),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Compare published periods with AWS's own figures now, and show the arithmetic of the verdict.

    For each figure: the total in Cost Explorer and in the lake, their difference, the explained
    part and the rest. The same for the period's invoices, if AWS provides them, in place of Cost
    Explorer. Then each differing invoice and cell, largest first, with its reason. The billing
    console shows the same figures in Cost Explorer, grouped by service. AWS bills the account 0.01
    USD for each request.
    """
    operator = wiring.operator()
    account = operator.accounts.get(account_id)
    outcomes = [
        _reconciled(published, account, operator)
        for published in _chosen(account, period, operator)
    ]
    nothing = f"Every published period of {account.display_name} is certified."
    if not outcomes and not operator.generations.periods(account_id):
        nothing = f"No period of {account.display_name} is published yet."
    if output is not Output.TABLE or not outcomes:
        show([row for each in outcomes for row in arithmetic(each)], COLUMNS, output, nothing)
    for outcome in outcomes:
        if output is Output.TABLE:
            show(list(arithmetic(outcome)), ARITHMETIC, output, "")
        _tell(outcome)


def now() -> datetime:
    """Return the time of a comparison."""
    return datetime.now(UTC)


def arithmetic(outcome: Outcome) -> Iterator[Row]:
    """Yield the totals of each figure and of the invoices, then the differing cells."""
    comparison = outcome.comparison
    if comparison is None:
        return
    period = str(outcome.published.period)
    for measure in comparison.measures:
        yield _total(period, comparison, measure)
    if outcome.invoice and outcome.invoice.invoices:
        yield from _invoices(period, outcome.invoice)
    differences = (d for m in comparison.measures for d in comparison.differences(m))
    off = [each for each in differences if abs(each.difference) >= SHOWN]
    for each in sorted(off, key=lambda d: (-abs(d.residual), -abs(d.difference), d.cell)):
        yield _cell(period, each, comparison)


def _tell(outcome: Outcome) -> None:
    """Print the verdict and each explanation once."""
    explanations = outcome.comparison.explanations if outcome.comparison else ()
    for because in dict.fromkeys(each.because for each in explanations if each.rule != ROUNDING):
        progress(f"Explained: {because}")
    if outcome.invoice and outcome.invoice.why_none:
        progress(f"No invoice was compared: {outcome.invoice.why_none}")
    progress(
        f"{outcome.published.period} is {outcome.judgement.verdict}: {outcome.judgement.reason} "
        f"({outcome.ce_requests} requests to Cost Explorer, {outcome.ce_requests * REQUEST} USD)"
    )


def _chosen(
    account: Account, period: str | None, operator: wiring.Platform
) -> list[PublishedPeriod]:
    """Return the periods to compare. Raises UsageError for a period that is not published."""
    if period is None:
        held = operator.generations.periods(account.account_id)
        return [each for each in held if each.verdict is not Verdict.CERTIFIED]
    published = operator.generations.pointer(account.account_id, BillingPeriod.parse(period))
    if published is None:
        raise UsageError(
            f"No bill of {period} is published for {account.display_name}.",
            remedy=f"See which are: cloudspend periods {account.account_id}.",
        )
    return [published]


def _reconciled(published: PublishedPeriod, account: Account, operator: wiring.Platform) -> Outcome:
    api = operator.cost_explorer(account)
    invoices = invoices_of(operator.services(account, "reconcile"), account.account_id)
    outcome = reconcile_period(published, account, api, operator.reconciling, now(), invoices)
    if outcome is None:
        raise UsageError(
            f"Another generation of {published.period} was published in the meantime.",
            remedy="Its own ingestion compares it; give the command again to see how.",
        )
    return outcome


def _total(period: str, comparison: Comparison, measure: Measure) -> Row:
    lake, cost_explorer = (
        measure.of(comparison.lake.total),
        measure.of(comparison.cost_explorer.total),
    )
    explained = measure.of(comparison.total_explained)
    return _row(period, TOTAL, str(measure), cost_explorer, lake, explained)


def _invoices(period: str, check: InvoiceCheck) -> Iterator[Row]:
    """Yield all invoices together, then the differing ones."""
    billed = str(Measure.BILLED)
    yield _row(period, INVOICES, billed, check.total, check.lake, Decimal(0))
    off = [each for each in check.invoices if abs(each.residual) >= SHOWN]
    for each in sorted(off, key=lambda each: -abs(each.residual)):
        row = _row(period, INVOICE, billed, each.invoice, each.lake, Decimal(0))
        yield row | {"service": each.invoice_id}


def _cell(period: str, difference: Difference, comparison: Comparison) -> Row:
    cell = difference.cell
    because = [each.because for each in comparison.explanations if each.cell == cell]
    row = _row(
        period,
        cell.account_id,
        str(difference.measure),
        difference.cost_explorer,
        difference.lake,
        difference.explained,
    )
    return row | {
        "service": cell.service,
        "charge_type": cell.charge_type,
        "because": " ".join(dict.fromkeys(because)),
    }


def _row(
    period: str,
    account: str,
    figure: str,
    cost_explorer: Decimal,
    lake: Decimal,
    explained: Decimal,
) -> Row:
    return {
        "period": period,
        "account": account,
        "service": None,
        "charge_type": None,
        "figure": figure,
        "cost_explorer": round(cost_explorer, 4),
        "lake": round(lake, 4),
        "difference": round(lake - cost_explorer, 4),
        "explained": round(explained, 4),
        "residual": round(lake - cost_explorer - explained, 4),
        "because": None,
    }

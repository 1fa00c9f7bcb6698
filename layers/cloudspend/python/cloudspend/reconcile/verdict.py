"""Decide the verdict on a period by its residuals.

certified    the bill is final and every cell agrees, if need be after an explanation
disputed     a final bill with a cell that does not agree, or an open bill with a larger difference
             than two estimates of the same month can have
provisional  otherwise: AWS may still change the bill, or has changed it after the delivery

Billed, effective and net cost of a cell must agree. For the tolerances see docs/decisions/0030.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from cloudspend.lake.model import Verdict
from cloudspend.reconcile.cells import ZERO
from cloudspend.reconcile.compare import CENT, Comparison, Difference, Explanation
from cloudspend.reconcile.explain import pending
from cloudspend.reconcile.finality import Finality
from cloudspend.reconcile.invoice import InvoiceCheck

# Share of a whole open bill: export and Cost Explorer estimate the month at different hours.
OPEN_SHARE = Decimal("0.01")


@dataclass(frozen=True)
class Judgement:
    """A verdict, its reason, and the figures beyond tolerance, largest residual first."""

    verdict: Verdict
    reason: str
    final: bool
    differences: tuple[Difference, ...] = ()


def judge(
    comparison: Comparison, finality: Finality, invoice: InvoiceCheck | None = None
) -> Judgement:
    """Decide the verdict on a period. Without invoices, only Cost Explorer is compared."""
    off = tuple(sorted(_beyond_tolerance(comparison), key=lambda d: (-abs(d.residual), d.cell)))
    final = not finality.why_open
    awaited = pending(comparison)
    currencies = _currencies(comparison)
    invoiced = _invoiced(invoice, awaited) if final else ""
    too_far = bool(off) if final else _open_beyond_tolerance(comparison)
    if currencies or invoiced or too_far:
        cells = _largest(off, comparison) if too_far else ""
        verdict, said = Verdict.DISPUTED, currencies or f"{cells} {invoiced}".strip()
    elif not final:
        verdict, said = Verdict.PROVISIONAL, finality.why_open
    elif awaited:
        because = awaited[0].because
        cell = awaited[0].cell
        verdict = Verdict.PROVISIONAL
        said = (
            f"{len({each.cell for each in awaited})} of {len(comparison.cells)} cells await AWS's "
            f"next delivery; {cell.service} of account {cell.account_id} ({cell.charge_type}): "
            f"{because}"
        )
    else:
        verdict, said = Verdict.CERTIFIED, _agreement(comparison, invoice)
    return Judgement(verdict, f"{said} {_unmapped(comparison)}".strip(), final, off)


def _beyond_tolerance(comparison: Comparison) -> list[Difference]:
    return [
        difference
        for cell in comparison.cells
        for difference in comparison.of_cell(cell)
        if not difference.agrees
    ]


def _open_beyond_tolerance(comparison: Comparison) -> bool:
    slack = CENT * len(comparison.cells)
    return any(
        comparison.residual(measure) > OPEN_SHARE * comparison.size(measure) + slack
        for measure in comparison.measures
    )


def _currencies(comparison: Comparison) -> str:
    found = comparison.lake.currencies | comparison.cost_explorer.currencies
    if len(found) < 2:
        return ""
    return (
        "The figures cannot be compared, since their currencies differ: "
        f"{_listed(comparison.lake.currencies)} in the lake, "
        f"{_listed(comparison.cost_explorer.currencies)} in Cost Explorer."
    )


def _invoiced(invoice: InvoiceCheck | None, awaited: Iterable[Explanation]) -> str:
    """Return how a final bill differs from its invoices, apart from changes that the next delivery
    brings: a refund is on a credit memo before it is in the export.
    """
    if not invoice:
        return ""
    missing = sum((each.costs.billed for each in awaited), ZERO)
    is_to_come = bool(missing) and invoice.agrees_but_for(missing)
    return "" if is_to_come else invoice.mismatch_reason


def _largest(off: tuple[Difference, ...], comparison: Comparison) -> str:
    if not off:
        return "No cell is far off, but together they differ by more than two estimates can."
    cells, first = {difference.cell for difference in off}, off[0]
    much = "too much" if first.residual > 0 else "too little"
    return (
        f"{len(cells)} of {len(comparison.cells)} cells differ; the largest is "
        f"{first.cell.service} of account {first.cell.account_id} ({first.cell.charge_type}), "
        f"where {first.measure} has {abs(first.residual):.2f} {much} in the lake."
    )


def _agreement(comparison: Comparison, invoice: InvoiceCheck | None) -> str:
    plain = comparison.explained_by(())
    explained = [cell for cell in comparison.cells if not plain.agrees(cell)]
    how = f", {len(explained)} of them after an explanation" if explained else ""
    also = " The invoices say the same." if invoice and invoice.invoices else ""
    return (
        f"All {len(comparison.cells)} cells agree with Cost Explorer within a cent or 0.01 %{how}, "
        f"billed, effective and net.{also}"
    )


def _unmapped(comparison: Comparison) -> str:
    if not comparison.unmapped:
        return ""
    return f"Charge types that CloudSpend has no word for: {', '.join(comparison.unmapped)}."


def _listed(currencies: set[str]) -> str:
    return " and ".join(sorted(currencies)) or "none"

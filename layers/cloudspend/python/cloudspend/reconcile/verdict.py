"""What the residuals say of a period.

certified    the bill is final and every cell agrees
disputed     a final bill with a cell that does not agree, or an open one that is off by more than
             two estimates of the same month can be
provisional  everything else: AWS may still change the bill

Both the billed and the effective cost of a cell must agree. The tolerances are of decision record
0030.
"""

from dataclasses import dataclass
from decimal import Decimal

from cloudspend.lake.model import Verdict
from cloudspend.reconcile.compare import Comparison, Difference, Measure
from cloudspend.reconcile.finality import Finality

CENT = Decimal("0.01")
# Of a cell in a final bill: Cost Explorer rounds each line, CUR does not.
CELL_SHARE = Decimal("0.0001")
# Of a whole bill that is open: export and Cost Explorer estimate the month at different hours.
OPEN_SHARE = Decimal("0.01")


@dataclass(frozen=True)
class Judgement:
    """A verdict, why, and the figures beyond tolerance, the largest residual first."""

    verdict: Verdict
    reason: str
    final: bool
    differences: tuple[Difference, ...] = ()


def judge(comparison: Comparison, finality: Finality) -> Judgement:
    """The verdict on a period."""
    off = tuple(sorted(_beyond_tolerance(comparison), key=lambda d: (-abs(d.residual), d.cell)))
    final = not finality.why_open
    quarrel = _currencies(comparison)
    if quarrel or (off if final else _open_beyond_tolerance(comparison)):
        verdict, said = Verdict.DISPUTED, quarrel or _largest(off, comparison)
    elif final:
        verdict, said = Verdict.CERTIFIED, _agreement(comparison)
    else:
        verdict, said = Verdict.PROVISIONAL, finality.why_open
    return Judgement(verdict, f"{said} {_unmapped(comparison)}".strip(), final, off)


def is_within_tolerance(difference: Difference) -> bool:
    """Whether a cell of a final bill agrees: within 0.01 % of it, or within a cent."""
    return abs(difference.residual) <= max(CENT, CELL_SHARE * difference.size)


def _beyond_tolerance(comparison: Comparison) -> list[Difference]:
    return [
        difference
        for measure in Measure
        for difference in comparison.differences(measure)
        if not is_within_tolerance(difference)
    ]


def _open_beyond_tolerance(comparison: Comparison) -> bool:
    slack = CENT * len(comparison.cells)
    return any(
        comparison.residual(measure) > OPEN_SHARE * comparison.size(measure) + slack
        for measure in Measure
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


def _agreement(comparison: Comparison) -> str:
    return (
        f"All {len(comparison.cells)} cells agree with Cost Explorer within a cent or 0.01 %, "
        "billed and effective."
    )


def _unmapped(comparison: Comparison) -> str:
    if not comparison.unmapped:
        return ""
    return f"Charge types that CloudSpend has no word for: {', '.join(comparison.unmapped)}."


def _listed(currencies: set[str]) -> str:
    return " and ".join(sorted(currencies)) or "none"

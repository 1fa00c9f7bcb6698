"""Differences between the lake and Cost Explorer by cell, with their sign.

Some differences have an explanation (`explain`); the residual is the rest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from cloudspend.reconcile.cells import NOTHING, ZERO, Cell, Costs, LakeSide, Side, total

CENT = Decimal("0.01")
# Tolerance of a cell in a final bill: Cost Explorer rounds each line, CUR does not.
CELL_SHARE = Decimal("0.0001")


class Measure(StrEnum):
    """The compared figures, by their columns in the lake."""

    BILLED = "BilledCost"
    EFFECTIVE = "EffectiveCost"
    NET = "x_NetEffectiveCost"

    def of(self, costs: Costs) -> Decimal:
        """Return this figure of a cell."""
        return {
            Measure.BILLED: costs.billed,
            Measure.EFFECTIVE: costs.effective,
            Measure.NET: costs.net,
        }[self]

    @property
    def called(self) -> str:
        """Return Cost Explorer's name of the figure."""
        return {
            Measure.BILLED: "UnblendedCost",
            Measure.EFFECTIVE: "AmortizedCost",
            Measure.NET: "NetAmortizedCost",
        }[self]


# Figures that both sides of every export kind have. FOCUS has no net figure of its own.
GROSS = (Measure.BILLED, Measure.EFFECTIVE)
ALL = tuple(Measure)


@dataclass(frozen=True)
class Difference:
    """One figure of one cell on both sides, and the explained part of their difference."""

    cell: Cell
    measure: Measure
    lake: Decimal
    cost_explorer: Decimal
    explained: Decimal = ZERO

    @property
    def difference(self) -> Decimal:
        """Return the difference; positive when the lake has more."""
        return self.lake - self.cost_explorer

    @property
    def residual(self) -> Decimal:
        """Return the unexplained difference; positive when the lake has too much."""
        return self.difference - self.explained

    @property
    def size(self) -> Decimal:
        """Return the larger absolute amount, the base of percentages."""
        return max(abs(self.lake), abs(self.cost_explorer))

    @property
    def agrees(self) -> bool:
        """Return whether the residual is within 0.01 % of the cell or within a cent."""
        return abs(self.residual) <= max(CENT, CELL_SHARE * self.size)


@dataclass(frozen=True)
class Explanation:
    """One rule's explanation of one cell: the amount, and the reason.

    `costs` have the sign of the difference. `expected_to_clear` means that AWS is expected to
    correct it with the next delivery or refresh; until then the bill is not certified.
    """

    rule: str
    cell: Cell
    costs: Costs
    because: str
    expected_to_clear: bool


@dataclass(frozen=True)
class Comparison:
    """Both sides of a period. A cell that one side does not have is zero there."""

    lake: LakeSide
    cost_explorer: Side
    measures: tuple[Measure, ...] = ALL
    explanations: tuple[Explanation, ...] = ()

    @property
    def cells(self) -> list[Cell]:
        """Return every cell of either side, in a stable order."""
        return sorted(self.lake.cells.keys() | self.cost_explorer.cells.keys())

    def explained_by(self, explanations: tuple[Explanation, ...]) -> "Comparison":
        """Return the comparison with these explanations instead."""
        return replace(self, explanations=explanations)

    def explained(self, cell: Cell) -> Costs:
        """Return the explained part of a cell's difference."""
        return self._explained.get(cell, NOTHING)

    @cached_property
    def _explained(self) -> Mapping[Cell, Costs]:
        together: dict[Cell, Costs] = {}
        for each in self.explanations:
            together[each.cell] = together.get(each.cell, NOTHING).plus(each.costs)
        return together

    @property
    def total_explained(self) -> Costs:
        """Return the explained parts of all cells, with their signs."""
        return total(each.costs for each in self.explanations)

    def remaining(self, cell: Cell) -> Costs:
        """Return the unexplained part of a cell's difference, for all figures."""
        whole = self.lake.of(cell).minus(self.cost_explorer.of(cell))
        return whole.minus(self.explained(cell))

    def of_cell(self, cell: Cell) -> list[Difference]:
        """Return the compared figures of a cell."""
        explained = self.explained(cell)
        lake, cost_explorer = self.lake.of(cell), self.cost_explorer.of(cell)
        return [
            Difference(cell, m, m.of(lake), m.of(cost_explorer), m.of(explained))
            for m in self.measures
        ]

    def agrees(self, cell: Cell) -> bool:
        """Return whether every figure of the cell is within tolerance."""
        return all(difference.agrees for difference in self.of_cell(cell))

    def differences(self, measure: Measure) -> Iterator[Difference]:
        """Yield a figure of every cell, equal or not."""
        for cell in self.cells:
            yield from (each for each in self.of_cell(cell) if each.measure is measure)

    def residual(self, measure: Measure) -> Decimal:
        """Return the sum of the absolute residuals, in which errors cannot cancel out."""
        return sum((abs(d.residual) for d in self.differences(measure)), ZERO)

    def size(self, measure: Measure) -> Decimal:
        """Return the sum of the larger side's absolute amounts, so credits do not make a bill
        small.
        """
        lake = sum((abs(d.lake) for d in self.differences(measure)), ZERO)
        cost_explorer = sum((abs(d.cost_explorer) for d in self.differences(measure)), ZERO)
        return max(lake, cost_explorer)

    @property
    def unmapped(self) -> list[str]:
        """Return the charge types of both sides without a name in the vocabulary."""
        return sorted(self.lake.unmapped | self.cost_explorer.unmapped)

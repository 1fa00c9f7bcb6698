"""Differences: what the lake holds less what Cost Explorer says, cell by cell, with their signs.

Some differences have an explanation (`explain`); the residual is what remains of the difference.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from cloudspend.reconcile.cells import NOTHING, ZERO, Cell, Costs, LakeSide, Side, total

CENT = Decimal("0.01")
# Of a cell in a final bill: Cost Explorer rounds each line, CUR does not.
CELL_SHARE = Decimal("0.0001")


class Measure(StrEnum):
    """The figures that are compared, by their columns in the lake."""

    BILLED = "BilledCost"
    EFFECTIVE = "EffectiveCost"
    NET = "x_NetEffectiveCost"

    def of(self, costs: Costs) -> Decimal:
        """This figure of a cell."""
        return {
            Measure.BILLED: costs.billed,
            Measure.EFFECTIVE: costs.effective,
            Measure.NET: costs.net,
        }[self]

    @property
    def called(self) -> str:
        """Cost Explorer's name of the figure."""
        return {
            Measure.BILLED: "UnblendedCost",
            Measure.EFFECTIVE: "AmortizedCost",
            Measure.NET: "NetAmortizedCost",
        }[self]


# What both sides of every kind of export have. FOCUS has no net figure of its own.
GROSS = (Measure.BILLED, Measure.EFFECTIVE)
ALL = tuple(Measure)


@dataclass(frozen=True)
class Difference:
    """One figure of one cell on both sides, and how much of their difference is explained."""

    cell: Cell
    measure: Measure
    lake: Decimal
    cost_explorer: Decimal
    explained: Decimal = ZERO

    @property
    def whole(self) -> Decimal:
        """Above zero when the lake has more."""
        return self.lake - self.cost_explorer

    @property
    def residual(self) -> Decimal:
        """What no rule explains, with its sign: above zero when the lake has too much."""
        return self.whole - self.explained

    @property
    def size(self) -> Decimal:
        """The larger of the two amounts, without sign: what a share of the cell is a share of."""
        return max(abs(self.lake), abs(self.cost_explorer))

    @property
    def agrees(self) -> bool:
        """Whether what remains is within 0.01 % of the cell, or within a cent."""
        return abs(self.residual) <= max(CENT, CELL_SHARE * self.size)


@dataclass(frozen=True)
class Explanation:
    """What one rule says of one cell: how much of the difference it accounts for, by what.

    `costs` have the difference's sign. `passes` says that AWS is expected to mend it by itself,
    with the next delivery or the next refresh; until then the bill is not certified.
    """

    rule: str
    cell: Cell
    costs: Costs
    because: str
    passes: bool


@dataclass(frozen=True)
class Comparison:
    """Both sides of a period. A cell that one side does not have counts as zero there."""

    lake: LakeSide
    cost_explorer: Side
    measures: tuple[Measure, ...] = ALL
    explanations: tuple[Explanation, ...] = ()

    @property
    def cells(self) -> list[Cell]:
        """Every cell that either side has, in a stable order."""
        return sorted(self.lake.cells.keys() | self.cost_explorer.cells.keys())

    def explained_by(self, explanations: tuple[Explanation, ...]) -> "Comparison":
        """The comparison with these explanations instead."""
        return replace(self, explanations=explanations)

    def explained(self, cell: Cell) -> Costs:
        """How much of a cell's difference is explained."""
        return self._explained.get(cell, NOTHING)

    @cached_property
    def _explained(self) -> Mapping[Cell, Costs]:
        together: dict[Cell, Costs] = {}
        for each in self.explanations:
            together[each.cell] = together.get(each.cell, NOTHING).plus(each.costs)
        return together

    @property
    def total_explained(self) -> Costs:
        """The explained parts of all cells together, with their signs."""
        return total(each.costs for each in self.explanations)

    def remaining(self, cell: Cell) -> Costs:
        """What is left of a cell's difference, whatever figures are judged."""
        whole = self.lake.of(cell).minus(self.cost_explorer.of(cell))
        return whole.minus(self.explained(cell))

    def of_cell(self, cell: Cell) -> list[Difference]:
        """A cell's figures that are compared."""
        explained = self.explained(cell)
        lake, cost_explorer = self.lake.of(cell), self.cost_explorer.of(cell)
        return [
            Difference(cell, m, m.of(lake), m.of(cost_explorer), m.of(explained))
            for m in self.measures
        ]

    def agrees(self, cell: Cell) -> bool:
        """Whether every figure of the cell is within tolerance."""
        return all(difference.agrees for difference in self.of_cell(cell))

    def differences(self, measure: Measure) -> Iterator[Difference]:
        """Every cell's figure, equal or not."""
        for cell in self.cells:
            yield from (each for each in self.of_cell(cell) if each.measure is measure)

    def residual(self, measure: Measure) -> Decimal:
        """The sum of all residuals without their signs, so that two errors cannot cancel out."""
        return sum((abs(d.residual) for d in self.differences(measure)), ZERO)

    def size(self, measure: Measure) -> Decimal:
        """The larger side's amounts, without signs, so that credits do not make a bill small."""
        lake = sum((abs(d.lake) for d in self.differences(measure)), ZERO)
        cost_explorer = sum((abs(d.cost_explorer) for d in self.differences(measure)), ZERO)
        return max(lake, cost_explorer)

    @property
    def unmapped(self) -> list[str]:
        """The charge types of both sides for which there is no word."""
        return sorted(self.lake.unmapped | self.cost_explorer.unmapped)

"""Residuals: what the lake holds less what Cost Explorer says, cell by cell, with its sign."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from cloudspend.reconcile.cells import ZERO, Cell, Costs, LakeSide, Side


class Measure(StrEnum):
    """The two figures that are compared, by their FOCUS names."""

    BILLED = "BilledCost"
    EFFECTIVE = "EffectiveCost"

    def of(self, costs: Costs) -> Decimal:
        """This figure of a cell."""
        return costs.billed if self is Measure.BILLED else costs.effective


@dataclass(frozen=True)
class Difference:
    """One figure of one cell on both sides."""

    cell: Cell
    measure: Measure
    lake: Decimal
    cost_explorer: Decimal

    @property
    def residual(self) -> Decimal:
        """Above zero when the lake has too much."""
        return self.lake - self.cost_explorer

    @property
    def size(self) -> Decimal:
        """The larger of the two amounts, without sign: what a share of the cell is a share of."""
        return max(abs(self.lake), abs(self.cost_explorer))


@dataclass(frozen=True)
class Comparison:
    """Both sides of a period. A cell that one side does not have counts as zero there."""

    lake: LakeSide
    cost_explorer: Side

    @property
    def cells(self) -> list[Cell]:
        """Every cell that either side has, in a stable order."""
        return sorted(self.lake.cells.keys() | self.cost_explorer.cells.keys())

    def differences(self, measure: Measure) -> Iterator[Difference]:
        """Every cell's figure, equal or not."""
        for cell in self.cells:
            yield Difference(
                cell,
                measure,
                measure.of(self.lake.cells.get(cell, Costs())),
                measure.of(self.cost_explorer.cells.get(cell, Costs())),
            )

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

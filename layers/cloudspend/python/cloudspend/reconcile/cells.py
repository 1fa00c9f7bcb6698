"""Cells of a comparison: linked account, Cost Explorer's service, charge type."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from cloudspend.collect.cost_explorer import CostExplorerBill
from cloudspend.reconcile.vocabulary import UNMAPPED, Vocabulary

ZERO = Decimal(0)


class Cell(NamedTuple):
    """Key of a comparison. `charge_type` is a name of the vocabulary, or UNMAPPED."""

    account_id: str
    service: str
    charge_type: str


class Costs(NamedTuple):
    """Sums of a cell: billed is Cost Explorer's unblended cost, effective its amortized cost, net
    its net amortized cost.
    """

    billed: Decimal = ZERO
    effective: Decimal = ZERO
    net: Decimal = ZERO

    def plus(self, other: "Costs") -> "Costs":
        return Costs(*(a + b for a, b in zip(self, other, strict=True)))

    def minus(self, other: "Costs") -> "Costs":
        return Costs(*(a - b for a, b in zip(self, other, strict=True)))

    @property
    def is_zero(self) -> bool:
        return not any(self)


NOTHING = Costs()


class DateBucket(StrEnum):
    """The bucket of a charge's date: settled, unsettled, or outside the billing period.

    AWS bills some charges in another month than their date, and the newest days are still being
    counted.
    """

    SETTLED = "settled"
    UNSETTLED = "unsettled"
    OUTSIDE = "outside"


@dataclass
class Side:
    """One side of a comparison. `unmapped` are charge types without a name in the vocabulary."""

    cells: dict[Cell, Costs] = field(default_factory=dict)
    currencies: set[str] = field(default_factory=set)
    unmapped: set[str] = field(default_factory=set)

    def add(self, cell: Cell, costs: Costs) -> None:
        """Add `costs` to a cell."""
        self.cells[cell] = self.of(cell).plus(costs)

    def of(self, cell: Cell) -> Costs:
        """Return a cell's sums; zero for a cell that this side does not have."""
        return self.cells.get(cell, NOTHING)

    @property
    def total(self) -> Costs:
        """Return the sums over all cells."""
        return total(self.cells.values())


@dataclass
class LakeSide(Side):
    """The lake's side, as readers see it. A row without an invoice id does not belong to a final
    bill.

    `parts` are the cells of unsettled charges and of charges dated outside the period, `families`
    the cost of each usage family of a service that Cost Explorer splits, `newest` the last day of
    the period with a charge.
    """

    rows: int = 0
    rows_without_invoice: int = 0
    rows_of: Counter[Cell] = field(default_factory=Counter)
    parts: dict[DateBucket, dict[Cell, Costs]] = field(default_factory=dict)
    families: dict[tuple[Cell, str], Costs] = field(default_factory=dict)
    newest: date | None = None


def total(costs: Iterable[Costs]) -> Costs:
    """Return the sum of costs."""
    together = NOTHING
    for each in costs:
        together = together.plus(each)
    return together


def lake_side(rows: Iterable[Mapping[str, str | None]], words: Vocabulary) -> LakeSide:
    """Convert the rows of `sql/published_cost.sql`, whose values are text, to cells."""
    side = LakeSide()
    for row in rows:
        cell, costs = lake_cell(row, words), _lake_costs(row)
        side.add(cell, costs)
        _add(side.parts.setdefault(DateBucket(row["part"] or ""), {}), cell, costs)
        if row["usage_family"]:
            _add(side.families, (cell, row["usage_family"]), costs)
        side.currencies.add(row["currency"] or "")
        side.rows += int(row["row_count"] or 0)
        side.rows_of[cell] += int(row["row_count"] or 0)
        side.rows_without_invoice += int(row["rows_without_invoice"] or 0)
        if row["newest"] and row["part"] != DateBucket.OUTSIDE:
            newest = date.fromisoformat(row["newest"][:10])
            side.newest = max(newest, side.newest or newest)
        if cell.charge_type == UNMAPPED:
            side.unmapped.add(row["charge_type"] or "")
    return side


def lake_cells(rows: Iterable[Mapping[str, str | None]], words: Vocabulary) -> dict[Cell, Costs]:
    """Convert rows with the columns of `lake_cell` and the three costs to cells."""
    cells: dict[Cell, Costs] = {}
    for row in rows:
        _add(cells, lake_cell(row, words), _lake_costs(row))
    return cells


def lake_cell(row: Mapping[str, str | None], words: Vocabulary) -> Cell:
    """Return the cell of a group of the lake's rows."""
    charge_type = words.lake_charge_type(row["charge_type"] or "")
    service = words.lake_service(
        row["service_code"] or "",
        row["service_name"] or "",
        row["usage_family"] or "",
        charge_type,
    )
    return Cell(row["sub_account_id"] or "", service, charge_type)


def cost_explorer_side(bill: CostExplorerBill, words: Vocabulary) -> Side:
    """Convert Cost Explorer's charges to cells."""
    side = Side()
    for charge in bill.charges:
        charge_type = words.cost_explorer_charge_type(charge.record_type)
        service = words.cost_explorer_service(charge.service, charge_type)
        cell = Cell(charge.account_id, service, charge_type)
        side.add(cell, Costs(charge.unblended, charge.amortized, charge.net_amortized))
        side.currencies.add(charge.currency)
        if charge_type == UNMAPPED:
            side.unmapped.add(charge.record_type)
    return side


def _lake_costs(row: Mapping[str, str | None]) -> Costs:
    names = ("billed_cost", "effective_cost", "net_cost")
    return Costs(*(Decimal(row[name] or 0) for name in names))


def _add(held: dict[Any, Costs], key: Any, costs: Costs) -> None:
    held[key] = held.get(key, NOTHING).plus(costs)

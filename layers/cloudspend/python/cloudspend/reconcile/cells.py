"""Both sides of a comparison as cells: linked account, Cost Explorer's service, charge type."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from cloudspend.collect.cost_explorer import CostExplorerBill
from cloudspend.reconcile.vocabulary import UNMAPPED, Vocabulary

ZERO = Decimal(0)


class Cell(NamedTuple):
    """What a comparison is made by. `charge_type` is a word of the vocabulary, or UNMAPPED."""

    account_id: str
    service: str
    charge_type: str


class Costs(NamedTuple):
    """A cell's sums: billed is Cost Explorer's unblended cost, effective its amortized cost."""

    billed: Decimal = ZERO
    effective: Decimal = ZERO


@dataclass
class Side:
    """What one side says of a period. `unmapped` holds the charge types no word was found for,
    as that side writes them."""

    cells: dict[Cell, Costs] = field(default_factory=dict)
    currencies: set[str] = field(default_factory=set)
    unmapped: set[str] = field(default_factory=set)

    def add(self, cell: Cell, costs: Costs) -> None:
        """Add `costs` to what the cell holds already."""
        held = self.cells.get(cell, Costs())
        self.cells[cell] = Costs(held.billed + costs.billed, held.effective + costs.effective)

    @property
    def total(self) -> Costs:
        """The sums over all cells."""
        return Costs(
            sum((c.billed for c in self.cells.values()), ZERO),
            sum((c.effective for c in self.cells.values()), ZERO),
        )


@dataclass
class LakeSide(Side):
    """What readers of the lake see. A row without an invoice id belongs to no final bill yet."""

    rows: int = 0
    rows_without_invoice: int = 0


def lake_side(rows: Iterable[Mapping[str, str | None]], words: Vocabulary) -> LakeSide:
    """The answer of `sql/published_cost.sql`, whose values are text, as cells."""
    side = LakeSide()
    for row in rows:
        name = row["charge_type"] or ""
        charge_type = words.lake_charge_type(name)
        service = words.lake_service(
            row["service_code"] or "",
            row["service_name"] or "",
            row["usage_family"] or "",
            charge_type,
        )
        costs = Costs(Decimal(row["billed_cost"] or 0), Decimal(row["effective_cost"] or 0))
        side.add(Cell(row["sub_account_id"] or "", service, charge_type), costs)
        side.currencies.add(row["currency"] or "")
        side.rows += int(row["row_count"] or 0)
        side.rows_without_invoice += int(row["rows_without_invoice"] or 0)
        if charge_type == UNMAPPED:
            side.unmapped.add(name)
    return side


def cost_explorer_side(bill: CostExplorerBill, words: Vocabulary) -> Side:
    """Cost Explorer's charges as cells."""
    side = Side()
    for charge in bill.charges:
        charge_type = words.cost_explorer_charge_type(charge.record_type)
        service = words.cost_explorer_service(charge.service, charge_type)
        cell = Cell(charge.account_id, service, charge_type)
        side.add(cell, Costs(charge.unblended, charge.amortized))
        side.currencies.add(charge.currency)
        if charge_type == UNMAPPED:
            side.unmapped.add(charge.record_type)
    return side

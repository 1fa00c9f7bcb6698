"""The previous comparison, as evidence of changes by AWS."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from cloudspend.reconcile.cells import NOTHING, Cell, Costs
from cloudspend.reconcile.compare import Comparison
from cloudspend.reconcile.evidence import Agreement

# The tables hold doubles, so figures return with different last digits.
DOUBLE = Decimal("1E-9")


@dataclass(frozen=True)
class PreviousCell:
    """A cell of the previous comparison.

    `agreed_at` is when both sides were last equal, `differs_since` when they were first found to
    differ after that.
    """

    lake: Costs
    cost_explorer: Costs
    agreed_at: datetime | None
    differs_since: datetime | None = None


@dataclass(frozen=True)
class PreviousComparison:
    """The previous comparison; without cells if there was none."""

    generation: str = ""
    at: datetime | None = None
    cells: Mapping[Cell, PreviousCell] = field(default_factory=dict)

    def of(self, cell: Cell) -> PreviousCell:
        """Return the previous cell. A cell that neither side had was equal at zero."""
        return self.cells.get(cell) or PreviousCell(NOTHING, NOTHING, self.at)


def earlier(rows: Iterable[Mapping[str, str | None]]) -> PreviousComparison:
    """Convert the rows of `sql/last_comparison.sql`, whose values are text."""
    cells: dict[Cell, PreviousCell] = {}
    generation, at = "", None
    for row in rows:
        cell = Cell(row["sub_account_id"] or "", row["service"] or "", row["charge_type"] or "")
        generation, at = row["generation"] or "", _moment(row["reconciled_at"])
        cells[cell] = PreviousCell(
            _costs(row, "billed_cost", "effective_cost", "net_effective_cost"),
            _costs(
                row,
                "cost_explorer_unblended",
                "cost_explorer_amortized",
                "cost_explorer_net_amortized",
            ),
            _moment(row["agreed_at"]),
            _moment(row["differs_since"]),
        )
    return PreviousComparison(generation, at, cells)


def agreements(
    comparison: Comparison, before: PreviousComparison, now: datetime
) -> dict[Cell, Agreement]:
    """Return the cells that differ now, and for which Cost Explorer once had the lake's current
    figures.
    """
    found: dict[Cell, Agreement] = {}
    plain = comparison.explained_by(())
    for cell in comparison.cells:
        remembered = before.of(cell)
        if plain.agrees(cell) or remembered.agreed_at is None:
            continue
        if _unchanged(comparison.lake.of(cell), remembered.lake):
            found[cell] = Agreement(remembered.agreed_at, remembered.differs_since or now)
    return found


def _unchanged(one: Costs, other: Costs) -> bool:
    pairs = zip(one, other, strict=True)
    return all(abs(a - b) <= DOUBLE * max(Decimal(1), abs(a)) for a, b in pairs)


def _costs(row: Mapping[str, str | None], *names: str) -> Costs:
    return Costs(*(Decimal(row[name] or 0) for name in names))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None

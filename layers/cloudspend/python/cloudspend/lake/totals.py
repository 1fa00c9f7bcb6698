"""Totals between steps, with money as decimal text, and their comparison."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from cloudspend import payloads as p
from cloudspend.lake.model import DetailTotals, Totals

# A cost is decimal text in the source, a double in Parquet, and decimal(38, 12) in Athena. They may
# differ by half a unit of the twelfth place per row, and by a double's 15 digits of the amount.
ABSOLUTE = Decimal("1e-9")
PER_ROW = Decimal("1e-12")
PER_UNIT = Decimal("1e-15")


def to_payload(totals: Totals) -> dict[str, Any]:
    """Return JSON-ready totals; costs without an exponent."""
    return {
        p.ROWS: totals.rows,
        p.BILLED_COST: f"{totals.billed_cost:f}",
        p.EFFECTIVE_COST: f"{totals.effective_cost:f}",
        p.LIST_COST: f"{totals.list_cost:f}",
        p.CURRENCY: totals.currency,
        p.DETAIL: totals.detail and _detail_payload(totals.detail),
    }


def from_payload(given: Mapping[str, Any], currency: str = "") -> Totals:
    """Read the output of `to_payload`, or Athena's sums, which are text without a currency."""
    detail = given[p.DETAIL]
    return Totals(
        rows=int(given[p.ROWS]),
        billed_cost=Decimal(given[p.BILLED_COST]),
        effective_cost=Decimal(given[p.EFFECTIVE_COST]),
        currency=given.get(p.CURRENCY, currency),
        list_cost=Decimal(given[p.LIST_COST]),
        detail=detail and DetailTotals(int(detail[p.ROWS]), Decimal(detail[p.UNBLENDED_COST])),
    )


def from_row(row: Mapping[str, str | None], currency: str) -> Totals:
    """Read the only row of the statement `generation_totals`."""
    named = {p.ROWS: row["row_count"], **{name: row[name] for name in _COSTS}}
    detail = {p.ROWS: row["detail_rows"], p.UNBLENDED_COST: row[p.UNBLENDED_COST]}
    return from_payload({**named, p.DETAIL: detail}, currency)


_COSTS = (p.BILLED_COST, p.EFFECTIVE_COST, p.LIST_COST)


def _detail_payload(detail: DetailTotals) -> dict[str, Any]:
    return {p.ROWS: detail.rows, p.UNBLENDED_COST: f"{detail.unblended_cost:f}"}


def tolerance(rows: int, cost: Decimal) -> Decimal:
    """Return how far two sums of the same costs may differ through rounding alone."""
    return ABSOLUTE + rows * PER_ROW + abs(cost) * PER_UNIT


def differences(expected: Totals, found: Totals) -> tuple[str, ...]:
    """Return the differences between two totals, each as a clause of a sentence.

    `billing_detail` is compared only if `expected` has it.
    """
    wrong = _differences(expected, found, ("billed_cost", "effective_cost", "list_cost"))
    if expected.detail:
        detail = found.detail or DetailTotals(0, Decimal(0))
        in_detail = _differences(expected.detail, detail, ("unblended_cost",))
        wrong += [f"in billing_detail {clause}" for clause in in_detail]
    return tuple(wrong)


def _differences(
    expected: Totals | DetailTotals, found: Totals | DetailTotals, costs: Sequence[str]
) -> list[str]:
    wrong = []
    if found.rows != expected.rows:
        wrong.append(f"{found.rows} rows instead of {expected.rows}")
    for name in costs:
        want, have = getattr(expected, name), getattr(found, name)
        if abs(have - want) > tolerance(expected.rows, want):
            wrong.append(f"{name.replace('_', ' ')} {have} instead of {want}")
    return wrong

"""Totals as they travel between steps: money as decimal text."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cloudspend import payload as p
from cloudspend.lake.model import DetailTotals, Totals


def to_payload(totals: Totals) -> dict[str, Any]:
    """JSON-ready; costs without an exponent."""
    return {
        p.ROWS: totals.rows,
        p.BILLED_COST: f"{totals.billed_cost:f}",
        p.EFFECTIVE_COST: f"{totals.effective_cost:f}",
        p.LIST_COST: f"{totals.list_cost:f}",
        p.CURRENCY: totals.currency,
        p.DETAIL: totals.detail and _detail_payload(totals.detail),
    }


def from_payload(given: Mapping[str, Any], currency: str = "") -> Totals:
    """Read what `to_payload` wrote, or Athena's sums, which are text and have no currency."""
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
    """The one row of the statement `generation_totals`."""
    named = {p.ROWS: row["row_count"], **{name: row[name] for name in _COSTS}}
    detail = {p.ROWS: row["detail_rows"], p.UNBLENDED_COST: row[p.UNBLENDED_COST]}
    return from_payload({**named, p.DETAIL: detail}, currency)


_COSTS = (p.BILLED_COST, p.EFFECTIVE_COST, p.LIST_COST)


def _detail_payload(detail: DetailTotals) -> dict[str, Any]:
    return {p.ROWS: detail.rows, p.UNBLENDED_COST: f"{detail.unblended_cost:f}"}

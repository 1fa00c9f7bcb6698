"""Evidence for explanations, beyond the two sides.

A rule explains only as much of a difference as its evidence covers, by amount and by date. Missing
evidence explains nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from cloudspend.reconcile.cells import Cell, Costs

# AWS refreshes an export and Cost Explorer at least once a day (AWS Data Exports user guide,
# "Understanding export delivery"; Cost Management user guide): the day of a delivery and the day
# before may be counted differently, and no earlier ones.
COUNTED_AFTER_DAYS = 1
# Time within which a change by AWS must arrive in the export.
DELIVERED_WITHIN = timedelta(days=3)


@dataclass(frozen=True)
class LastDays:
    """Charges of both sides from `since` on: the days that AWS was still counting for the older of
    the two.
    """

    since: date
    lake: Mapping[Cell, Costs]
    cost_explorer: Mapping[Cell, Costs]


@dataclass(frozen=True)
class Agreement:
    """When a comparison last found a cell equal that the lake has not changed since, and when one
    first found that Cost Explorer has changed it.
    """

    at: datetime
    differs_since: datetime


@dataclass(frozen=True)
class Evidence:
    """Evidence of a period, on which explanations can rest."""

    now: datetime
    # When AWS made the delivery.
    delivered_at: datetime
    # Whether AWS has not closed the bill.
    open: bool
    # Whether no newer delivery of the period is known.
    is_newest: bool = True
    # Charges of the days that AWS was still counting; None if they were not read.
    last_days: LastDays | None = None
    # Cells that differ now and agreed before.
    agreed: Mapping[Cell, Agreement] = field(default_factory=dict)
    # Charges of this bill that are dated outside the period.
    outside: Mapping[Cell, Costs] = field(default_factory=dict)
    # Charges of other bills that are dated inside the period.
    elsewhere: Mapping[Cell, Costs] = field(default_factory=dict)
    # Number of the lake's rows in each cell.
    rows: Mapping[Cell, int] = field(default_factory=dict)
    # Cost of each usage family of a service that Cost Explorer shows as two.
    families: Mapping[tuple[Cell, str], Costs] = field(default_factory=dict)
    # Services without a row in the lake.
    missing: frozenset[str] = frozenset()
    # Cells that only one side has.
    one_sided: frozenset[Cell] = frozenset()
    # Charge types without a name in the vocabulary.
    unmapped: frozenset[str] = frozenset()


def unsettled_since(delivered_at: datetime, now: datetime, first_day: date, end: date) -> date:
    """Return the first day of a period that may still be counted.

    Not before the period; `end` when every day was settled by then.
    """
    older = min(delivered_at, now).date()
    return min(max(older - timedelta(days=COUNTED_AFTER_DAYS), first_day), end)

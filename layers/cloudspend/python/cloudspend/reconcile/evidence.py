"""What is known of a period beside the two sides: what an explanation may rest on.

A rule explains only as much of a difference as its evidence covers, by amount and by date. What
could be evidence but is not there explains nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from cloudspend.reconcile.cells import Cell, Costs

# AWS refreshes an export and Cost Explorer at least once a day (AWS Data Exports user guide,
# "Understanding export delivery"; Cost Management user guide), so that the day of a delivery and
# the one before may be counted differently, and no earlier ones.
COUNTED_AFTER_DAYS = 1
# What AWS has changed must arrive in the export within so long.
DELIVERED_WITHIN = timedelta(days=3)


@dataclass(frozen=True)
class LastDays:
    """Both sides' charges from `since` on: the days that AWS was still counting when it made the
    older of the two."""

    since: date
    lake: Mapping[Cell, Costs]
    cost_explorer: Mapping[Cell, Costs]


@dataclass(frozen=True)
class Agreement:
    """When a comparison last found a cell equal that the lake has not changed since, and when one
    first found that Cost Explorer has."""

    at: datetime
    differs_since: datetime


@dataclass(frozen=True)
class Evidence:
    """What explanations rest on.

    `open` says that AWS has not closed the bill. `is_newest` says that no newer delivery of the
    period is known than the one of `delivered_at`. `agreed` holds the cells that differ now and
    did not before. `outside` are charges of this bill with a
    date outside the period, `elsewhere` charges of other bills with a date inside. `rows` are the
    lake's rows in each cell, `families` what each usage family comes to where Cost Explorer shows
    one service as two, `missing` the services that the lake has no row of.
    """

    now: datetime
    delivered_at: datetime
    open: bool
    is_newest: bool = True
    last_days: LastDays | None = None
    agreed: Mapping[Cell, Agreement] = field(default_factory=dict)
    outside: Mapping[Cell, Costs] = field(default_factory=dict)
    elsewhere: Mapping[Cell, Costs] = field(default_factory=dict)
    rows: Mapping[Cell, int] = field(default_factory=dict)
    families: Mapping[tuple[Cell, str], Costs] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    one_sided: frozenset[Cell] = frozenset()
    unmapped: frozenset[str] = frozenset()


def unsettled_since(delivered_at: datetime, now: datetime, first_day: date, end: date) -> date:
    """The first day of a period that may still be counted: never before the period, and `end`
    when every day of it was settled by then."""
    older = min(delivered_at, now).date()
    return min(max(older - timedelta(days=COUNTED_AFTER_DAYS), first_day), end)

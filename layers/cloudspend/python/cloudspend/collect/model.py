"""Collected data in slices that are replaced as a whole, and the progress of each source."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.tables import Table


class Granularity(StrEnum):
    """The span of one slice of a source: a day, a month, or a snapshot."""

    DAY = "day"
    MONTH = "month"
    SNAPSHOT = "snapshot"


class Status(StrEnum):
    """The latest result of a source.

    NOT_AVAILABLE: AWS has no such data. DEGRADED: the customer denies it. CAPPED: the day's request
    budget is used up, the rest follows. FAILED: for a reason of AWS or of the platform.
    """

    COLLECTED = "collected"
    NOT_AVAILABLE = "not_available"
    DEGRADED = "degraded"
    CAPPED = "capped"
    FAILED = "failed"


@dataclass(frozen=True)
class Days:
    """The days from `start` to before `end`."""

    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def __iter__(self) -> Iterator[date]:
        return (self.start + timedelta(days=n) for n in range((self.end - self.start).days))

    @property
    def as_aws(self) -> dict[str, str]:
        """Return a TimePeriod of the APIs, whose end is also exclusive."""
        return {"Start": self.start.isoformat(), "End": self.end.isoformat()}


@dataclass(frozen=True)
class Collected:
    """Progress of one source of an account.

    `days` are the stored days, without a gap; None if there are none. `at` is the last attempt,
    `stored_at` the last time that something was stored; rows and pages are those of the last
    attempt. `history` is how many months back AWS answered, `history_at` when that was found.
    `capped_days` counts the days on which the cap stopped it before any progress.
    """

    status: Status
    reason: str
    at: datetime
    days: Days | None = None
    stored_at: datetime | None = None
    rows: int = 0
    pages: int = 0
    history: int | None = None
    history_at: datetime | None = None
    capped_days: int = 0


@dataclass(frozen=True)
class TableSlice:
    """A part of a table that is replaced at once: one object."""

    period: BillingPeriod
    name: str

    def folder(self, table: Table, account_id: str) -> str:
        """Return the partition's folder of the slice, with a trailing slash."""
        return f"{table.data_folder}/account_id={account_id}/billing_period={self.period}/"

    def key(self, table: Table, account_id: str) -> str:
        return f"{self.folder(table, account_id)}{self.name}.parquet"


WHOLE = "all"


def piece_of(grain: Granularity, day: date) -> TableSlice:
    """Return the slice for a `day`."""
    period = BillingPeriod(day.year, day.month)
    return TableSlice(period, day.isoformat() if grain is Granularity.DAY else WHOLE)


def pieces(grain: Granularity, days: Days) -> list[TableSlice]:
    """Return all slices of `days` in order, including those without rows."""
    return list(dict.fromkeys(piece_of(grain, day) for day in days))

"""What is collected, in pieces that are replaced whole, and what is known of each source."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.tables import Table


class Granularity(StrEnum):
    """What one piece of a source holds: a day, a month, or all that there is now."""

    DAY = "day"
    MONTH = "month"
    SNAPSHOT = "snapshot"


class Status(StrEnum):
    """What came of a source the last time.

    NOT_AVAILABLE: AWS has nothing of the kind. DEGRADED: the customer does not let it be read.
    CAPPED: the day's requests were used up, the rest follows. FAILED: for a reason that is AWS's or
    ours.
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
        """A TimePeriod of the APIs, whose end is exclusive too."""
        return {"Start": self.start.isoformat(), "End": self.end.isoformat()}


@dataclass(frozen=True)
class Collected:
    """What is known of one account's source.

    `days` are those that are stored, without a gap; None when nothing is. `at` is when it was last
    tried, `stored_at` when something was last stored; rows and pages are those of the last time.
    `history` is how many months back AWS was seen to answer, `history_at` when that was found out.
    `stuck` counts the days on which the cap stopped it before it had got on at all.
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
    stuck: int = 0


@dataclass(frozen=True)
class TableSlice:
    """What is replaced at once: one object of a table."""

    period: BillingPeriod
    name: str

    def folder(self, table: Table, account_id: str) -> str:
        """The partition that the piece stands in; ends with a slash."""
        return f"{table.data_folder}/account_id={account_id}/billing_period={self.period}/"

    def key(self, table: Table, account_id: str) -> str:
        return f"{self.folder(table, account_id)}{self.name}.parquet"


WHOLE = "all"


def piece_of(grain: Granularity, day: date) -> TableSlice:
    """The piece that what AWS says of `day` belongs to."""
    period = BillingPeriod(day.year, day.month)
    return TableSlice(period, day.isoformat() if grain is Granularity.DAY else WHOLE)


def pieces(grain: Granularity, days: Days) -> list[TableSlice]:
    """All pieces of `days`, in order, those for which AWS says nothing as well."""
    return list(dict.fromkeys(piece_of(grain, day) for day in days))

"""The time that a Cost Explorer request asks for, and the intervals it is answered in."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from local.services import ServiceError

# Months of history that Cost Explorer keeps unless the customer enables more, plus the current one.
HISTORY_MONTHS = 13


@dataclass(frozen=True)
class Interval:
    """`end` is exclusive, as everywhere in Cost Explorer."""

    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    @property
    def as_aws(self) -> dict[str, str]:
        return {"Start": self.start.isoformat(), "End": self.end.isoformat()}


def asked_for(time_period: Mapping[str, str], today: date) -> Interval:
    """The request's TimePeriod. Raises ServiceError for what Cost Explorer refuses: an end that is
    not after the start, a start in the future, and what lies before its history."""
    interval = Interval(_day(time_period["Start"]), _day(time_period["End"]))
    if interval.start >= interval.end:
        raise ServiceError(
            "ValidationException", "Start date (and hour) should be before end date (and hour)"
        )
    if interval.start > today:
        raise ServiceError("ValidationException", "Start date cannot be after the current date")
    if interval.start < _months_before(today, HISTORY_MONTHS):
        raise ServiceError(
            "ValidationException",
            f"You haven't enabled historical data beyond {HISTORY_MONTHS} months",
        )
    return interval


def split(interval: Interval, granularity: str) -> list[Interval]:
    """The interval cut at each month or each day. Raises ServiceError for HOURLY, which AWS
    refuses unless the customer has opted in."""
    if granularity == "HOURLY":
        raise ServiceError("ValidationException", "Hourly data is not enabled for this account.")
    return list(_cut(interval, next_month if granularity == "MONTHLY" else _next_day))


def _cut(interval: Interval, following: Callable[[date], date]) -> Iterator[Interval]:
    start = interval.start
    while start < interval.end:
        end = min(following(start), interval.end)
        yield Interval(start, end)
        start = end


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise ServiceError("ValidationException", f"{text} is no date.") from None


def _next_day(day: date) -> date:
    return day + timedelta(days=1)


def next_month(day: date) -> date:
    """The first day of the month after `day`'s."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _months_before(day: date, months: int) -> date:
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)

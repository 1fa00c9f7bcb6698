"""Plan the days of a source to request, and split them into questions.

Figures of the last days can still change, so a source has an overlap: that many days (or months)
before the end of the stored days are requested again. Stored days have no gap: new days are added
from the oldest on, past days from the newest on. A run that ends early leaves one stretch of time,
and the next run continues at its ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from cloudspend.collect.model import Days, Granularity

MONTHS_A_YEAR = 12
# Longest month, so nothing is split within a month.
DAYS_A_MONTH = 31
WEEK = 7


@dataclass(frozen=True)
class RequestSize:
    """The largest size of one question: calendar months, and days within them."""

    months: int = 1
    days: int = DAYS_A_MONTH


A_MONTH = RequestSize()


def smaller(grain: Granularity, at_once: int, stuck: int) -> RequestSize:
    """Return the size of questions for a source that was stopped by the cap on `capped_days` days.

    The source's own size first, then a month or a week, then a day.
    """
    if not stuck:
        return RequestSize(at_once)
    if grain is not Granularity.DAY:
        return RequestSize()
    return RequestSize(days=WEEK if stuck == 1 else 1)


def plan(
    grain: Granularity,
    stored: Days | None,
    today: date,
    *,
    overlap: int,
    history: int,
    most: RequestSize = A_MONTH,
) -> list[Days]:
    """Return the questions in order; each covers whole days or months.

    `overlap` is in days or months, depending on `grain`; `history` is in months, without the
    current one.
    """
    if grain is Granularity.SNAPSHOT:
        due = stored is None or today >= stored.start + timedelta(days=overlap)
        return [Days(today, today + timedelta(days=1))] if due else []
    end = today + timedelta(days=1) if grain is Granularity.DAY else month_after(today, 1)
    everything = Days(month_after(today, -history), end)
    if stored is None or stored.end < everything.start or stored.start >= end:
        return list(reversed(list(_questions(everything, most))))
    again = max(stored.start, everything.start, _before(grain, stored.end, overlap))
    new = _questions(Days(again, end), most)
    past = _questions(Days(everything.start, stored.start), most)
    return [*new, *reversed(list(past))]


def extended(stored: Days | None, asked: Days) -> Days:
    """Return the stored days after the answer for `asked` is stored.

    There is no gap: days before a gap would be too old to matter.
    """
    if stored is None or asked.start > stored.end or asked.end < stored.start:
        return asked
    return Days(min(stored.start, asked.start), max(stored.end, asked.end))


def month_after(day: date, months: int) -> date:
    """Return the first day of the month `months` after the one of `day`; before it, if negative."""
    count = day.year * MONTHS_A_YEAR + day.month - 1 + months
    return date(count // MONTHS_A_YEAR, count % MONTHS_A_YEAR + 1, 1)


def _before(grain: Granularity, end: date, overlap: int) -> date:
    return end - timedelta(days=overlap) if grain is Granularity.DAY else month_after(end, -overlap)


def _questions(days: Days, most: RequestSize) -> Iterator[Days]:
    """Split `days` at every so many calendar months and days, oldest first."""
    start = days.start
    while start < days.end:
        end = min(month_after(start, most.months), days.end)
        if most.days < DAYS_A_MONTH:
            end = min(end, start + timedelta(days=most.days))
        yield Days(start, end)
        start = end

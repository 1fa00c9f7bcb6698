"""Which days of a source are asked for, and in which questions.

Figures of the last days may still change, so that a source has an overlap: for so many days (or
months) before the end of what is stored it is asked again. What is stored has no gap: new days are
taken in from the oldest on, and days of the past from the newest on, so that a run that ends early
leaves one stretch of time, and the next run goes on at its ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from cloudspend.collect.model import Days, Granularity

MONTHS_A_YEAR = 12
# As long as a month can be, so that nothing is cut within one.
DAYS_A_MONTH = 31
WEEK = 7


@dataclass(frozen=True)
class RequestSize:
    """How much one question asks for at most: calendar months, and days within them."""

    months: int = 1
    days: int = DAYS_A_MONTH


A_MONTH = RequestSize()


def smaller(grain: Granularity, at_once: int, stuck: int) -> RequestSize:
    """What a source may ask at once whose questions were too large for the cap on `stuck` days: as
    much as it likes, then a month or a week of it, then a day."""
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
    """The questions to ask, in order; each is of whole days or months.

    `overlap` is in days or months, as the grain is; `history` is in months, the current one not
    counted.
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
    """What is stored once the answer for `asked` is as well; a question leaves no gap. Where it
    would, what was stored before is too old to count."""
    if stored is None or asked.start > stored.end or asked.end < stored.start:
        return asked
    return Days(min(stored.start, asked.start), max(stored.end, asked.end))


def month_after(day: date, months: int) -> date:
    """The first day of the month `months` after the one of `day`; before it, if negative."""
    count = day.year * MONTHS_A_YEAR + day.month - 1 + months
    return date(count // MONTHS_A_YEAR, count % MONTHS_A_YEAR + 1, 1)


def _before(grain: Granularity, end: date, overlap: int) -> date:
    return end - timedelta(days=overlap) if grain is Granularity.DAY else month_after(end, -overlap)


def _questions(days: Days, most: RequestSize) -> Iterator[Days]:
    """`days` cut after every so many calendar months and days, oldest first."""
    start = days.start
    while start < days.end:
        end = min(month_after(start, most.months), days.end)
        if most.days < DAYS_A_MONTH:
            end = min(end, start + timedelta(days=most.days))
        yield Days(start, end)
        start = end

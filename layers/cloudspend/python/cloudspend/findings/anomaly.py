"""Is a day's cost out of the ordinary? A robust baseline from the days before it.

A day is held against the median of the same weekday of eight weeks, so that weekends and weekly
jobs are ordinary; times how the last seven days stood to theirs, so that a new level is ordinary
after four days of it; plus what the first of a month usually brings. How far off is far is taken
from how far off the last four weeks were (median of absolute errors), in money and as a share. By
how much the series went beyond what was expected on several days of these eight weeks is never out
of the ordinary, which is all that can be said of things that are used now and then. Medians
throughout: a bad week changes none of them much. docs/decisions/0107 says why this and not a
library's model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from statistics import median

WEEK = 7
WEEKS = 8
SPREAD_DAYS = 28
# What stands between a median of absolute errors and a standard deviation, for normal errors.
TO_DEVIATION = 1.4826
# A series that never moved is not taken for certain: at least so much of a day's cost is usual.
USUAL_SHARE = 0.05
# What was exceeded on so many days of the eight weeks is ordinary.
SEEN_BEFORE = 4
# The level may follow the last week so far and no further in one day.
LEAST_LEVEL, MOST_LEVEL = 0.2, 5.0
RATIOS_NEEDED = 4
DAYS_NEEDED = 21
MONTHS = 6
ONE_DAY = timedelta(days=1)
# The days that a finding is about: it is over when the last of them was ordinary.
RECENT_DAYS = 7


@dataclass(frozen=True)
class Sensitivity:
    """What is worth a message: at least `money` (units of the currency) above what was expected of
    a day, `deviations` of what is usual, and `share` of what was expected."""

    money: float
    deviations: float
    share: float = 0.25


@dataclass(frozen=True)
class Day:
    """A day's cost, what was expected of it, how much off is usual, and by how much
    several days before went beyond theirs (`reached`)."""

    day: date
    cost: float
    expected: float
    usual: float
    reached: float = 0.0

    @property
    def excess(self) -> float:
        return self.cost - self.expected

    def stands_out(self, at: Sensitivity) -> bool:
        return (
            self.excess >= at.money
            and self.excess >= at.deviations * self.usual
            and self.excess >= at.share * self.expected
            and self.excess - self.reached >= max(at.money, at.share * self.reached)
        )


@dataclass(frozen=True)
class Anomaly:
    """Days that stand out, the first and the last of them, and what they cost beyond what was
    expected."""

    since: date
    until: date
    excess: float
    expected: float
    cost: float


def days_of(costs: Mapping[date, float], first: date, last: date) -> list[Day]:
    """Every day from `first` to `last` that can be judged by those before it. A day without costs
    cost nothing. `first` is the first day of the account's history, not of this series."""
    count = (last - first).days + 1
    dates = [first + n * ONE_DAY for n in range(count)]
    series = [max(costs.get(day, 0.0), 0.0) for day in dates]
    bases = [_base(series, n) for n in range(count)]
    ratios = [
        value / base if base and base > 0 else None
        for value, base in zip(series, bases, strict=True)
    ]
    # An error is None where nothing could be expected.
    errors: list[float | None] = []
    shares: dict[int, float] = {}
    judged = []
    for n, day in enumerate(dates):
        base = bases[n]
        if base is None:
            errors.append(None)
            continue
        plain = base * _level(ratios[max(0, n - WEEK) : n])
        found = Day(
            day,
            series[n],
            plain,
            _usual(errors, shares, plain, n),
            _reached(series, errors, base, n),
        )
        errors.append(series[n] - plain)
        if plain > 0:
            shares[n] = abs(series[n] - plain) / plain
        if day.day == 1:
            found = _first_of_month(found, dates, errors, n)
        if n >= DAYS_NEEDED:
            judged.append(found)
    return judged


def anomaly(days: Sequence[Day], at: Sensitivity, recent: int = RECENT_DAYS) -> Anomaly | None:
    """The last run of days that stand out, if it reaches into the `recent` last days. One ordinary
    day does not end a run."""
    found: list[Day] = []
    for day in reversed(days):
        if day.stands_out(at):
            found.append(day)
        elif found and (found[-1].day - day.day).days > 1:
            break
    if not found or (days[-1].day - found[0].day).days >= recent:
        return None
    return Anomaly(
        since=found[-1].day,
        until=found[0].day,
        excess=sum(day.excess for day in found),
        expected=sum(day.expected for day in found),
        cost=sum(day.cost for day in found),
    )


def _base(series: Sequence[float], n: int) -> float | None:
    """The median of the same weekday of the weeks before; None in the first two weeks."""
    same = [series[n - k * WEEK] for k in range(1, WEEKS + 1) if n - k * WEEK >= 0]
    return median(same) if len(same) >= 2 else None


def _level(ratios: Sequence[float | None]) -> float:
    """How the last week stands to what its weekdays usually cost."""
    known = [ratio for ratio in ratios if ratio is not None]
    if len(known) < RATIOS_NEEDED:
        return 1.0
    return min(max(median(known), LEAST_LEVEL), MOST_LEVEL)


def _usual(
    errors: Sequence[float | None], shares: Mapping[int, float], expected: float, n: int
) -> float:
    """How far off the last weeks were, in money and as a share of what was expected: a day that
    costs seven times as much as others may be off by seven times as much."""
    days = range(max(0, n - SPREAD_DAYS), n)
    money = [abs(error) for error in errors[days.start : n] if error is not None]
    relative = [shares[day] for day in days if day in shares]
    return max(
        TO_DEVIATION * median(money) if money else 0.0,
        TO_DEVIATION * median(relative) * expected if relative else 0.0,
        USUAL_SHARE * expected,
    )


def _reached(series: Sequence[float], errors: Sequence[float | None], base: float, n: int) -> float:
    """By how much several days went beyond what was expected of them. Where nothing is expected,
    once is enough; the days just before that belong to the same use do not count."""
    last = n
    if base == 0:
        while last > 0 and series[last - 1] > 0:
            last -= 1
    beyond = [e for e in errors[max(0, n - WEEKS * WEEK) : last] if e is not None and e > 0]
    place = SEEN_BEFORE if base > 0 else 1
    return sorted(beyond, reverse=True)[place - 1] if len(beyond) >= place else 0.0


def _first_of_month(
    found: Day, dates: Sequence[date], errors: Sequence[float | None], n: int
) -> Day:
    """The day with what earlier firsts brought beyond their own weekday. Before there was one,
    nothing stands out on it: a cost that is no monthly fee is still there on the second."""
    extras = [
        max(error, 0.0)
        for day, error in zip(dates[:n], errors[:n], strict=True)
        if day.day == 1 and error is not None
    ][-MONTHS:]
    if not extras:
        return replace(found, expected=max(found.cost, found.expected))
    extra = median(extras)
    usual = max(found.usual, USUAL_SHARE * extra)
    return replace(found, expected=found.expected + extra, usual=usual)

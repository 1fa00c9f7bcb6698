"""Detect unusual daily costs with a robust baseline of the preceding days.

The expected cost of a day is the median of the same weekday over eight weeks, so weekends and
weekly jobs are expected; times the ratio of the last seven days to theirs, so a new level is
expected after four days; plus the usual additional cost of the first of a month. The usual
deviation is that of the last four weeks (median of absolute errors), in money and as a share. An
excess that occurred on several days of the eight weeks is never unusual, which covers occasional
use. One bad week changes no median much. docs/decisions/0107 explains why this is not a library's
model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from statistics import median

WEEK = 7
WEEKS = 8
SPREAD_DAYS = 28
# Ratio of a standard deviation to a median of absolute errors, for normal errors.
TO_DEVIATION = 1.4826
# Smallest usual deviation as a share of a day's cost, for a series that never changed.
USUAL_SHARE = 0.05
# An excess on this many days of the eight weeks is usual.
SEEN_BEFORE = 4
# Bounds of the level's change by the last week in one day.
LEAST_LEVEL, MOST_LEVEL = 0.2, 5.0
RATIOS_NEEDED = 4
DAYS_NEEDED = 21
MONTHS = 6
ONE_DAY = timedelta(days=1)
# Days of a finding; it is over when the last of them was usual.
RECENT_DAYS = 7


@dataclass(frozen=True)
class Sensitivity:
    """Thresholds of an anomaly: at least `money` (currency units) above the expected cost of a day,
    `deviations` times the usual deviation, and `share` of the expected cost.
    """

    money: float
    deviations: float
    share: float = 0.25


@dataclass(frozen=True)
class Day:
    """A day's cost, its expected cost, the usual deviation, and the excess that several earlier
    days reached (`reached`).
    """

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
    """A run of unusual days, and its cost beyond the expected cost."""

    since: date
    until: date
    excess: float
    expected: float
    cost: float


def days_of(costs: Mapping[date, float], first: date, last: date) -> list[Day]:
    """Return every day from `first` to `last` that has enough preceding days.

    A day without costs is zero. `first` is the first day of the account's history, not of this
    series.
    """
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
    """Return the last run of unusual days if it reaches into the `recent` last days.

    One usual day does not end a run.
    """
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
    """Return the median of the same weekday in the weeks before; None in the first two weeks."""
    same = [series[n - k * WEEK] for k in range(1, WEEKS + 1) if n - k * WEEK >= 0]
    return median(same) if len(same) >= 2 else None


def _level(ratios: Sequence[float | None]) -> float:
    """Return the ratio of the last week to the usual cost of its weekdays."""
    known = [ratio for ratio in ratios if ratio is not None]
    if len(known) < RATIOS_NEEDED:
        return 1.0
    return min(max(median(known), LEAST_LEVEL), MOST_LEVEL)


def _usual(
    errors: Sequence[float | None], shares: Mapping[int, float], expected: float, n: int
) -> float:
    """Return the usual deviation in money, scaled by the share for expensive days."""
    days = range(max(0, n - SPREAD_DAYS), n)
    money = [abs(error) for error in errors[days.start : n] if error is not None]
    relative = [shares[day] for day in days if day in shares]
    return max(
        TO_DEVIATION * median(money) if money else 0.0,
        TO_DEVIATION * median(relative) * expected if relative else 0.0,
        USUAL_SHARE * expected,
    )


def _reached(series: Sequence[float], errors: Sequence[float | None], base: float, n: int) -> float:
    """Return the excess that several days reached.

    Where nothing is expected, one day is enough; days directly before that belong to the same use
    do not count.
    """
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
    """Return the day with the usual additional cost of earlier firsts of a month.

    Before the first such day, it is never unusual: a cost that is not a monthly fee continues on
    the second.
    """
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

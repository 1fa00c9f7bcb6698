"""Precision and recall of cost anomalies on a labelled synthetic year.

    python -m benchmarks.anomalies

Four hundred series of daily cost, each of one kind, each with noise of its own; four in ten have
something out of the ordinary that is labelled with its days. Every series is gone through day by
day as the daily evaluation would: what is found counts as right when it begins within a labelled
stretch (or the two days after it), and a label as found when something is found within three days
of its beginning. Nothing is tuned to the seed: --seed draws another year.
"""

import argparse
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cloudspend.findings.anomaly import RECENT_DAYS, Day, Sensitivity, anomaly, days_of
from cloudspend.settings import Settings

FIRST = date(2025, 1, 1)
DAYS = 365
SERIES = 400
ODD_SHARE = 0.4
# Found so many days after its beginning, an anomaly is found; later, it is missed.
PROMPT = 3
AFTERGLOW = 2
WARM_UP = 60

Shape = Callable[[random.Random, float], list[float]]


@dataclass(frozen=True)
class Stretch:
    """Days of a series, from `first` to `last`, by their number."""

    first: int
    last: int


@dataclass(frozen=True)
class Series:
    """A year of daily costs; `label` is where something was done to it."""

    kind: str
    injected: str
    costs: list[float]
    label: Stretch | None


@dataclass(frozen=True)
class Score:
    """Of `found` findings `right` were labelled; of `labels` labels `caught` were found in time."""

    found: int
    right: int
    labels: int
    caught: int

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.caught / self.labels if self.labels else 1.0


def _flat(_rng: random.Random, level: float) -> list[float]:
    return [level] * DAYS


def _weekends(rng: random.Random, level: float) -> list[float]:
    quiet = rng.uniform(0.05, 0.6)
    return [level * (quiet if _day(n).weekday() >= 5 else 1.0) for n in range(DAYS)]


def _growth(rng: random.Random, level: float) -> list[float]:
    daily = rng.uniform(0.001, 0.006)
    return [level * (1 + daily) ** n for n in range(DAYS)]


def _monthly_fee(rng: random.Random, level: float) -> list[float]:
    fee = level * rng.uniform(2, 10)
    return [level + (fee if _day(n).day == 1 else 0.0) for n in range(DAYS)]


def _weekly_job(rng: random.Random, level: float) -> list[float]:
    weekday = rng.randrange(7)
    return [level * 7 if _day(n).weekday() == weekday else level * 0.02 for n in range(DAYS)]


def _seasons(rng: random.Random, level: float) -> list[float]:
    """A level that wanders by a few percent a week, as businesses do."""
    costs, now = [], level
    for n in range(DAYS):
        now *= 1 + rng.gauss(0, 0.01)
        costs.append(now * (0.7 if _day(n).weekday() >= 5 else 1.0))
    return costs


def _seldom(rng: random.Random, level: float) -> list[float]:
    """Used on a few days at random, never for much."""
    return [level * 0.3 if rng.random() < 0.15 else 0.0 for _ in range(DAYS)]


SHAPES: Sequence[Shape] = (
    _flat,
    _weekends,
    _growth,
    _monthly_fee,
    _weekly_job,
    _seasons,
    _seldom,
)


def _spike(rng: random.Random, costs: list[float], start: int, level: float) -> Stretch:
    last = start + rng.randrange(3)
    for n in range(start, last + 1):
        costs[n] += level * rng.uniform(1.5, 6)
    return Stretch(start, last)


def _shift(rng: random.Random, costs: list[float], start: int, level: float) -> Stretch:
    """A new level that stays; it is news for a week."""
    more = level * rng.uniform(1, 4)
    for n in range(start, DAYS):
        costs[n] += more
    return Stretch(start, start + RECENT_DAYS - 1)


def _ramp(rng: random.Random, costs: list[float], start: int, level: float) -> Stretch:
    """A leak: every day costs more than the one before, for ten days, until it is stopped."""
    step = level * rng.uniform(0.6, 1.5)
    for k in range(10):
        costs[start + k] += step * (k + 1)
    return Stretch(start, start + 9)


INJECTIONS: Sequence[Callable[[random.Random, list[float], int, float], Stretch]] = (
    _spike,
    _shift,
    _ramp,
)


def labelled_year(seed: int, series: int = SERIES) -> list[Series]:
    """The series of one seed, always the same."""
    rng = random.Random(seed)  # noqa: S311
    return [_one(rng, SHAPES[n % len(SHAPES)]) for n in range(series)]


def _one(rng: random.Random, shape: Shape) -> Series:
    level = 10 ** rng.uniform(1.7, 4)
    noise = rng.uniform(0.01, 0.12)
    costs = [max(0.0, cost * rng.gauss(1, noise)) for cost in shape(rng, level)]
    kind = shape.__name__.strip("_")
    if rng.random() >= ODD_SHARE:
        return Series(kind, "nothing", costs, None)
    inject = rng.choice(INJECTIONS)
    label = inject(rng, costs, rng.randrange(WARM_UP, DAYS - 15), level)
    return Series(kind, inject.__name__.strip("_"), costs, label)


def _day(number: int) -> date:
    return FIRST + timedelta(days=number)


def findings(series: Series, at: Sensitivity) -> list[int]:
    """The numbers of the days on which a finding would be raised, as day after day is judged."""
    costs = {_day(n): cost for n, cost in enumerate(series.costs)}
    days = days_of(costs, FIRST, _day(DAYS - 1))
    raised, is_open = [], False
    for n in range(1, len(days) + 1):
        found = anomaly(days[max(0, n - 2 * RECENT_DAYS) : n], at)
        if found and not is_open and _counts(days[n - 1]):
            raised.append((days[n - 1].day - FIRST).days)
        is_open = found is not None
    return raised


def _counts(day: Day) -> bool:
    return (day.day - FIRST).days >= WARM_UP


def score(year: Sequence[Series], at: Sensitivity) -> Score:
    """How the findings of all series stand to their labels."""
    found = right = labels = caught = 0
    for each in year:
        raised = findings(each, at)
        found += len(raised)
        label = each.label
        if label is None:
            continue
        labels += 1
        right += sum(label.first <= n <= label.last + AFTERGLOW for n in raised)
        caught += any(label.first <= n <= label.first + PROMPT for n in raised)
    return Score(found, right, labels, caught)


def shown_by(year: Sequence[Series], of: Callable[[Series], str], at: Sensitivity) -> list[str]:
    """A line for each kind of series, or of what was done to them."""
    names = Counter(of(each) for each in year)
    lines = []
    for name, count in sorted(names.items()):
        one = score([each for each in year if of(each) == name], at)
        lines.append(
            f"  {name:12} {count:4} series  {one.found:4} found, {one.right:4} rightly"
            f"  {one.caught:3} of {one.labels:3} labels"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=2025)
    parser.add_argument("--series", type=int, default=SERIES)
    given = parser.parse_args()
    usual = Settings("", "")
    at = Sensitivity(usual.policy.anomaly_money, usual.policy.anomaly_deviations)
    year = labelled_year(given.seed, given.series)
    whole = score(year, at)
    lines = [
        f"anomalies: {given.series} series of {DAYS} days, seed {given.seed}",
        f"from {at.money:.0f} a day and {at.deviations:.0f} deviations on",
        *shown_by(year, lambda each: each.kind, at),
        *shown_by(year, lambda each: each.injected, at),
        f"precision {whole.precision:.3f}  recall {whole.recall:.3f}",
    ]
    print("\n".join(lines))  # noqa: T201


if __name__ == "__main__":
    main()

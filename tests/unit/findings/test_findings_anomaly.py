"""Anomalies in a series of daily costs, judged on a labelled year."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from benchmarks.anomalies import labelled_year, score
from cloudspend.findings.anomaly import Anomaly, Sensitivity, anomaly, days_of
from cloudspend.settings import Settings

FIRST = date(2026, 7, 1)  # a Wednesday
AT = Sensitivity(money=50, deviations=6)
LENGTH = 100


def judged(cost: Callable[[int], float], length: int = LENGTH) -> Anomaly | None:
    """The anomaly at the end of a series, whose cost is given by the number of the day."""
    days = {FIRST + timedelta(days=n): cost(n) for n in range(length)}
    return anomaly(days_of(days, FIRST, FIRST + timedelta(days=length - 1)), AT)


def _weekday(n: int) -> int:
    return (FIRST + timedelta(days=n)).weekday()


def _dom(n: int) -> int:
    return (FIRST + timedelta(days=n)).day


def _peak(level: float, days: int) -> Callable[[int], float]:
    return lambda n: level * 3 if n >= LENGTH - days else level


@pytest.mark.parametrize("days", [1, 2, 3])
def test_a_peak_is_found_with_its_days_and_its_sum(days: int) -> None:
    found = judged(_peak(1000, days))
    assert found
    assert (found.until - found.since).days == days - 1
    assert found.excess == pytest.approx(2000 * days)


@pytest.mark.parametrize(
    "cost",
    [
        lambda _: 1000.0,
        lambda n: 100.0 if _weekday(n) >= 5 else 1000.0,
        lambda n: 7000.0 if _weekday(n) == 3 else 20.0,
        lambda n: 1000.0 * 1.005**n,
        lambda n: 6000.0 if _dom(n) == 1 else 1000.0,
        lambda n: 10.0 if n == LENGTH - 1 else 0.0,
    ],
    ids=["flat", "weekends", "weekly job", "growth", "monthly fee", "too little"],
)
@pytest.mark.parametrize("length", range(LENGTH - 10, LENGTH + 1, 2))
def test_what_is_usual_is_quiet(cost: Callable[[int], float], length: int) -> None:
    assert judged(cost, length) is None


def test_the_first_first_of_a_month_is_quiet_and_a_lasting_rise_is_found_on_the_second() -> None:
    """With too little history to know what a first brings."""
    first = (date(2026, 8, 1) - FIRST).days
    assert judged(lambda n: 5000.0 if n >= first else 1000.0, first + 1) is None
    assert judged(lambda n: 5000.0 if n >= first else 1000.0, first + 2) is not None


def test_a_new_level_is_news_for_some_days_and_then_usual() -> None:
    def lasting(days: int) -> Anomaly | None:
        return judged(lambda n: 4000.0 if n >= LENGTH - days else 1000.0)

    assert all(lasting(days) for days in range(1, 9))
    assert lasting(30) is None


def test_a_peak_of_ten_days_ago_is_over() -> None:
    assert judged(lambda n: 9000.0 if n == LENGTH - 11 else 1000.0) is None


def test_a_service_that_was_never_used_is_found() -> None:
    found = judged(lambda n: 500.0 if n >= LENGTH - 2 else 0.0)
    assert found
    assert found.excess == 1000


def test_nothing_is_said_before_three_weeks() -> None:
    assert days_of({FIRST: 1.0}, FIRST, FIRST + timedelta(days=20)) == []


def test_precision_and_recall_on_a_labelled_year_hold_their_floor() -> None:
    """The whole benchmark has 400 series and better figures; a few are quick."""
    usual = Settings("", "")
    at = Sensitivity(usual.policy.anomaly_money, usual.policy.anomaly_deviations)
    found = score(labelled_year(seed=11, series=70), at)
    assert found.labels >= 20
    assert found.precision >= 0.85
    assert found.recall >= 0.9

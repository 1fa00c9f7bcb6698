"""Days that are requested again, and by which requests."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudspend.collect.model import Days, Granularity, piece_of, pieces
from cloudspend.collect.window import RequestSize, extended, month_after, plan, smaller

TODAY = date(2026, 11, 24)
DAY = timedelta(days=1)
todays = st.dates(date(2024, 1, 1), date(2030, 12, 31))
grains = st.sampled_from([Granularity.DAY, Granularity.MONTH])


def everything(grain: Granularity, today: date, history: int) -> Days:
    end = today + DAY if grain is Granularity.DAY else month_after(today, 1)
    return Days(month_after(today, -history), end)


def asked_days(questions: list[Days]) -> list[date]:
    return [day for question in questions for day in question]


@given(grains, todays, st.integers(1, 20), st.integers(0, 30), st.integers(1, 5))
def test_the_first_run_asks_for_all_of_the_history_once_newest_first(
    grain: Granularity, today: date, history: int, overlap: int, at_once: int
) -> None:
    found = plan(grain, None, today, overlap=overlap, history=history, most=RequestSize(at_once))
    whole = everything(grain, today, history)
    assert sorted(asked_days(found)) == list(whole)
    assert found == sorted(found, key=lambda days: days.start, reverse=True)
    assert all(month_after(days.start, at_once) >= days.end for days in found)


@given(
    grains,
    todays,
    st.integers(1, 20),
    st.integers(0, 20),
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 8)), min_size=1, max_size=6),
)
def test_runs_that_end_early_leave_no_gap_and_the_rest_follows(
    grain: Granularity, begun: date, history: int, overlap: int, runs: list[tuple[int, int]]
) -> None:
    """Each run comes some days later and gets so many questions done."""
    today, stored, held = begun, None, set[date]()
    for later, done in runs:
        today += later * DAY
        for asked in plan(grain, stored, today, overlap=overlap, history=history)[:done]:
            stored = extended(stored, asked)
            held |= set(asked)
        if stored is not None:
            assert set(stored) <= held
    for asked in plan(grain, stored, today, overlap=overlap, history=history):
        stored = extended(stored, asked)
        held |= set(asked)
    assert stored is not None
    assert set(stored) <= held
    assert set(everything(grain, today, history)) <= set(stored)


@given(todays, st.integers(0, 30), st.integers(0, 40))
def test_only_the_overlap_and_what_is_new_is_asked_for_again(
    today: date, overlap: int, later: int
) -> None:
    stored = everything(Granularity.DAY, today, 3)
    now = today + later * DAY
    again = sorted(asked_days(plan(Granularity.DAY, stored, now, overlap=overlap, history=2)))
    assert again == list(Days(max(stored.end - overlap * DAY, month_after(now, -2)), now + DAY))


@pytest.mark.parametrize(("days", "due"), [(0, False), (6, False), (7, True), (30, True)])
def test_a_snapshot_is_taken_when_it_is_due(days: int, due: bool) -> None:
    stored = Days(TODAY, TODAY + DAY)
    now = TODAY + days * DAY
    found = plan(Granularity.SNAPSHOT, stored, now, overlap=7, history=13)
    assert found == ([Days(now, now + DAY)] if due else [])


def test_what_is_too_old_to_be_gone_on_with_is_collected_anew() -> None:
    stored = Days(date(2020, 1, 1), date(2020, 2, 1))
    found = plan(Granularity.DAY, stored, TODAY, overlap=7, history=2)
    assert sorted(asked_days(found)) == list(everything(Granularity.DAY, TODAY, 2))
    assert extended(stored, found[0]) == found[0]


def test_a_day_belongs_to_the_piece_that_its_grain_says() -> None:
    days = Days(date(2026, 10, 31), date(2026, 11, 2))
    assert [piece.name for piece in pieces(Granularity.DAY, days)] == ["2026-10-31", "2026-11-01"]
    assert [str(piece.period) for piece in pieces(Granularity.MONTH, days)] == [
        "2026-10",
        "2026-11",
    ]
    assert piece_of(Granularity.SNAPSHOT, TODAY).name == "all"


@pytest.mark.parametrize(
    ("grain", "stuck", "most"),
    [
        (Granularity.DAY, 0, RequestSize(4)),
        (Granularity.DAY, 1, RequestSize(1, 7)),
        (Granularity.DAY, 2, RequestSize(1, 1)),
        (Granularity.DAY, 9, RequestSize(1, 1)),
        (Granularity.MONTH, 0, RequestSize(4)),
        (Granularity.MONTH, 1, RequestSize(1)),
    ],
)
def test_questions_that_were_too_large_get_smaller(
    grain: Granularity, stuck: int, most: RequestSize
) -> None:
    assert smaller(grain, 4, stuck) == most


@pytest.mark.parametrize("days", [1, 7, 31])
def test_smaller_questions_ask_for_the_same_days_and_leave_no_gap(days: int) -> None:
    stored = None
    asked = plan(Granularity.DAY, None, TODAY, overlap=7, history=2, most=RequestSize(1, days))
    assert all((each.end - each.start).days <= days for each in asked)
    for each in asked:
        assert stored is None or each.end == stored.start
        stored = extended(stored, each)
    assert sorted(asked_days(asked)) == sorted(
        asked_days(plan(Granularity.DAY, None, TODAY, overlap=7, history=2))
    )

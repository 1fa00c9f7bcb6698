"""The order of a run's rows: by several columns, missing values first, equal rows as they came."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudspend.convert.writer import sorted_order

ROWS = st.lists(st.tuples(st.sampled_from([None, "a", "b", "ä"]), st.none() | st.integers(0, 3)))


def columns_of(rows: list[tuple[str | None, int | None]]) -> list[pa.Array]:
    texts = pa.array([text for text, _ in rows], pa.string()).dictionary_encode()
    hours = pa.array([hour for _, hour in rows], pa.timestamp("ms"))
    return [texts, hours]


def by_value(row: tuple[Any, ...]) -> list[tuple[bool, Any]]:
    return [
        (value is not None, value.encode() if isinstance(value, str) else value) for value in row
    ]


@given(ROWS)
def test_rows_stand_by_the_first_column_then_by_the_next(
    rows: list[tuple[str | None, int | None]],
) -> None:
    expected = sorted(range(len(rows)), key=lambda number: by_value(rows[number]))
    assert sorted_order(columns_of(rows)).tolist() == expected


@pytest.mark.parametrize("columns", [2, 7])
def test_the_order_is_the_same_when_one_number_cannot_hold_it(columns: int) -> None:
    random = np.random.default_rng(1)
    figures = [random.permutation(np.repeat(np.arange(1000), 2)) for _ in range(columns)]
    arrays = [pa.array(one.astype("datetime64[ms]")) for one in figures]
    assert (sorted_order(arrays) == np.lexsort(figures[::-1])).all()

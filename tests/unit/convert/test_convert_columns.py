"""Columns of text as codes and values, from every way of reading, and what is found out of them."""

import gc
import threading
import weakref
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudspend.convert.engine import codes
from cloudspend.convert.engine.columns import Column, Columns
from cloudspend.convert.engine.locations import FileLocator
from cloudspend.convert.engine.maps import TEXT
from cloudspend.convert.engine.memo import Memo
from cloudspend.convert.engine.rows import Rows

texts = st.lists(st.sampled_from([None, "", "a", "b", "ccc", "é"]), max_size=12)
kinds = st.sampled_from([TEXT, pa.string()])


def read(column: Column, rows: Sequence[int] | None = None) -> list[str | None]:
    found: list[str | None] = column.text(
        None if rows is None else np.array(rows, np.int64)
    ).to_pylist()
    return found


@settings(deadline=None)
@given(texts, kinds)
def test_an_empty_text_is_a_missing_value(values: list[str | None], kind: pa.DataType) -> None:
    column, wanted = Column.of(pa.array(values, kind)), [value or None for value in values]
    assert read(column) == wanted
    assert [column.value(row) for row in range(len(values))] == wanted
    assert column.missing().tolist() == [value is None for value in wanted]
    assert read(column, range(len(values))[::-1]) == wanted[::-1]
    assert read(column.first(3)) == wanted[:3]
    assert read(column.compact()) == read(column.coded()) == wanted
    assert "" not in column.values.to_pylist()


@settings(deadline=None)
@given(st.lists(st.tuples(texts, kinds), min_size=1, max_size=4))
def test_parts_of_either_form_are_joined(parts: list[tuple[list[str | None], pa.DataType]]) -> None:
    joined = Column.joined([Column.of(pa.array(values, kind)) for values, kind in parts])
    assert read(joined) == [value or None for values, _ in parts for value in values]


def test_of_a_column_that_is_mostly_empty_only_what_is_there_is_held() -> None:
    values = [None] * 90 + [f"{number}.5" for number in range(10)]
    column = Column.of(pa.array(values, pa.string()))
    assert column.codes is not None
    assert (column.codes.itemsize, len(column.values)) == (1, 10)
    full = Column.of(pa.array(values[90:], pa.string()))
    assert (full.codes, len(full.values)) == (None, 10)


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), max_size=30), st.sampled_from([0, 1, 10**6]))
def test_combinations_are_the_same_counted_or_hashed(
    lines: list[tuple[int, int, int]], tabled: int
) -> None:
    columns = [(np.array([line[n] for line in lines], np.uint8), 4) for n in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codes, "TABLED", tabled)
        found, each = codes.combine_codes(columns, len(lines))
    made = [tuple(int(numbers[code]) for numbers in each) for code in found]
    assert made == lines
    assert len(each[0]) == len(set(lines))


def test_a_column_that_is_added_is_made_when_it_is_asked_for() -> None:
    made = list[str]()

    def make(_: Rows) -> Column:
        made.append("made")
        return Column.of(pa.array(["x", None], TEXT))

    rows = Rows(Columns({}), 2, FileLocator("file", int))
    rows.add("new", make)
    assert (rows.has("new"), rows.has("other"), made) == (True, False, [])
    assert rows.taken(np.array([1, 0])).text("new").to_pylist() == [None, "x"]
    assert rows.text("new").to_pylist() == ["x", None]
    assert made == ["made"]


def test_rows_that_nobody_holds_are_gone_at_once() -> None:
    rows = Rows({"a": pa.array(["x", "y"], TEXT)}, 2, FileLocator("file", int))
    rows.add("new", lambda whole: Column.of(whole.text("a")))
    taken = rows.taken(np.array([1]))
    assert taken.derive(lambda new, a: f"{new}{a}", "new", "a").to_pylist() == ["yy"]
    held = weakref.ref(rows)
    gc.disable()
    try:
        del rows, taken
        assert held() is None
    finally:
        gc.enable()


def test_rules_are_evaluated_once_for_the_whole() -> None:
    seen = list[str | None]()

    def rule(value: str | None) -> str | None:
        seen.append(value)
        return value and value.upper()

    rows = Rows({"a": pa.array(["x", "y", "x", None], TEXT)}, 4, FileLocator("file", int))
    taken = [rows.taken(np.array(order)) for order in ([3, 0], [2, 1])]
    assert [one.derive(rule, "a").to_pylist() for one in taken] == [[None, "X"], ["X", "Y"]]
    assert sorted(seen, key=str) == [None, "x", "y"]
    # A part that is looked at by itself shares nothing.
    assert rows.first(1).derive(rule, "a").to_pylist() == ["X"]
    assert len(seen) > len({"x", "y", None})


def test_threads_that_ask_the_same_wait_for_one_answer() -> None:
    once, begun, go_on, calls = Memo(), threading.Event(), threading.Event(), list[int]()

    def find() -> int:
        calls.append(1)
        begun.set()
        assert go_on.wait(10)
        return 7

    found = list[int]()
    threads = [threading.Thread(target=lambda: found.append(once("key", find))) for _ in range(2)]
    threads[0].start()
    assert begun.wait(10)
    threads[1].start()
    # Another question is not kept waiting.
    assert once("other", lambda: 8) == 8
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert (found, calls) == ([7, 7], [1])


def test_what_raises_is_asked_again() -> None:
    once = Memo()
    with pytest.raises(ZeroDivisionError):
        once("key", lambda: 1 // 0)
    assert once("key", lambda: 1) == 1

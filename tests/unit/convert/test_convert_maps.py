"""Map columns: decoded once, refused when they are no maps, and the same as Arrow's own way."""

import json
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudspend.convert.engine import maps as module
from cloudspend.convert.engine import rows
from cloudspend.convert.engine.json_text import decoded
from cloudspend.convert.engine.locations import FileLocator
from cloudspend.convert.engine.maps import (
    MARKED,
    NUMBER_MAP,
    TEXT,
    TEXT_MAP,
    Maps,
    decoded_maps,
    each,
    joined,
)
from cloudspend.convert.engine.rows import Rows
from cloudspend.errors import DeliveryError

text_maps = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=4)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{}", {}),
        ('{"user_name": "web", "aws_createdBy": ""}', {"user_name": "web", "aws_createdBy": ""}),
        ('{"EDP": 0.10, "PPA": -1E-7}', {"EDP": "0.10", "PPA": "-1E-7"}),
        (
            '{"a": 12345678901234567890, "b": true, "c": null}',
            {"a": "12345678901234567890", "b": "true"},
        ),
        ('{"a": "\\u00e9"}', {"a": "é"}),
    ],
)
def test_an_object_of_scalars_is_a_map(text: str, found: dict[str, str]) -> None:
    assert decoded(text) == found


@pytest.mark.parametrize(
    "text",
    ["", "web", "[]", '"web"', "1", "null", '{"a": {}}', '{"a": [1]}', '{"a": NaN}',
     '{"a": 1, "a": 2}', '{"a": 1', "{'a': 1}"],
)  # fmt: skip
def test_anything_else_is_not(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decoded(text)


@settings(deadline=None)
@given(st.lists(text_maps, min_size=1, max_size=6), st.data())
def test_gathered_maps_are_the_maps(maps: list[dict[str, str]], data: st.DataObject) -> None:
    codes = data.draw(st.lists(st.integers(0, len(maps) - 1), max_size=12))
    made = Maps.of(maps).array(np.array(codes, np.int64))
    assert made.type == TEXT_MAP
    expected: list[Any] = [list(maps[n].items()) or None for n in codes]
    assert made.to_pylist() == expected
    assert Maps.of(maps).taken(np.array(codes, np.int64)).dicts() == [maps[n] for n in codes]


def test_an_empty_map_comes_after_the_others() -> None:
    assert Maps.of([{"a": "b"}]).and_an_empty_one().dicts() == [{"a": "b"}, {}]
    assert Maps.of([]).and_an_empty_one().dicts() == [{}]


def test_numbers_of_a_map() -> None:
    made = Maps.of([{}, {"EDP": "0.1"}]).array(np.array([1, 0, 1]), NUMBER_MAP)
    assert made.to_pylist() == [[("EDP", 0.1)], None, [("EDP", 0.1)]]
    with pytest.raises(ValueError, match="much"):
        Maps.of([{"EDP": "much"}]).array(np.array([0]), NUMBER_MAP)


numbers = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
plain_text = st.text(
    st.characters(exclude_characters='"\\', min_codepoint=32, codec="utf-8"), max_size=5
)
written = (
    st.dictionaries(plain_text, plain_text, max_size=4)
    | st.dictionaries(plain_text, numbers, max_size=4)
    | st.dictionaries(st.text(max_size=4), st.text(max_size=4) | st.booleans() | st.none())
)
separators = st.sampled_from([(",", ":"), (", ", ": "), (" ,", " :")])
broken = st.sampled_from(
    ["", "{", '{"a":"b"', '{"a":"b",}', '{"a":01}', '{"a":"1","a":"2"}', '{"a":1,"a":2}', '{a:"b"}']
)


@settings(deadline=None)
@given(st.lists(st.tuples(written, separators, st.booleans()) | broken, max_size=4))
def test_maps_decoded_at_once_are_those_decoded_one_by_one(given: list[Any]) -> None:
    texts = [
        one if isinstance(one, str) else json.dumps(one[0], separators=one[1], ensure_ascii=one[2])
        for one in given
    ]
    one_by_one, refused = [], []
    for number, text in enumerate(texts):
        try:
            one_by_one.append(decoded(text))
        except ValueError:
            one_by_one.append({})
            refused.append(number)
    found, wrong = decoded_maps(pa.array(texts, pa.string()))
    assert [list(one.items()) for one in found.dicts()] == [list(o.items()) for o in one_by_one]
    assert wrong == refused


@settings(deadline=None)
@given(st.lists(st.tuples(text_maps, text_maps), max_size=4))
def test_joined_maps_are_both(pairs: list[tuple[dict[str, str], dict[str, str]]]) -> None:
    first, second = (Maps.of([pair[n] for pair in pairs]) for n in (0, 1))
    both = joined(first, second)
    assert [list(one.items()) for one in both.dicts()] == [
        list({**one, **other}.items()) for one, other in pairs
    ]
    assert len(set(both.texts.to_pylist())) == len(both.texts)


@settings(deadline=None)
@given(st.lists(text_maps, max_size=5), st.text(max_size=1))
def test_entries_are_found_sorted_and_left_out(maps: list[dict[str, str]], name: str) -> None:
    held = Maps.of(maps)
    everyone = np.arange(len(maps))
    assert held.column(name, everyone).text().to_pylist() == [one.get(name) for one in maps]
    assert [list(one) for one in held.by_name().dicts()] == [sorted(one) for one in maps]
    assert held.without([name]).dicts() == [
        {key: value for key, value in one.items() if key != name} for one in maps
    ]
    assert each(lambda one: one, held).dicts() == maps


@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries({"a": st.none() | st.text(), "b": st.none() | st.text()})))
def test_columns_as_maps(lines: list[dict[str, str | None]]) -> None:
    columns = {name: pa.array([line[name] for line in lines], TEXT) for name in "ab"}
    assert Maps.of_columns(columns, len(lines)).dicts() == [
        {name: value for name, value in line.items() if value is not None} for line in lines
    ]


def rows_of(**columns: list[str | None]) -> Rows:
    arrays = {name: pa.array(values, TEXT) for name, values in columns.items()}
    return Rows(arrays, len(next(iter(columns.values()))), FileLocator("file", lambda row: row + 2))


def test_each_distinct_text_is_decoded_once() -> None:
    tags = json.dumps({"user_team": "shop"})
    codes, maps = rows_of(resource_tags=[tags, None, tags, "{}"]).maps("resourceTags")
    assert maps.taken(codes).dicts() == [{"user_team": "shop"}, {}, {"user_team": "shop"}, {}]
    assert len(maps) == 3


def test_texts_are_decoded_once_for_every_order_of_the_rows() -> None:
    texts = [json.dumps({"user_team": team}) for team in ("shop", "bank", "shop")]
    run = rows_of(resource_tags=[*texts, None])
    with patch.object(rows, "decoded_maps", wraps=decoded_maps) as decode:
        for order in ([3, 2], [1, 0], [2, 0, 3, 1]):
            codes, maps = run.taken(np.array(order)).maps("resource_tags")
            wanted = [json.loads([*texts, "{}"][row]) for row in order]
            assert maps.taken(codes).dicts() == wanted
            # Written with the texts alone that these rows have.
            texts_written = maps.array(codes).items.dictionary.to_pylist()
            assert sorted(texts_written) == sorted({v for one in wanted for v in one.values()})
    assert decode.call_count == 1


def test_a_text_that_is_no_map_is_named_with_its_own_rows_only() -> None:
    run = rows_of(resource_tags=["{}", "[1]", '{"a": "b"}'])
    codes, maps = run.taken(np.array([2, 0])).maps("resource_tags")
    assert maps.taken(codes).dicts() == [{"a": "b"}, {}]
    with pytest.raises(DeliveryError) as caught:
        run.taken(np.array([2, 1])).maps("resource_tags")
    assert caught.value.details["line"] == 3


@pytest.mark.parametrize("marked", [0, MARKED])
def test_a_name_that_stands_twice_is_found_by_marks_as_by_sorting(marked: int) -> None:
    texts = pa.array(['{"a": "1", "b": "2"}', '{"b": "3", "b": "4"}'])
    with patch.object(module, "MARKED", marked):
        found, wrong = decoded_maps(texts)
    assert (found.dicts(), wrong) == ([{"a": "1", "b": "2"}, {}], [1])


def test_a_column_that_is_not_there_has_no_maps() -> None:
    codes, maps = rows_of(other=["x", "y"]).maps("resource_tags")
    assert maps.taken(codes).dicts() == [{}, {}]


def test_text_that_is_no_map_is_named() -> None:
    with pytest.raises(DeliveryError) as caught:
        rows_of(resource_tags=["{}", "[1]", "[1]"]).maps("resource_tags")
    details = caught.value.details
    assert (details["line"], details["column"], details["value"]) == (3, "resource_tags", "[1]")

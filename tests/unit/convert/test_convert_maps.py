"""Map columns: decoded once, refused when they are no maps, and the same as Arrow's own way."""

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudspend.convert.maps import NUMBER_MAP, TEXT, TEXT_MAP, decoded, map_array
from cloudspend.convert.rows import Place, Rows
from cloudspend.errors import DeliveryError

text_maps = st.none() | st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=4)


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
def test_gathered_maps_are_the_maps(maps: list[dict[str, str] | None], data: st.DataObject) -> None:
    codes = data.draw(st.lists(st.integers(0, len(maps) - 1), max_size=12))
    made = map_array(np.array(codes, np.int64), maps)
    assert made.type == TEXT_MAP
    expected: list[Any] = [None if maps[n] is None else list(maps[n].items()) for n in codes]  # type: ignore[union-attr]
    assert made.to_pylist() == expected


def test_numbers_of_a_map() -> None:
    made = map_array(np.array([1, 0, 1]), [None, {"EDP": "0.1"}], NUMBER_MAP)
    assert made.to_pylist() == [[("EDP", 0.1)], None, [("EDP", 0.1)]]
    with pytest.raises(ValueError, match="much"):
        map_array(np.array([0]), [{"EDP": "much"}], NUMBER_MAP)


def rows_of(**columns: list[str | None]) -> Rows:
    arrays = {name: pa.array(values, TEXT) for name, values in columns.items()}
    return Rows(arrays, len(next(iter(columns.values()))), Place("file", lambda row: row + 2))


def test_each_distinct_text_is_decoded_once() -> None:
    tags = json.dumps({"user_team": "shop"})
    codes, maps = rows_of(resource_tags=[tags, None, tags, "{}"]).maps("resourceTags")
    assert [maps[code] for code in codes] == [
        {"user_team": "shop"},
        None,
        {"user_team": "shop"},
        {},
    ]
    assert len(maps) == 3


def test_a_column_that_is_not_there_has_no_maps() -> None:
    codes, maps = rows_of(other=["x", "y"]).maps("resource_tags")
    assert [maps[code] for code in codes] == [None, None]


def test_text_that_is_no_map_is_named() -> None:
    with pytest.raises(DeliveryError) as caught:
        rows_of(resource_tags=["{}", "[1]", "[1]"]).maps("resource_tags")
    details = caught.value.details
    assert (details["line"], details["column"], details["value"]) == (3, "resource_tags", "[1]")


def test_a_map_of_two_maps() -> None:
    rows = rows_of(tags=['{"a": "1"}', None, '{"a": "1"}'], cats=['{"b": "2"}', None, None])
    made = rows.derive_map(
        lambda tags, cats: {**(tags or {}), **(cats or {})} or None, "tags", "cats"
    )
    assert made.to_pylist() == [[("a", "1"), ("b", "2")], None, [("a", "1")]]

"""Tags and cost categories in every spelling, and values that their column cannot hold."""

import json
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.engine.locations import FileLocator
from cloudspend.convert.engine.maps import Maps
from cloudspend.convert.engine.rows import Rows
from cloudspend.convert.focus.attributes import merged, renamed
from cloudspend.convert.focus.mappings import MAPPINGS
from cloudspend.convert.focus.names import chosen_key, label_key, snake, tag_column
from cloudspend.convert.focus.schema import BILLING_DETAIL, COST_AND_USAGE
from cloudspend.convert.focus.tags import (
    line_item_categories,
    line_item_tags,
    normalized_categories,
    normalized_tags,
)
from cloudspend.errors import UsageError
from tests.fakes.convert import USAGE


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CostCenter", "cost_center"),
        ("SavingsPlanARN", "savings_plan_a_r_n"),
        ("user:Cost Center", "user_cost_center"),
        ("aws:createdBy", "aws_created_by"),
        ("already_snake", "already_snake"),
        ("--odd--", "odd"),
    ],
)
def test_aws_snake_case(name: str, expected: str) -> None:
    assert snake(name) == expected


@pytest.mark.parametrize(
    ("key", "chosen", "label"),
    [
        ("user:CostCenter", "CostCenter", "costcenter"),
        ("user_cost_center", "cost_center", "costcenter"),
        ("aws:createdBy", "aws:createdBy", "aws:createdby"),
        ("aws_created_by", "aws:created_by", "aws:createdby"),
        ("user:aws_like", "aws_like", "awslike"),
        ("user:", "user:", "user"),
        ("Équipe", "Équipe", "équipe"),
        ("--", "--", "--"),
    ],
)
def test_keys_without_marks(key: str, chosen: str, label: str) -> None:
    assert chosen_key(key) == chosen
    assert label_key(chosen) == label


@given(st.text(st.characters(min_codepoint=32, max_codepoint=122), min_size=1, max_size=12))
def test_all_spellings_of_a_tag_are_one(key: str) -> None:
    if snake(key):
        spelled = label_key(chosen_key(f"user_{snake(key)}"))
        assert label_key(chosen_key(f"user:{key}")) == spelled


def normalized(tags: Mapping[str, str]) -> dict[str, str]:
    (found,) = normalized_tags(Maps.of([tags])).dicts()
    return found


def test_the_tags_column_comes_first_and_its_repeats_are_no_second_tags() -> None:
    found = line_item_tags(
        {"user_platform_id": "7", "user_team": "shop"},
        {
            "resourceTags/PlatformId": "7",
            "accountTag/Unit": "retail",
            "iamPrincipal/owner": "ann",
            "costCategory/Team": "web",
        },
    )
    assert found == {
        "PlatformId": "7",
        "team": "shop",
        "accountTag/Unit": "retail",
        "iamPrincipal/owner": "ann",
    }
    assert normalized(found) == {
        "platformid": "7",
        "team": "shop",
        "accountTag/unit": "retail",
        "iamPrincipal/owner": "ann",
    }
    assert line_item_categories({"team": "web"}, {"costCategory/Team": "web"}) == {"Team": "web"}


def test_tags_that_coincide_lose_no_value_in_any_order() -> None:
    tags = {"user:team": "b", "user:Team": "a", "user:TEAM": "a"}
    for order in (tags, dict(reversed(tags.items()))):
        assert normalized(line_item_tags(order, {})) == {"team": "a", "team#2": "b"}
    categories = Maps.of([{"a b": "1", "A-B": "2"}])
    assert normalized_categories(categories).dicts() == [{"ab": "2", "ab#2": "1"}]


def test_an_empty_tag_is_none() -> None:
    assert line_item_tags({"user_team": "", "user_name": "web"}, {}) == {"name": "web"}
    assert line_item_categories({"team": ""}, {"costCategory/unit": ""}) == {}


@given(st.lists(st.tuples(st.sampled_from("abC"), st.text(max_size=2)), max_size=8))
def test_no_value_is_lost_where_keys_coincide(entries: list[tuple[str, str]]) -> None:
    assert set(merged(entries).values()) == {value for _, value in entries}
    assert set(renamed(dict(entries), str.lower).values()) == set(dict(entries).values())


@pytest.mark.parametrize(
    ("key", "column"),
    [
        ("Cost Center", "tag_costcenter"),
        ("user:CostCenter", "tag_costcenter"),
        ("cost_center", "tag_costcenter"),
        ("aws:createdBy", "tag_awscreatedby"),
    ],
)
def test_the_column_of_a_tag(key: str, column: str) -> None:
    assert tag_column(key) == column


@pytest.mark.parametrize("key", ["", "--", "日本", "x" * 300])
def test_a_tag_that_no_column_can_be_named_after_is_refused(key: str) -> None:
    with pytest.raises(UsageError, match="No column can be named"):
        tag_column(key)


def test_tag_columns_come_after_all_others_and_only_in_cost_and_usage() -> None:
    mapping = MAPPINGS[ExportKind.CUR_2_0]
    tagged = mapping.with_tags(["Team", "team", "Unit"])
    names = tagged.tables[COST_AND_USAGE].schema.names
    assert names == [*mapping.tables[COST_AND_USAGE].schema.names, "tag_team", "tag_unit"]
    assert tagged.tables[BILLING_DETAIL].schema == mapping.tables[BILLING_DETAIL].schema


def table(name: str, kind: ExportKind, lines: Sequence[Mapping[str, str]]) -> pa.Table:
    mapping = MAPPINGS[kind]
    layout = mapping.layout(list(lines[0]), [name])
    columns = {
        column: pa.array([line[column] or None for line in lines], pa.string()).dictionary_encode()
        for column in layout.wanted
    }
    return mapping.tables[name].apply(Rows(columns, len(lines), FileLocator("file", int)), layout)


def test_values_of_another_type_are_kept_aside() -> None:
    changed = {
        "reservation/UnusedQuantity": "1 of 2",
        "reservation/UnusedNormalizedUnitQuantity": "3",
        "savingsPlan/SavingsPlanRate": "by the hour",
        "lineItem/UsageEndDate": "2026-10-05T02:00:00Z",
    }
    lines = [{**USAGE, **changed}, {**USAGE, **dict.fromkeys(changed, "2026-10-05")}]
    [first, second] = table(BILLING_DETAIL, ExportKind.CUR_LEGACY, lines).to_pylist()
    assert first["reservation_unused_quantity"] is None
    assert first["reservation_unused_normalized_unit_quantity"] == 3.0
    assert dict(first["x_other"]) == {
        "reservation/UnusedQuantity": "1 of 2",
        "savingsPlan/SavingsPlanRate": "by the hour",
    }
    assert set(dict(second["x_other"])) == set(changed) - {"lineItem/UsageEndDate"}
    [row] = table(COST_AND_USAGE, ExportKind.CUR_LEGACY, lines[:1]).to_pylist()
    assert row["x_reservationunusedquantity"] is None
    assert dict(row["x_other"]) == {"reservation/UnusedQuantity": "1 of 2"}


def test_a_date_of_another_form_is_kept_aside_in_detail() -> None:
    [row] = table(
        BILLING_DETAIL, ExportKind.CUR_LEGACY, [{**USAGE, "lineItem/UsageEndDate": "late"}]
    ).to_pylist()
    assert row["line_item_usage_end_date"] is None
    assert dict(row["x_other"]) == {"lineItem/UsageEndDate": "late"}


def test_discounts_are_numbers_and_what_is_none_is_kept_aside() -> None:
    discount = json.dumps({"edp_discount": -0.5, "kind": "tiered"})
    flat = {"discount/EdpDiscount": "-0.5", "discount/BundledDiscount": "-1"}
    packed = {"discount": discount, "discount_bundled_discount": "-1"}
    for kind, change in ((ExportKind.CUR_LEGACY, flat), (ExportKind.CUR_2_0, packed)):
        [row] = table(COST_AND_USAGE, kind, [{**USAGE, **change}]).to_pylist()
        assert dict(row["x_discounts"]) == {"edp_discount": -0.5, "bundled_discount": -1.0}
        [detail] = table(BILLING_DETAIL, kind, [{**USAGE, **change}]).to_pylist()
        assert dict(detail["discount"]) == {"edp_discount": -0.5}
        assert detail["discount_bundled_discount"] == -1.0
        expected = {"discount/kind": "tiered"} if kind is ExportKind.CUR_2_0 else None
        assert (dict(detail["x_other"]) if detail["x_other"] else None) == expected


def test_two_columns_that_differ_in_case_only_are_two() -> None:
    change = {"resourceTags/user:Team": "a", "resourceTags/user:team": "b"}
    [row] = table(COST_AND_USAGE, ExportKind.CUR_LEGACY, [{**USAGE, **change}]).to_pylist()
    assert dict(row["tags"])["Team"] == "a"
    assert dict(row["tags"])["team"] == "b"
    [detail] = table(BILLING_DETAIL, ExportKind.CUR_LEGACY, [{**USAGE, **change}]).to_pylist()
    assert dict(detail["resource_tags"])["user_team"] == "a"
    assert dict(detail["resource_tags"])["user_team#2"] == "b"


def test_a_focus_column_in_two_spellings_is_known_once() -> None:
    mapping = MAPPINGS[ExportKind.FOCUS_1_2]
    layout = mapping.layout(["BilledCost", "billed_cost", "RegionId"], [COST_AND_USAGE])
    assert layout.unknown == (("billed_cost", "billed_cost"),)
    assert layout.wanted == ("BilledCost", "billed_cost", "RegionId")


def test_columns_and_a_map_of_the_same_attributes_stand_together() -> None:
    change = {"product": '{"vcpu": "4", "group": "g"}', "product_vcpu": "2"}
    [row] = table(BILLING_DETAIL, ExportKind.CUR_2_0, [{**USAGE, **change}]).to_pylist()
    assert dict(row["product"])["vcpu"] == "2"
    assert dict(row["product"])["group"] == "g"

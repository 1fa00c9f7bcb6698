"""Map columns of a bill of line items, and the values that rules read from them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cloudspend.convert.engine.columns import Column
from cloudspend.convert.engine.maps import Maps, each, joined, together
from cloudspend.convert.engine.rows import Rows
from cloudspend.convert.engine.scalars import ScalarParser, number, read
from cloudspend.convert.focus.attributes import Attributes
from cloudspend.convert.focus.mapping import EncodedMaps, Layout, MapColumn, MapReader
from cloudspend.convert.focus.overflow import others
from cloudspend.convert.focus.tags import (
    all_line_item_categories,
    all_line_item_tags,
    normalized_categories,
    normalized_tags,
    with_prefix,
    with_value,
)

PRODUCT_NAME = "product/ProductName"
PRODUCT_REGION = "product/region"
NAME_TAG = "resourceTags/user:Name"
RATE_CODE = "pricing/RateCode"
BUNDLED = "discount/BundledDiscount"

# FOCUS's own names for price properties (FOCUS 1.2, SkuPriceDetails).
DETAILS = {
    "gpu": "GpuCount",
    "instance_family": "InstanceSeries",
    "instance_type": "InstanceType",
    "operating_system": "OperatingSystem",
    "storage_class": "StorageClass",
    "vcpu": "CoreCount",
}
# Price properties that are columns in CUR 2.0.
DETAIL_COLUMNS = {
    "from_location": "product/fromLocation",
    "instance_family": "product/instanceFamily",
    "instance_type": "product/instanceType",
    "product_family": "product/productFamily",
    "to_location": "product/toLocation",
}
OWN_DETAILS = Attributes(flat=tuple(DETAIL_COLUMNS.items()))
# Upper bound of the number of product attribute keys in a bill.
KEYS = 4096
# Properties that other FOCUS columns contain.
SAID_ELSEWHERE = {"product_name", "region", "servicename"}


def unpack(rows: Rows, layout: Layout) -> None:
    """Add the columns that rules read by name and CUR 2.0 packs in maps."""
    for name, key in ((PRODUCT_NAME, "product_name"), (PRODUCT_REGION, "region")):
        if layout.products.packed and not rows.has(name):
            rows.add(name, partial(_under, key, layout.products.read))
    if not rows.has(NAME_TAG) and (layout.tags.packed or layout.labels.packed):
        rows.add(NAME_TAG, partial(_under, "name", partial(_normalized_tags, layout)))


def _under(key: str, find: Callable[[Rows], EncodedMaps], rows: Rows) -> Column:
    codes, maps = find(rows)
    return maps.column(key, codes)


def _normalized_tags(layout: Layout, rows: Rows) -> EncodedMaps:
    return normalized(rows, layout, tags)


def tags(rows: Rows, layout: Layout) -> EncodedMaps:
    """Return a line item's tags by key, without origin prefixes."""
    return found_in(rows, (layout.tags, layout.labels), all_line_item_tags)


def categories(rows: Rows, layout: Layout) -> EncodedMaps:
    """Return a line item's cost categories by name."""
    return found_in(rows, (layout.categories, layout.labels), all_line_item_categories)


def found_in(
    rows: Rows, sources: tuple[Attributes, ...], function: Callable[..., Maps]
) -> EncodedMaps:
    """Apply `function` to the attributes of `sources`, once per distinct combination."""

    def make() -> EncodedMaps:
        codes, maps = together([source.read(rows) for source in sources], rows.count)
        return codes, function(*maps)

    return rows.once((sources, function), make)


def normalized(rows: Rows, layout: Layout, tags_of: MapReader) -> EncodedMaps:
    """Return tags by normalized key."""

    def make() -> EncodedMaps:
        codes, found = tags_of(rows, layout)
        return codes, normalized_tags(found)

    return rows.once((tags_of, layout, normalized_tags), make)


def label_columns(
    shown: MapReader, tags_of: MapReader, categories_of: MapReader
) -> dict[str, MapColumn]:
    """Return the map columns of tags and cost categories, original and normalized.

    `shown` returns tags by the keys of FOCUS's column, `tags_of` by keys without origin prefixes.
    """

    def focus_tags(rows: Rows, layout: Layout) -> EncodedMaps:
        found = [shown(rows, layout), categories_of(rows, layout)]
        codes, (own, named) = together(found, rows.count)
        return codes, joined(own, with_prefix(named))

    def tags_normalized(rows: Rows, layout: Layout) -> EncodedMaps:
        return normalized(rows, layout, tags_of)

    def categories_normalized(rows: Rows, layout: Layout) -> EncodedMaps:
        codes, found = categories_of(rows, layout)
        return codes, normalized_categories(found)

    return {
        "Tags": MapColumn(focus_tags),
        "x_TagsNormalized": MapColumn(tags_normalized),
        "x_CostCategories": MapColumn(categories_of),
        "x_CostCategoriesNormalized": MapColumn(categories_normalized),
    }


def price_details(rows: Rows, layout: Layout) -> EncodedMaps:
    """Return properties of the price; empty where there is no price id (FOCUS)."""
    codes, (product, own) = together(
        [layout.products.read(rows), OWN_DETAILS.read(rows)], rows.count
    )
    details = joined(product.without(DETAIL_COLUMNS), own)
    named = _by_focus_names(with_value(details.without(SAID_ELSEWHERE)))
    return np.where(rows.is_missing(RATE_CODE), len(named), codes), named.and_an_empty_one()


def discounts(rows: Rows, layout: Layout) -> EncodedMaps:
    """Return all discounts of a row by kind: those of the map and the bundled discount."""
    found = numeric_discounts(rows, layout)
    codes, texts = rows.coded(BUNDLED)
    if not len(texts):
        return found
    values = {"bundled_discount": pa.concat_arrays([texts, pa.nulls(1, pa.string())])}
    own = Maps.of_columns(values, len(texts) + 1).where(_are_numbers)
    codes, (mapped, bundled) = together([found, (codes, own)], rows.count)
    return codes, joined(mapped, bundled)


def numeric_discounts(rows: Rows, layout: Layout) -> EncodedMaps:
    """Return discounts by kind, only those that are numbers."""

    def make() -> EncodedMaps:
        codes, found = layout.discounts.read(rows)
        return codes, found.where(_are_numbers)

    return rows.once(("numeric", layout.discounts), make)


def unread_discounts(rows: Rows, layout: Layout) -> EncodedMaps:
    """Return discounts that are not numbers, by `<map column>/<key>`."""
    codes, found = layout.discounts.read(rows)
    column = layout.discounts.packed or "discount"
    unread = found.where(lambda texts: pc.invert(_are_numbers(texts)))
    return codes, replace(unread, names=tuple(f"{column}/{name}" for name in unread.names))


def other_columns(rows: Rows, layout: Layout, typed: Mapping[str, ScalarParser]) -> EncodedMaps:
    """Return values without a column of the table: unknown columns, and values of another type."""
    return others(rows, layout.unknown, typed, [unread_discounts(rows, layout)])


def _by_focus_names(properties: Maps) -> Maps:
    """Return price properties by FOCUS's names, in AWS's order; of two with the same name, the last
    wins.
    """
    properties = properties.by_name()
    names = tuple(_focus_name(key) for key in properties.names)
    if len(set(names)) == len(names):
        return replace(properties, names=names)
    return each(lambda one: {_focus_name(key): one[key] for key in one}, properties)


@lru_cache(KEYS)
def _focus_name(key: str) -> str:
    """Convert to FOCUS's Pascal case: `memory_gib` is `x_MemoryGib`."""
    pascal = "".join(word[:1].upper() + word[1:] for word in key.split("_"))
    return DETAILS.get(key) or f"x_{pascal}"


def _are_numbers(texts: pa.Array) -> pa.Array:
    numbers, wrong = read(texts, number)
    found = np.isfinite(numbers[:-1])
    found[wrong] = False
    return pa.array(found)

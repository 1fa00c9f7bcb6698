"""Columns of a bill of line items that stand together in maps, and what rules read out of them."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import isfinite
from typing import Any

import numpy as np
import pyarrow as pa

from cloudspend.convert.attributes import Attributes, Entries
from cloudspend.convert.labels import (
    line_item_categories,
    line_item_tags,
    normalized_categories,
    normalized_tags,
    with_prefix,
)
from cloudspend.convert.lenient import Typed, Unread, others, unread_columns
from cloudspend.convert.mapping import Found, LabelsOf, Layout, Make, texts
from cloudspend.convert.maps import NUMBER_MAP, map_array
from cloudspend.convert.rows import Codes, Rows, paired

PRODUCT_NAME = "product/ProductName"
PRODUCT_REGION = "product/region"
NAME_TAG = "resourceTags/user:Name"
RATE_CODE = "pricing/RateCode"
BUNDLED = "discount/BundledDiscount"

# FOCUS's own names for properties of a price (FOCUS 1.2, SkuPriceDetails).
DETAILS = {
    "gpu": "GpuCount",
    "instance_family": "InstanceSeries",
    "instance_type": "InstanceType",
    "operating_system": "OperatingSystem",
    "storage_class": "StorageClass",
    "vcpu": "CoreCount",
}
# What CUR 2.0 has columns for and is a property of the price.
DETAIL_COLUMNS = {
    "from_location": "product/fromLocation",
    "instance_family": "product/instanceFamily",
    "instance_type": "product/instanceType",
    "product_family": "product/productFamily",
    "to_location": "product/toLocation",
}
# Keys of product attributes that a bill has, with room.
KEYS = 4096
# What other columns of FOCUS say already.
SAID_ELSEWHERE = {"product_name", "region", "servicename"}


def unpack(rows: Rows, layout: Layout) -> None:
    """Add to the rows what rules read by name and CUR 2.0 has inside maps only."""
    for name, key in ((PRODUCT_NAME, "product_name"), (PRODUCT_REGION, "region")):
        if layout.products.packed and not rows.has(name):
            codes, products = layout.products.read(rows)
            rows.add(name, texts(codes, [product.get(key) for product in products]))
    if not rows.has(NAME_TAG) and (layout.tags.packed or layout.labels.packed):
        codes, found = normalized(rows, layout, tags)
        rows.add(NAME_TAG, texts(codes, [one.get("name") for one in found]))


def tags(rows: Rows, layout: Layout) -> Found:
    """A line item's tags by chosen key."""
    return found_in(rows, (layout.tags, layout.labels), line_item_tags)


def categories(rows: Rows, layout: Layout) -> Found:
    """A line item's cost categories by name."""
    return found_in(rows, (layout.categories, layout.labels), line_item_categories)


def found_in(
    rows: Rows, sources: tuple[Attributes, ...], function: Callable[..., Entries]
) -> Found:
    """What `function` makes of the attributes of `sources`, once per distinct combination."""

    def make() -> Found:
        codes, combinations = paired([source.read(rows) for source in sources], rows.count)
        return codes, [function(*maps) for maps in combinations]

    return rows.once((sources, function), make)


def normalized(rows: Rows, layout: Layout, tags_of: LabelsOf) -> Found:
    """Tags by the keys that all spellings share."""

    def make() -> Found:
        codes, found = tags_of(rows, layout)
        return codes, [normalized_tags(one) for one in found]

    return rows.once((tags_of, layout), make)


def label_columns(shown: LabelsOf, tags_of: LabelsOf, categories_of: LabelsOf) -> dict[str, Make]:
    """The map columns of tags and cost categories, originals and normalized.

    `shown` are tags by the keys that FOCUS's column has, `tags_of` by chosen keys.
    """

    def focus_tags(rows: Rows, layout: Layout) -> pa.Array:
        codes, own = categories_of(rows, layout)
        prefixed = codes, [with_prefix(one) for one in own]
        codes, both = paired([shown(rows, layout), prefixed], rows.count)
        return map_array(codes, [{**one, **other} or None for one, other in both])

    def tags_normalized(rows: Rows, layout: Layout) -> pa.Array:
        codes, found = normalized(rows, layout, tags_of)
        return map_array(codes, [one or None for one in found])

    def own_categories(rows: Rows, layout: Layout) -> pa.Array:
        codes, found = categories_of(rows, layout)
        return map_array(codes, [one or None for one in found])

    def categories_normalized(rows: Rows, layout: Layout) -> pa.Array:
        codes, found = categories_of(rows, layout)
        return map_array(codes, [normalized_categories(one) or None for one in found])

    return {
        "Tags": focus_tags,
        "x_TagsNormalized": tags_normalized,
        "x_CostCategories": own_categories,
        "x_CostCategoriesNormalized": categories_normalized,
    }


def price_details(rows: Rows, layout: Layout) -> pa.Array:
    """Properties of the price, null where there is no price id (FOCUS)."""
    priced = rows.text(RATE_CODE).is_valid().to_numpy(zero_copy_only=False).astype(np.int64)
    named = [rows.codes(name) for name in DETAIL_COLUMNS.values()]
    columns: list[tuple[Codes, Sequence[Any]]] = [
        (priced, [False, True]),
        layout.products.read(rows),
        *named,
    ]
    codes, combinations = paired(columns, rows.count)
    return map_array(
        codes,
        [
            _details({**product, **dict(zip(DETAIL_COLUMNS, values, strict=True))}) if has else None
            for has, product, *values in combinations
        ],
    )


def discounts(rows: Rows, layout: Layout) -> pa.Array:
    """All discounts of a row by kind, those of the map and the bundled one."""
    codes, found = numeric_discounts(rows, layout)
    maps: Sequence[Entries] = found
    if rows.text(BUNDLED).null_count < rows.count:
        bundled_codes, bundled = rows.codes(BUNDLED)
        own = [{"bundled_discount": text} if _is_number(text) else {} for text in bundled]
        codes, both = paired([(codes, found), (bundled_codes, own)], rows.count)
        maps = [{**mapped, **other} for mapped, other in both]
    return map_array(codes, [one or None for one in maps], NUMBER_MAP)


def numeric_discounts(rows: Rows, layout: Layout) -> Found:
    """Discounts by kind, those only that are numbers."""

    def make() -> Found:
        codes, found = layout.discounts.read(rows)
        return codes, [
            {key: text for key, text in one.items() if _is_number(text)} for one in found
        ]

    return rows.once(("numeric", layout.discounts), make)


def unread_discounts(rows: Rows, layout: Layout) -> Unread:
    """Discounts that are no numbers, by `<map column>/<key>`."""
    codes, found = layout.discounts.read(rows)
    _, numeric = numeric_discounts(rows, layout)
    column = layout.discounts.packed or "discount"
    return codes, [
        {f"{column}/{key}": text for key, text in one.items() if key not in read} or None
        for one, read in zip(found, numeric, strict=True)
    ]


def other_columns(rows: Rows, layout: Layout, typed: Mapping[str, Typed]) -> pa.Array:
    """What no column of the table can hold: unknown columns, and values of other types."""
    unread = [*unread_columns(rows, typed), unread_discounts(rows, layout)]
    return others(rows, layout.unknown, unread)


def _details(product: Mapping[str, str | None]) -> dict[str, str] | None:
    found = {
        DETAILS.get(key) or f"x_{_pascal(key)}": value
        for key, value in sorted(product.items())
        if value and key not in SAID_ELSEWHERE
    }
    return found or None


@lru_cache(KEYS)
def _pascal(key: str) -> str:
    """FOCUS names in Pascal case: `memory_gib` is `MemoryGib`."""
    return "".join(word[:1].upper() + word[1:] for word in key.split("_"))


def _is_number(text: str | None) -> bool:
    try:
        return text is not None and isfinite(float(text))
    except ValueError:
        return False

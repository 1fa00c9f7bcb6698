"""Columns of a bill of line items that stand together in maps, and what rules read out of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from cloudspend.convert.attributes import Attributes
from cloudspend.convert.labels import Labels, line_item_labels
from cloudspend.convert.lenient import Typed, Unread, others, unread_columns
from cloudspend.convert.mapping import LabelsOf, Layout, Make, texts
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
# What other columns of FOCUS say already.
SAID_ELSEWHERE = {"product_name", "region", "servicename"}


def unpack(rows: Rows, layout: Layout) -> None:
    """Add to the rows what rules read by name and CUR 2.0 has inside maps only."""
    for name, key in ((PRODUCT_NAME, "product_name"), (PRODUCT_REGION, "region")):
        if layout.products.packed and not rows.has(name):
            codes, products = layout.products.read(rows)
            rows.add(name, texts(codes, [product.get(key) for product in products]))
    if not rows.has(NAME_TAG) and (layout.tags.packed or layout.labels.packed):
        codes, found = labels(rows, layout)
        rows.add(NAME_TAG, texts(codes, [one.tag("Name") for one in found]))


def labels(rows: Rows, layout: Layout) -> tuple[Codes, list[Labels]]:
    """Tags and cost categories: for each row the number of its labels, and the distinct ones."""
    return labels_from(rows, (layout.tags, layout.labels, layout.categories), line_item_labels)


def labels_from(
    rows: Rows, sources: tuple[Attributes, ...], function: Callable[..., Labels]
) -> tuple[Codes, list[Labels]]:
    """Labels as `function` makes them of the attributes of `sources`."""

    def make() -> tuple[Codes, list[Labels]]:
        codes, combinations = paired([source.read(rows) for source in sources], rows.count)
        return codes, [function(*maps) for maps in combinations]

    return rows.once(("labels", sources), make)


def label_columns(labels_of: LabelsOf) -> dict[str, Make]:
    """The map columns of tags and cost categories, originals and normalized."""
    forms: dict[str, Callable[[Labels], Mapping[str, str]]] = {
        "Tags": Labels.focus_tags,
        "x_TagsNormalized": Labels.normalized_tags,
        "x_CostCategories": lambda one: one.categories,
        "x_CostCategoriesNormalized": Labels.normalized_categories,
    }
    return {column: _label_column(labels_of, form) for column, form in forms.items()}


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
    bundled_codes, bundled = rows.codes(BUNDLED)
    own = [{"bundled_discount": text} if _is_number(text) else {} for text in bundled]
    columns: list[tuple[Codes, Sequence[Any]]] = [layout.discounts.read(rows), (bundled_codes, own)]
    codes, combinations = paired(columns, rows.count)
    maps = [{**numeric(mapped), **other} or None for mapped, other in combinations]
    return map_array(codes, maps, NUMBER_MAP)


def unread_discounts(rows: Rows, layout: Layout) -> Unread:
    """Discounts that are no numbers, by `<map column>/<key>`."""
    codes, found = layout.discounts.read(rows)
    column = layout.discounts.packed or "discount"
    return codes, [
        {f"{column}/{key}": text for key, text in one.items() if not _is_number(text)}
        for one in found
    ]


def numeric(entries: Mapping[str, str]) -> dict[str, str]:
    """Those entries whose value is a number."""
    return {key: text for key, text in entries.items() if _is_number(text)}


def other_columns(rows: Rows, layout: Layout, typed: Mapping[str, Typed]) -> pa.Array:
    """What no column of the table can hold: unknown columns, and values of other types."""
    unread = [*unread_columns(rows, typed), unread_discounts(rows, layout)]
    return others(rows, layout.unknown, unread)


def _label_column(labels_of: LabelsOf, form: Callable[[Labels], Mapping[str, str]]) -> Make:
    def make(rows: Rows, layout: Layout) -> pa.Array:
        codes, found = labels_of(rows, layout)
        return map_array(codes, [form(one) or None for one in found])

    return make


def _details(product: Mapping[str, str | None]) -> dict[str, str] | None:
    found = {
        DETAILS.get(key) or f"x_{_pascal(key)}": value
        for key, value in sorted(product.items())
        if value and key not in SAID_ELSEWHERE
    }
    return found or None


def _pascal(key: str) -> str:
    """FOCUS names in Pascal case: `memory_gib` is `MemoryGib`."""
    return "".join(word[:1].upper() + word[1:] for word in key.split("_"))


def _is_number(text: str | None) -> bool:
    try:
        return text is not None and bool(np.isfinite(float(text)))
    except ValueError:
        return False

"""Columns of a bill of line items (the legacy report, CUR 2.0), sorted by role.

Known columns are those of CUR 2.0 (`detail_schema`) in any spelling: the legacy report has the same
ones under `category/Name`. Attributes under `product/` come and go with AWS's price list, so all of
them are known, and so are all tags, cost categories and discounts. A column with any other heading
is kept as unknown.

Source: AWS Data Exports user guide, "Migrating from CUR to Data Exports CUR 2.0"; AWS CUR user
guide, data dictionary.
"""

from collections.abc import Sequence

from cloudspend.convert.focus.attributes import Attributes
from cloudspend.convert.focus.detail_schema import DETAIL_COLUMNS
from cloudspend.convert.focus.mapping import Layout
from cloudspend.convert.focus.names import column_key, snake
from cloudspend.convert.focus.schema import DOUBLE

OTHER = "x_other"
KNOWN_KEYS = {column_key(column.name) for column in DETAIL_COLUMNS if column.name != OTHER}
VARIED_KEYS = {
    column_key("identity_line_item_id"),
    *(column_key(column.name) for column in DETAIL_COLUMNS if column.type == DOUBLE),
}

TAGS = ("resourceTags/", "resource_tags_")
CATEGORIES = ("costCategory/", "cost_category_")
PRODUCTS = ("product/", "product_")
DISCOUNTS = ("discount/", "discount_")
# Map columns of CUR 2.0 by `column_key`, and the attributes that they contain.
PACKED = {
    "resourcetags": "tags",
    "tags": "labels",
    "costcategory": "categories",
    "product": "products",
    "discount": "discounts",
}


def layout(names: Sequence[str], read: set[str]) -> Layout:
    """Sort the columns of a file by role; `read` are the keys that rules read by name."""
    flat: dict[str, list[tuple[str, str]]] = {kind: [] for kind in PACKED.values()}
    packed: dict[str, str] = {}
    unknown, wanted = [], []
    seen: set[str] = set()
    for name in names:
        key = column_key(name)
        if key in PACKED:
            packed[PACKED[key]] = name
        elif rest := _after(TAGS, name):
            flat["tags"].append((rest, name))
        elif rest := _after(CATEGORIES, name):
            flat["categories"].append((rest, name))
        elif key in KNOWN_KEYS and key not in seen:
            seen.add(key)
            wanted += [name] if key in read else []
        elif rest := _after(PRODUCTS, name):
            flat["products"].append((snake(rest), name))
        elif rest := _after(DISCOUNTS, name):
            flat["discounts"].append((snake(rest), name))
        else:
            unknown.append((name, name))
    found = {
        kind: Attributes(tuple(sorted(pairs)), packed.get(kind)) for kind, pairs in flat.items()
    }
    carried = [name for attributes in found.values() for name in attributes.columns()]
    carried += [name for _, name in unknown]
    high_cardinality = frozenset(name for name in wanted if column_key(name) in VARIED_KEYS)
    return Layout(
        tuple(dict.fromkeys([*wanted, *carried])), high_cardinality, unknown=tuple(unknown), **found
    )


def _after(prefixes: Sequence[str], name: str) -> str:
    """Return the rest of `name` after the first matching prefix, or an empty string."""
    lowered = name.lower()
    return next(
        (name[len(prefix) :] for prefix in prefixes if lowered.startswith(prefix.lower())), ""
    )

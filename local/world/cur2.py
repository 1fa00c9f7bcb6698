"""A bill as CUR 2.0, the table `COST_AND_USAGE_REPORT` of AWS Data Exports.

Source: AWS Data Exports user guide, "CUR 2.0" of the table dictionary. The schema is fixed: what
legacy reports have in columns of their own for products, tags and cost categories is in maps.
"""

import json
import re
from collections.abc import Iterable, Mapping

from local.world.bill import Bill
from local.world.tables import Item, Table, Type, items, moment, of_records, published

# Columns that the rule of `_snake` does not lead to.
_RENAMED = {
    "product/region": "product_region_code",
    "savingsPlan/SavingsPlanArn": "savings_plan_savings_plan_a_r_n",
    "product/instanceSKU": "product_instancesku",
}


FIELDS = published("COST_AND_USAGE_REPORT")
_NAMES = frozenset(field.name for field in FIELDS)
_MOMENTS = frozenset(field.name for field in FIELDS if field.type is Type.TIMESTAMP)


def cost_and_usage_report(bill: Bill, names: Mapping[str, str]) -> Table:
    """The bill's rows, one for one and file for file. `names` are those of accounts."""
    return of_records(FIELDS, ([_record(item, names) for item in file] for file in items(bill)))


def _record(item: Item, names: Mapping[str, str]) -> Item:
    record = {
        name: moment(value) if name in _MOMENTS else value
        for column, value in item.items()
        if (name := column_name(column)) in _NAMES
    }
    return record | {
        "bill_payer_account_name": names.get(item["bill/PayerAccountId"], ""),
        "line_item_usage_account_name": names.get(item["lineItem/UsageAccountId"], ""),
        "cost_category": _json(_of(item, "costCategory")),
        "discount": _json([]),
        "product": _json(
            (_snake(own), value)
            for own, value in _of(item, "product")
            if column_name(f"product/{own}") not in _NAMES or own == "region"
        ),
        "resource_tags": _json(
            (own.replace(":", "_", 1), value) for own, value in _of(item, "resourceTags")
        ),
    }


def column_name(column: str) -> str:
    """The name that a legacy column (`category/Name`) has as a column of this table."""
    return _RENAMED.get(column) or snake(column)


def snake(column: str) -> str:
    """A legacy column's name for Athena: `lineItem/UsageType` becomes `line_item_usage_type`."""
    category, _, own = column.partition("/")
    return f"{_snake(category)}_{_snake(own)}"


def _snake(name: str) -> str:
    """`UsageAccountId` becomes `usage_account_id`, and `ReservationARN` `reservation_a_r_n`."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def _of(item: Item, category: str) -> list[tuple[str, str]]:
    """The category's own names and values, without those that are null."""
    prefix = f"{category}/"
    return [
        (column.removeprefix(prefix), value)
        for column, value in item.items()
        if column.startswith(prefix) and value
    ]


def _json(pairs: Iterable[tuple[str, str]]) -> str:
    return json.dumps(dict(pairs), separators=(",", ":"))

"""Mapping of line items to `billing_detail`: the columns of CUR 2.0, for both kinds of reports.

Source of every rule: the table dictionary "Cost and Usage Report (CUR) 2.0" and "Migrating from CUR
to Data Exports CUR 2.0" (AWS Data Exports user guide). A column of the legacy report is CUR 2.0's
column of the same name in snake case. Values without a CUR 2.0 column are in its maps, with keys in
snake case: `product['vcpu']`, `resource_tags['user_cost_center']`, `cost_category['team']`,
`discount['edp_discount']`. No row is excluded.
"""

from cloudspend.convert.engine.rows import Rows
from cloudspend.convert.engine.scalars import milliseconds, number
from cloudspend.convert.focus.attributes import Attributes, all_renamed
from cloudspend.convert.focus.detail_schema import DETAIL_COLUMNS
from cloudspend.convert.focus.mapping import (
    EncodedMaps,
    Layout,
    MapColumn,
    TableMapping,
    Target,
    arrow_schema,
    copy,
    number_or_null,
    timestamp_or_null,
)
from cloudspend.convert.focus.mappings import map_columns
from cloudspend.convert.focus.names import snake
from cloudspend.convert.focus.schema import DOUBLE, STRING, TIMESTAMP

CUR_2_0 = "AWS Data Exports, table dictionary CUR 2.0"
READ = {
    STRING: copy,
    DOUBLE: number_or_null,
    TIMESTAMP: timestamp_or_null,
}
READINGS = {DOUBLE: number, TIMESTAMP: milliseconds}
TYPED = {column.name: READINGS[column.type] for column in DETAIL_COLUMNS if column.type in READINGS}


def _in_snake_case(attributes: Attributes, rows: Rows) -> EncodedMaps:
    """Return attributes by AWS's keys. Map columns have these keys; columns of the legacy report do
    not.
    """
    codes, found = attributes.read(rows)
    return codes, all_renamed(found, snake) if attributes.flat else found


def _other(rows: Rows, layout: Layout) -> EncodedMaps:
    return map_columns.other_columns(rows, layout, TYPED)


MAPPING = TableMapping(
    schema=arrow_schema(DETAIL_COLUMNS),
    targets=tuple(
        Target(column.name, READ[column.type](column.name), CUR_2_0)
        for column in DETAIL_COLUMNS
        if column.type in READ
    ),
    maps={
        "cost_category": MapColumn(lambda rows, layout: _in_snake_case(layout.categories, rows)),
        "discount": MapColumn(map_columns.numeric_discounts),
        "product": MapColumn(lambda rows, layout: _in_snake_case(layout.products, rows)),
        "resource_tags": MapColumn(lambda rows, layout: _in_snake_case(layout.tags, rows)),
        "tags": MapColumn(lambda rows, layout: _in_snake_case(layout.labels, rows)),
        "x_other": MapColumn(_other),
    },
)

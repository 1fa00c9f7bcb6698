"""Line items to `billing_detail`: CUR 2.0's own columns, whichever report they come from.

Source of every rule: the table dictionary "Cost and Usage Report (CUR) 2.0" and "Migrating from CUR
to Data Exports CUR 2.0" (AWS Data Exports user guide). A column of the legacy report is CUR 2.0's
column of the same name in snake case; what CUR 2.0 has no column for stands in its maps, with keys
in snake case: `product['vcpu']`, `resource_tags['user_cost_center']`, `cost_category['team']`,
`discount['edp_discount']`. No row is left out.
"""

import pyarrow as pa

from cloudspend.convert.attributes import Attributes, all_renamed
from cloudspend.convert.detail_schema import DETAIL_COLUMNS
from cloudspend.convert.lenient import doubles, moments
from cloudspend.convert.mapping import Layout, Rule, TableMapping, Target, arrow_schema, copied
from cloudspend.convert.mappings import packed
from cloudspend.convert.maps import NUMBER_MAP
from cloudspend.convert.names import snake
from cloudspend.convert.rows import Rows
from cloudspend.convert.schema import DOUBLE, STRING, TIMESTAMP, Column

CUR_2_0 = "AWS Data Exports, table dictionary CUR 2.0"
TYPED = {DOUBLE: doubles, TIMESTAMP: moments}


def _rule(column: Column) -> Rule:
    if column.type == STRING:
        return copied(column.name)
    read = TYPED[column.type]
    return Rule((column.name,), lambda rows: read(rows, column.name).values)


def _in_snake_case(attributes: Attributes, rows: Rows) -> pa.Array:
    """Attributes by AWS's keys: a map column has them already, columns of the legacy report not."""
    codes, found = attributes.read(rows)
    return (all_renamed(found, snake) if attributes.flat else found).array(codes)


def _discount(rows: Rows, layout: Layout) -> pa.Array:
    codes, found = packed.numeric_discounts(rows, layout)
    return found.array(codes, NUMBER_MAP)


def _other(rows: Rows, layout: Layout) -> pa.Array:
    typed = {
        column.name: TYPED[column.type](rows, column.name)
        for column in DETAIL_COLUMNS
        if column.type in TYPED
    }
    return packed.other_columns(rows, layout, typed)


MAPPING = TableMapping(
    schema=arrow_schema(DETAIL_COLUMNS),
    targets=tuple(
        Target(column.name, _rule(column), CUR_2_0)
        for column in DETAIL_COLUMNS
        if column.type == STRING or column.type in TYPED
    ),
    maps={
        "cost_category": lambda rows, layout: _in_snake_case(layout.categories, rows),
        "discount": _discount,
        "product": lambda rows, layout: _in_snake_case(layout.products, rows),
        "resource_tags": lambda rows, layout: _in_snake_case(layout.tags, rows),
        "tags": lambda rows, layout: _in_snake_case(layout.labels, rows),
        "x_other": _other,
    },
)

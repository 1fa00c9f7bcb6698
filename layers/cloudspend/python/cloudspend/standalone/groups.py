"""Totals of written Parquet files by the values of a column, read back exactly."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cloudspend.convert.control import EXACT
from cloudspend.convert.focus.schema import BILLING_DETAIL, COST_AND_USAGE
from cloudspend.standalone.model import Group


@dataclass(frozen=True)
class Overview:
    """How to summarize a table: title -> column to group by, and name -> cost column."""

    groups: Mapping[str, str]
    costs: Mapping[str, str]


OVERVIEWS: Mapping[str, Overview] = {
    COST_AND_USAGE: Overview(
        {"charge category": "chargecategory", "service": "servicename"},
        {"billed_cost": "billedcost", "effective_cost": "effectivecost", "list_cost": "listcost"},
    ),
    BILLING_DETAIL: Overview(
        {"charge type": "line_item_line_item_type", "service": "line_item_product_code"},
        {"unblended_cost": "line_item_unblended_cost"},
    ),
}


def groups_of(table: str, paths: Iterable[Path]) -> dict[str, tuple[Group, ...]]:
    """Return the groups of `table`'s Parquet files under each title, largest cost first.

    Sums are exact decimals of the stored doubles' text.
    """
    overview = OVERVIEWS[table]
    found = {title: _Sums(column, overview.costs) for title, column in overview.groups.items()}
    columns = [*overview.groups.values(), *overview.costs.values()]
    for path in paths:
        file = pq.ParquetFile(path)
        for number in range(file.num_row_groups):
            rows = file.read_row_group(number, columns=columns)
            for sums in found.values():
                sums.add(rows)
    return {title: sums.groups() for title, sums in found.items()}


class _Sums:
    """Sums that accumulate one row group after another."""

    def __init__(self, column: str, costs: Mapping[str, str]) -> None:
        self._column = column
        self._costs = costs
        self._rows: defaultdict[str, int] = defaultdict(int)
        self._sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)

    def add(self, rows: pa.Table) -> None:
        for name, cost in self._costs.items():
            for value, amount, count in _counted(rows, (self._column, cost)):
                # Amounts repeat, so most sums become one multiplication.
                total = EXACT.multiply(Decimal(repr(amount)), Decimal(count))
                self._sums[value, name] = EXACT.add(self._sums[value, name], total)
        for value, count in _counted(rows, (self._column,)):
            self._rows[value] += count

    def groups(self) -> tuple[Group, ...]:
        made = (
            Group(value, rows, {name: self._sums[value, name] for name in self._costs})
            for value, rows in self._rows.items()
        )
        return tuple(sorted(made, key=lambda group: next(iter(group.costs.values())), reverse=True))


def _counted(rows: pa.Table, columns: Sequence[str]) -> Iterable[tuple[Any, ...]]:
    """Return each combination of values in `columns` with its number of rows."""
    counted = rows.group_by(list(columns)).aggregate([([], "count_all")])
    return zip(*(column.to_pylist() for column in counted.columns), strict=True)

"""Typed columns whose values are not all of their type: what fits is typed, the rest is kept.

AWS has changed columns from numbers to text before. A cost that totals are made of must be a
number; any other value that its column cannot hold becomes null there and travels in `x_other`.
"""

from collections.abc import Mapping, Sequence
from functools import reduce

import pyarrow as pa

from cloudspend.convert.codes import Codes, combined
from cloudspend.convert.columns import Column
from cloudspend.convert.maps import Coded, Maps, joined, together
from cloudspend.convert.readings import Reading
from cloudspend.convert.rows import Rows


def others(
    rows: Rows,
    unknown: Sequence[tuple[str, str]],
    typed: Mapping[str, Reading],
    further: Sequence[Coded] = (),
) -> Coded:
    """The `x_other` column of a whole: unknown columns by their names, the texts of `typed` columns
    that cannot be read as their type, and `further` maps."""
    present = {key: rows.coded(name) for key, name in unknown}
    present = {key: column for key, column in present.items() if len(column[1])}
    unread = (rows.unread(name, reading) for name, reading in typed.items())
    carried = [
        _by_their_names(present, rows.count),
        *(found for found in (*unread, *further) if found and len(found[1].keys)),
    ]
    codes, maps = together(carried, rows.count)
    return codes, reduce(joined, maps)


def _by_their_names(columns: Mapping[str, tuple[Codes, pa.Array]], count: int) -> Coded:
    """For each row a map of the values that columns have."""
    sizes = [(codes, len(values) + 1) for codes, values in columns.values()]
    codes, numbers = combined(sizes, count)
    values = {
        name: Column(at, values).text()
        for (name, (_, values)), at in zip(columns.items(), numbers, strict=True)
    }
    return codes, Maps.of_columns(values, int(codes.max(initial=-1)) + 1)

"""Typed columns whose values are not all of their type: what fits is typed, the rest is kept.

AWS has changed columns from numbers to text before. A cost that totals are made of must be a
number; any other value that its column cannot hold becomes null there and travels in `x_other`.
"""

from collections.abc import Mapping, Sequence
from functools import reduce

from cloudspend.convert.engine.maps import Coded, joined, together
from cloudspend.convert.engine.rows import Rows
from cloudspend.convert.engine.scalars import ScalarParser
from cloudspend.convert.focus.attributes import Attributes


def others(
    rows: Rows,
    unknown: Sequence[tuple[str, str]],
    typed: Mapping[str, ScalarParser],
    further: Sequence[Coded] = (),
) -> Coded:
    """The `x_other` column of a whole: unknown columns by their names, the texts of `typed` columns
    that cannot be read as their type, and `further` maps."""
    unread = (rows.unread(name, reading) for name, reading in typed.items())
    carried = [
        Attributes(flat=tuple(unknown)).read(rows),
        *(found for found in (*unread, *further) if found and len(found[1].keys)),
    ]
    codes, maps = together(carried, rows.count)
    return codes, reduce(joined, maps)

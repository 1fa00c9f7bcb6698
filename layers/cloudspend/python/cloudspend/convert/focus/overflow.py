"""Values that their typed column cannot hold.

AWS has changed columns from numbers to text before. A cost that totals are computed from must be a
number. Any other value that its column cannot hold becomes null there and goes to `x_other`.
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
    """Return the `x_other` column of a batch: unknown columns by name, the texts of `typed` columns
    that cannot be parsed as their type, and `further` maps.
    """
    unread = (rows.unread(name, reading) for name, reading in typed.items())
    carried = [
        Attributes(flat=tuple(unknown)).read(rows),
        *(found for found in (*unread, *further) if found and len(found[1].keys)),
    ]
    codes, maps = together(carried, rows.count)
    return codes, reduce(joined, maps)

"""Typed columns whose values are not all of their type: what fits is typed, the rest is kept.

AWS has changed columns from numbers to text before. A cost that totals are made of must be a
number; any other value that its column cannot hold becomes null there and travels in `x_other`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from cloudspend.convert.maps import TextMap, map_array
from cloudspend.convert.rows import MISSING, Codes, Rows, paired
from cloudspend.errors import DeliveryError

Unread = tuple[Codes, Sequence[TextMap | None]]


@dataclass(frozen=True)
class Typed:
    """A typed column, and the texts of its source that it cannot hold."""

    values: pa.Array
    unread: frozenset[str]


def doubles(rows: Rows, name: str) -> Typed:
    """A column as doubles; what is no finite number is null."""
    return rows.once((name, "double"), lambda: _typed(rows, name, _numbers, _possible_numbers))


def moments(rows: Rows, name: str) -> Typed:
    """A column as UTC timestamps; what is no date is null."""
    return rows.once(
        (name, "moment"), lambda: _typed(rows, name, Rows.moments, Rows.moments_where_possible)
    )


def unread_columns(rows: Rows, columns: Mapping[str, Typed]) -> list[Unread]:
    """For each column that could not hold all of its texts, those texts by the file's own name."""
    found: list[Unread] = []
    for name, column in columns.items():
        if column.unread:
            codes, texts = rows.codes(name)
            own = rows.spelling(name)
            found.append(
                (codes, [{own: text} if text in column.unread else None for text in texts])
            )
    return found


def others(rows: Rows, unknown: Sequence[tuple[str, str]], unread: Sequence[Unread]) -> pa.Array:
    """The `x_other` column: unknown columns by their names, and what typed columns cannot hold."""
    present = [pair for pair in unknown if rows.text(pair[1]).null_count < rows.count]
    keyed: list[Unread] = []
    for key, name in present:
        codes, texts = rows.codes(name)
        keyed.append((codes, [None if text is None else {key: text} for text in texts]))
    codes, combinations = paired([*keyed, *unread], rows.count)
    return map_array(codes, [_joined(maps) for maps in combinations])


def _joined(maps: Sequence[TextMap | None]) -> TextMap | None:
    found: dict[str, str] = {}
    for one in maps:
        found |= one or {}
    return found or None


def _typed(
    rows: Rows,
    name: str,
    strict: Callable[[Rows, str], pa.Array],
    possible: Callable[[Rows, str], pa.Array],
) -> Typed:
    try:
        return Typed(strict(rows, name), frozenset())
    except DeliveryError:
        # The way out of the fast conversion: some text is not of the type.
        values = possible(rows, name)
        texts = pc.unique(rows.text(name).filter(values.is_null())).to_pylist()
        return Typed(values, frozenset(texts) - MISSING - {None})


def _numbers(rows: Rows, name: str) -> pa.Array:
    return pa.array(rows.numbers(name), pa.float64(), from_pandas=True)


def _possible_numbers(rows: Rows, name: str) -> pa.Array:
    return pa.array(rows.numbers_where_possible(name), pa.float64(), from_pandas=True)

"""Typed columns whose values are not all of their type: what fits is typed, the rest is kept.

AWS has changed columns from numbers to text before. A cost that totals are made of must be a
number; any other value that its column cannot hold becomes null there and travels in `x_other`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from cloudspend.convert.codes import codes_of, combined, text_of_codes
from cloudspend.convert.maps import Coded, Maps, joined, together
from cloudspend.convert.readings import MISSING
from cloudspend.convert.rows import Rows
from cloudspend.errors import DeliveryError


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


def unread_columns(rows: Rows, columns: Mapping[str, Typed]) -> list[Coded]:
    """For each column that could not hold all of its texts, those texts by the file's own name."""
    found: list[Coded] = []
    for name, column in columns.items():
        if column.unread:
            codes, texts = rows.codes(name)
            own = rows.spelling(name)
            unread = ({own: text} if text and text in column.unread else {} for text in texts)
            found.append((codes, Maps.of(list(unread))))
    return found


def others(rows: Rows, unknown: Sequence[tuple[str, str]], unread: Sequence[Coded]) -> pa.Array:
    """The `x_other` column: unknown columns by their names, and what typed columns cannot hold."""
    present = {key: rows.text(name) for key, name in unknown}
    present = {key: text for key, text in present.items() if text.null_count < rows.count}
    carried = [
        _by_their_names(present, rows.count),
        *(found for found in unread if len(found[1].keys)),
    ]
    codes, maps = together(carried, rows.count)
    return reduce(joined, maps).array(codes)


def _by_their_names(columns: Mapping[str, pa.DictionaryArray], count: int) -> Coded:
    """For each row a map of the values that columns have."""
    sizes = [(codes_of(text), len(text.dictionary) + 1) for text in columns.values()]
    codes, numbers = combined(sizes, count)
    values = {
        name: text_of_codes(at, text.dictionary)
        for (name, text), at in zip(columns.items(), numbers, strict=True)
    }
    return codes, Maps.of_columns(values, int(codes.max(initial=-1)) + 1)


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

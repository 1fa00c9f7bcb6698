"""The form of a mapping: for each column of a table, a rule and where it comes from."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from cloudspend.convert.maps import TEXT, TEXT_MAP
from cloudspend.convert.names import column_key
from cloudspend.convert.rows import MOMENT, Flags, Numbers, Rows, constant, text_map
from cloudspend.convert.schema import COLUMNS, DOUBLE, STRING, TIMESTAMP
from cloudspend.convert.schema import TEXT_MAP as TEXT_MAP_NAME

ARROW_TYPES = {STRING: TEXT, DOUBLE: pa.float64(), TIMESTAMP: MOMENT, TEXT_MAP_NAME: TEXT_MAP}
ARROW_SCHEMA = pa.schema([(column.name, ARROW_TYPES[column.type]) for column in COLUMNS])


@dataclass(frozen=True)
class Rule:
    """How a column is made, and which source columns it reads."""

    reads: tuple[str, ...]
    make: Callable[[Rows], pa.Array]


@dataclass(frozen=True)
class Target:
    """A column of a table, its rule, and the document that the rule follows."""

    column: str
    rule: Rule
    source: str


@dataclass(frozen=True)
class Layout:
    """The columns of one file, sorted by what they are.

    `tags`, `categories`, `details` and `unknown` pair a map's key with the file's column.
    """

    wanted: tuple[str, ...]
    tags: tuple[tuple[str, str], ...] = ()
    categories: tuple[tuple[str, str], ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class TableMapping:
    """How rows of a delivery become rows of one table.

    `maps` make the map columns, which read what the layout has sorted; `left_out` says which rows
    the table lacks (None: it has them all).
    """

    schema: pa.Schema
    targets: Sequence[Target]
    maps: Mapping[str, Callable[[Rows, Layout], pa.Array]]
    left_out: Callable[[Rows], Flags] | None = None

    def reads(self) -> set[str]:
        """The source columns that a rule reads by name."""
        return {name for target in self.targets for name in target.rule.reads}

    def apply(self, rows: Rows, layout: Layout) -> pa.Table:
        """The rows of the table. Raises DeliveryError at a value that cannot be read."""
        if self.left_out and (left_out := self.left_out(rows)).any():
            rows = rows.taken(np.flatnonzero(~left_out))
        made = {target.column.lower(): target.rule.make(rows) for target in self.targets}
        for column, make in self.maps.items():
            made[column.lower()] = make(rows, layout)
        names = self.schema.names
        return pa.Table.from_arrays([made[name] for name in names], names)


@dataclass(frozen=True)
class KindMapping:
    """All that CloudSpend knows of one export kind's files; `tables` are those it can fill.

    `layout` sorts the columns of one file, given their names and the tables to be filled.
    """

    tables: Mapping[str, TableMapping]
    required: Sequence[str]
    period_start: str
    currency: str
    layout: Callable[[Sequence[str], Sequence[str]], Layout]

    def reads(self, tables: Iterable[str]) -> set[str]:
        """The keys (`column_key`) of all columns that a rule of `tables` reads by name."""
        named = (name for table in tables for name in self.tables[table].reads())
        return {column_key(name) for name in (*named, *self.required, self.period_start)}


def always(value: str) -> Rule:
    return Rule((), lambda rows: constant(value, rows.count))


def never() -> Rule:
    return Rule((), lambda rows: constant(None, rows.count))


def copied(name: str) -> Rule:
    return Rule((name,), lambda rows: rows.text(name))


def derived(function: Callable[..., str | None], *names: str) -> Rule:
    return Rule(names, lambda rows: rows.derive(function, *names))


def moment(name: str) -> Rule:
    """A date that every row must have."""

    def make(rows: Rows) -> pa.Array:
        moments = rows.moments(name)
        if moments.null_count:
            row = int(np.flatnonzero(moments.is_null().to_numpy(zero_copy_only=False))[0])
            raise rows.refused(name, row, "no date, which every row must have", None)
        return moments

    return Rule((name,), make)


def figure(function: Callable[[Rows], Numbers], *names: str) -> Rule:
    """A number column; NaN becomes null."""
    return Rule(names, lambda rows: pa.array(function(rows), pa.float64(), from_pandas=True))


def cost(function: Callable[[Rows], Numbers], name: str, *others: str) -> Rule:
    """A cost that every row must have; of the columns it reads, `name` is complained of."""

    def make(rows: Rows) -> pa.Array:
        values = function(rows)
        missing = np.flatnonzero(np.isnan(values))
        if len(missing):
            row = int(missing[0])
            shown = rows.text(name)[row].as_py()
            raise rows.refused(name, row, "no cost, which every row must have", shown)
        return pa.array(values, pa.float64())

    return Rule((name, *others), make)


def maps_of(
    chosen: Callable[[Layout], Iterable[tuple[str, str]]],
) -> Callable[[Rows, Layout], pa.Array]:
    """A map column of the columns that the layout has chosen."""
    return lambda rows, layout: text_map(rows, chosen(layout))

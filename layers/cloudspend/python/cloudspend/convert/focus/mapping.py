"""Structure of a mapping: a rule and its source document for each column of a table."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pyarrow as pa

from cloudspend.convert.engine.codes import Flags, Numbers, codes_of, constant
from cloudspend.convert.engine.columns import Column
from cloudspend.convert.engine.maps import NUMBER_MAP, TEXT, TEXT_MAP, Coded
from cloudspend.convert.engine.rows import Rows
from cloudspend.convert.engine.scalars import MOMENT
from cloudspend.convert.focus import schema
from cloudspend.convert.focus.attributes import Attributes
from cloudspend.convert.focus.names import chosen_key, column_key, tag_column
from cloudspend.convert.focus.tags import normalized_key

ARROW_TYPES = {
    schema.STRING: TEXT,
    schema.DOUBLE: pa.float64(),
    schema.TIMESTAMP: MOMENT,
    schema.TEXT_MAP: TEXT_MAP,
    schema.NUMBER_MAP: NUMBER_MAP,
}


def arrow_schema(columns: Iterable[schema.Column]) -> pa.Schema:
    """Return the Arrow schema of declared columns."""
    return pa.schema([(column.name, ARROW_TYPES[column.type]) for column in columns])


ARROW_SCHEMA = arrow_schema(schema.COLUMNS)


@dataclass(frozen=True)
class Rule:
    """A function that makes a column, and the source columns that it reads.

    `precompute` precomputes per batch the values that the rule needs from all rows (None: nothing).
    """

    reads: tuple[str, ...]
    make: Callable[[Rows], pa.Array]
    precompute: Callable[[Rows], object] | None = None


@dataclass(frozen=True)
class Target:
    """A column of a table, its rule, and the document that the rule follows."""

    column: str
    rule: Rule
    source: str


@dataclass(frozen=True)
class Layout:
    """The columns of one file, sorted by role.

    `wanted` are the columns to read, `high_cardinality` those with (nearly) unique values, which
    are read as plain strings instead of dictionaries. `tags` are resource tags, `labels` the map in
    which CUR 2.0 repeats labels of every kind. `unknown` pairs a column's name as a map key with
    itself.
    """

    wanted: tuple[str, ...]
    high_cardinality: frozenset[str] = frozenset()
    tags: Attributes = field(default_factory=Attributes)
    labels: Attributes = field(default_factory=Attributes)
    categories: Attributes = field(default_factory=Attributes)
    products: Attributes = field(default_factory=Attributes)
    discounts: Attributes = field(default_factory=Attributes)
    unknown: tuple[tuple[str, str], ...] = ()


# The distinct attribute maps, and for each row of a batch the code of its map.
EncodedMaps = Coded
MapReader = Callable[[Rows, Layout], EncodedMaps]
Ahead = Callable[[], object]


@dataclass(frozen=True)
class MapColumn:
    """A column computed from the maps of a batch: the map itself, or the text under `key`."""

    find: MapReader
    key: str | None = None

    def precompute(self, rows: Rows, layout: Layout) -> EncodedMaps:
        """Compute the values of the column once for the batch. Raises DeliveryError."""
        whole = rows.batch
        return whole.once((self.find, layout), lambda: self.find(whole, layout))

    def make(self, rows: Rows, layout: Layout, kind: pa.DataType) -> pa.Array:
        codes, maps = self.precompute(rows, layout)
        own = rows.of_whole(codes)
        return maps.array(own, kind) if self.key is None else maps.column(self.key, own).text()


@dataclass(frozen=True)
class TableMapping:
    """How rows of a delivery become rows of one table.

    `maps` are the columns that are computed from attribute maps, `map_reads` the maps that are read
    by column name. `unpack` returns a batch extended by columns that are packed in a map (None: no
    rule needs them). `left_out` returns a mask of excluded rows (None: no row is excluded). `tags`
    are the normalized tags for tag columns (None: the table has none).
    """

    schema: pa.Schema
    targets: Sequence[Target]
    maps: Mapping[str, MapColumn]
    map_reads: Sequence[str] = ()
    unpack: Callable[[Rows, Layout], None] | None = None
    left_out: Callable[[Rows], Flags] | None = None
    tags: MapReader | None = None

    def reads(self) -> set[str]:
        """Return the source columns that a rule reads by name."""
        return {*self.map_reads, *(name for one in self.targets for name in one.rule.reads)}

    def with_tags(self, keys: Iterable[str]) -> "TableMapping":
        """Return the same table with a text column for each tag key, after its other columns.

        Two spellings of one key share a column. Raises UsageError as `tag_column` does.
        """
        if self.tags is None:
            return self
        columns = {tag_column(key): normalized_key(chosen_key(key)) for key in keys}
        fields = [pa.field(name, TEXT) for name in columns]
        made = {name: MapColumn(self.tags, key) for name, key in columns.items()}
        return replace(self, schema=pa.schema([*self.schema, *fields]), maps={**self.maps, **made})

    def precompute(self, rows: Rows, layout: Layout) -> list[Ahead]:
        """Return the functions that precompute values of a batch, independent of each other.

        Each raises DeliveryError at a value that cannot be parsed.
        """
        if self.unpack:
            self.unpack(rows, layout)
        found: list[Ahead] = [partial(one.precompute, rows, layout) for one in self.maps.values()]
        rules = (target.rule.precompute for target in self.targets)
        return [*found, *(partial(ahead, rows) for ahead in rules if ahead)]

    def apply(self, rows: Rows, layout: Layout) -> pa.Table:
        """Return the rows of the table. Raises DeliveryError at a value that cannot be parsed."""
        if self.left_out and (left_out := self.left_out(rows)).any():
            rows = rows.taken(np.flatnonzero(~left_out))
        made = {target.column.lower(): target.rule.make(rows) for target in self.targets}
        for name, column in self.maps.items():
            kind = self.schema.field(name.lower()).type
            made[name.lower()] = column.make(rows, layout, kind)
        names = self.schema.names
        return pa.Table.from_arrays([made[name] for name in names], names)


@dataclass(frozen=True)
class KindMapping:
    """The mapping of one export kind; `tables` are the tables that it can fill.

    `layout` sorts the columns of one file, given their names and the keys that are read by name.
    """

    tables: Mapping[str, TableMapping]
    required: Sequence[str]
    period_start: str
    currency: str
    sort_columns: Callable[[Sequence[str], set[str]], Layout]

    def layout(self, names: Sequence[str], tables: Iterable[str]) -> Layout:
        """Return the layout of a file, without the columns that no table of `tables` reads."""
        return self.sort_columns(names, self.reads(tables))

    def reads(self, tables: Iterable[str]) -> set[str]:
        """Return the keys (`column_key`) of all columns that a rule of `tables` reads by name."""
        named = (name for table in tables for name in self.tables[table].reads())
        return {column_key(name) for name in (*named, *self.required, self.period_start)}

    def with_tags(self, keys: Sequence[str]) -> "KindMapping":
        """Return the same mapping with a column for each tag key, in tables that support them."""
        tables = {name: table.with_tags(keys) for name, table in self.tables.items()}
        return replace(self, tables=tables) if keys else self


def constant_value(value: str) -> Rule:
    return Rule((), lambda rows: constant(value, rows.count))


def null(kind: pa.DataType = TEXT) -> Rule:
    """Return a rule for a column that is null in every row."""
    return Rule((), lambda rows: pa.nulls(rows.count, kind))


def copy(name: str, unless_missing: str | None = None) -> Rule:
    """Return a rule that copies a text column; null where `unless_missing` (a column) is null."""
    if unless_missing is None:
        return Rule((name,), lambda rows: rows.text(name))

    def make(rows: Rows) -> pa.DictionaryArray:
        text = rows.text(name)
        codes = np.where(rows.is_missing(unless_missing), len(text.dictionary), codes_of(text))
        return Column(codes, text.dictionary).text()

    return Rule((name, unless_missing), make)


def derived(function: Callable[..., str | None], *names: str) -> Rule:
    return Rule(
        names,
        lambda rows: rows.derive(function, *names),
        lambda rows: rows.derived(function, *names),
    )


def moment(name: str) -> Rule:
    """Return a rule for a required date."""

    def make(rows: Rows) -> pa.Array:
        moments = rows.timestamps(name)
        if moments.null_count:
            row = int(np.flatnonzero(moments.is_null().to_numpy(zero_copy_only=False))[0])
            raise rows.refused(name, row, "no date, which every row must have", None)
        return moments

    return Rule((name,), make)


def figure(function: Callable[[Rows], Numbers], *names: str) -> Rule:
    """Return a rule for a number column; NaN becomes null."""
    return Rule(names, lambda rows: pa.array(function(rows), pa.float64(), from_pandas=True))


def cost(function: Callable[[Rows], Numbers], name: str, *others: str) -> Rule:
    """Return a rule for a required cost. Errors name `name`, one of the columns that it reads."""

    def make(rows: Rows) -> pa.Array:
        values = function(rows)
        missing = np.flatnonzero(np.isnan(values))
        if len(missing):
            row = int(missing[0])
            shown = rows.text(name)[row].as_py()
            raise rows.refused(name, row, "no cost, which every row must have", shown)
        return pa.array(values, pa.float64())

    return Rule((name, *others), make)


def number_or_null(name: str) -> Rule:
    """Return a rule for an optional number: a value that is not a number goes to `x_other`."""
    return figure(lambda rows: rows.numbers_where_possible(name), name)


def timestamp_or_null(name: str) -> Rule:
    """Return a rule for an optional date: a value that is not a date goes to `x_other`."""
    return Rule((name,), lambda rows: rows.timestamps_where_possible(name))

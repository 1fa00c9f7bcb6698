"""Tables and views of the catalog as relations of DuckDB, partition by partition.

A query is bound twice against the same names, in two schemas of one in-memory database. In `plan`
each partition is an empty table; DuckDB's own optimizer then says which partitions' scans remain
after the predicates on partition keys (also through views and subqueries) and which columns they
touch. In `data` the relations read the files of those partitions only.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
from sqlglot import exp

from local.athena import dialect, failures, scoping, views
from local.athena.catalog import CATALOG, PARQUET_LIBRARY, Snapshot, Table
from local.athena.datatypes import from_hive, from_trino, same_family
from local.athena.failures import QueryFailed
from local.athena.sql import cast, literal, parquet, quoted, select

PATH = "$path"


@dataclass(frozen=True)
class Scan:
    """One read of one partition by a query: the table's number, the partition's, the columns."""

    table: int
    partition: int
    columns: frozenset[str]


@dataclass
class Binder:
    """Puts relations of DuckDB in the place of a query's table names, and remembers which."""

    connection: duckdb.DuckDBPyConnection
    snapshot: Snapshot
    tables: list[Table] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection.execute("CREATE SCHEMA plan; CREATE SCHEMA data; USE plan")

    def bind(self, sql: str, tree: exp.Expr, database: str) -> str:
        """The query in DuckDB's SQL over names that exist in both schemas."""
        bound = self._resolve(sql, tree.copy(), database)
        query = dialect.to_duckdb(bound)
        scoping.check(query, self.columns_of)
        return query

    def columns_of(self, query: str) -> list[tuple[str, str]]:
        """Names and DuckDB types of a bound query's result."""
        found = self.connection.execute(f"DESCRIBE {query}").fetchall()
        return [(str(row[0]), str(row[1])) for row in found]

    def _resolve(self, sql: str, tree: exp.Expr, database: str) -> exp.Expr:
        for column in tree.find_all(exp.Column):
            column.set("db", None)
            column.set("catalog", None)
        for node in list(tree.find_all(exp.Table)):
            if isinstance(node.this, exp.Identifier) and not _is_cte(node):
                self._replace(sql, tree, node, database)
        return tree

    def _replace(self, sql: str, tree: exp.Expr, node: exp.Table, database: str) -> None:
        schema = (node.db or database).lower()
        table = self.snapshot.find(schema, node.name)
        if table is None:
            at = failures.position(sql, node.name, tree)
            name = f"{CATALOG}.{schema}.{node.name.lower()}"
            if schema not in self.snapshot.databases:
                raise QueryFailed(f"SCHEMA_NOT_FOUND: {at}: Schema '{schema}' does not exist")
            raise QueryFailed(f"TABLE_NOT_FOUND: {at}: Table '{name}' does not exist")
        alias = exp.TableAlias(this=exp.to_identifier(node.alias or node.name, quoted=True))
        if node.args.get("alias") is not None and node.args["alias"].columns:
            alias.set("columns", node.args["alias"].columns)
        inner: exp.Subquery | exp.Table
        if table.is_view:
            inner = exp.Subquery(this=dialect.translated(self._view(table)))
        else:
            prefix = "p" if _asks_for_path(node) else "t"
            inner = exp.Table(this=exp.to_identifier(f"{prefix}{self._number(table)}"))
        inner.set("alias", alias)
        inner.set("joins", node.args.get("joins"))
        node.replace(inner)

    def _view(self, table: Table) -> str:
        """A view as a query whose columns have the declared names and types."""
        view = views.decode(table)
        inner = self.bind(view.sql, dialect.parse(view.sql), view.schema)
        try:
            actual = self.columns_of(inner)
        except duckdb.Error as error:
            cause = failures.from_duckdb(error, view.sql, None)
            raise _stale(table, cause.reason) from error
        _same_columns(table, view.columns, actual)
        shown = [cast(quoted(name), from_trino(kind), name) for name, kind in view.columns]
        return select(shown, f"({inner}) AS {quoted(table.name)}")

    def _number(self, table: Table) -> int:
        """The number n of a table's relations: `t<n>`, and `p<n>` with the hidden column too."""
        if table not in self.tables:
            if table.library and table.library != PARQUET_LIBRARY:
                raise QueryFailed(
                    f"NOT_SUPPORTED: The local cloud reads Parquet, not {table.library}"
                )
            self.tables.append(table)
            self._plan_relation(len(self.tables) - 1, table)
        return self.tables.index(table)

    def _plan_relation(self, number: int, table: Table) -> None:
        known = [(column.name, from_hive(column.type)) for column in table.columns]
        columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in (*known, (PATH, "VARCHAR")))
        branches = []
        for index, partition in enumerate(table.sources):
            self.connection.execute(f"CREATE TABLE plan.t{number}_{index} ({columns})")
            items = _selected(table, None, partition.values, quoted(PATH))
            branches.append(select(items, f"plan.t{number}_{index}"))
        self._create("plan", number, table, branches)

    def load(
        self, number: int, files: Mapping[int, Sequence[Sequence[str]]], paths: Mapping[str, str]
    ) -> None:
        """Create the relation of table `number` in `data`.

        `files` holds, for each partition to read, its local files in groups of one schema; `paths`
        says which object each of them is a copy of.
        """
        table = self.tables[number]
        branches = []
        for index, groups in files.items():
            for group in groups:
                present = self._schema(table, group[0], paths)
                values = table.sources[index].values
                items = _selected(table, present, values, _path_of(group, paths))
                branches.append(select(items, parquet(group)))
        self._create("data", number, table, branches)

    def schema_key(self, file: str, uri: str) -> tuple[tuple[str, str], ...]:
        """Columns of a Parquet file by lower-cased name, with their DuckDB types."""
        try:
            found = self.columns_of(select("*", parquet([file])))
        except duckdb.Error as error:
            raise QueryFailed(f"HIVE_BAD_DATA: Not valid Parquet file: {uri}") from error
        return tuple((name.lower(), kind) for name, kind in found)

    def _schema(self, table: Table, file: str, paths: Mapping[str, str]) -> frozenset[str]:
        present = dict(self.schema_key(file, paths[file]))
        for column in table.columns:
            stored = present.get(column.name)
            if stored and not same_family(stored, from_hive(column.type)):
                raise QueryFailed(
                    f"HIVE_BAD_DATA: Field {column.name}'s type {stored} in parquet file "
                    f"{paths[file]} is incompatible with type {column.type} defined in table schema"
                )
        return frozenset(present)

    def _create(self, schema: str, number: int, table: Table, branches: Iterable[str]) -> None:
        body = " UNION ALL ".join(branches) or _nothing(table)
        self.connection.execute(f"CREATE OR REPLACE VIEW {schema}.p{number} AS {body}")
        shown = select([f"* EXCLUDE ({quoted(PATH)})"], f"{schema}.p{number}")
        self.connection.execute(f"CREATE OR REPLACE VIEW {schema}.t{number} AS {shown}")

    def scans(self, query: str) -> list[Scan]:
        """What a bound query reads, by DuckDB's plan."""
        found = self.connection.execute(f"EXPLAIN (FORMAT json) {query}").fetchall()
        return list(_scans(json.loads(found[0][1])))


def _selected(
    table: Table, present: frozenset[str] | None, values: Sequence[str], path: str
) -> Iterator[str]:
    """The columns of a relation out of one partition; a column the files lack is a typed NULL."""
    for column in table.columns:
        known = present is None or column.name in present
        yield cast(quoted(column.name) if known else "NULL", from_hive(column.type), column.name)
    for key, value in zip(table.partition_keys, values, strict=True):
        yield cast(literal(value), from_hive(key.type), key.name)
    yield cast(path, "VARCHAR", PATH)


def _path_of(group: Sequence[str], paths: Mapping[str, str]) -> str:
    """The expression for the address of the object that a row comes from."""
    cases = "".join(f" WHEN {literal(file)} THEN {literal(paths[file])}" for file in group)
    return f"CASE filename{cases} END"


def _nothing(table: Table) -> str:
    columns = [(c.name, from_hive(c.type)) for c in (*table.columns, *table.partition_keys)]
    items = [cast("NULL", kind, name) for name, kind in (*columns, (PATH, "VARCHAR"))]
    return select(items, "(SELECT 1) AS nothing WHERE false")


def _asks_for_path(node: exp.Table) -> bool:
    """Whether the query that reads this table names the hidden column.

    `*` does not show it: where it is there, the stars of that query leave it out.
    """
    query = node.find_ancestor(exp.Select)
    if query is None or not any(
        column.name == PATH and column.find_ancestor(exp.Select) is query
        for column in query.find_all(exp.Column)
    ):
        return False
    for star in query.find_all(exp.Star):
        if star.parent is query or star.parent in query.expressions:
            star.set("except_", [exp.to_identifier(PATH, quoted=True)])
    return True


def _is_cte(node: exp.Table) -> bool:
    """Whether an unqualified name means a WITH query: one before it in a list it can see."""
    if node.db:
        return False
    child: exp.Expr = node
    parent = node.parent
    while parent is not None:
        if isinstance(parent, exp.With):
            earlier = parent.expressions[: parent.expressions.index(child)]
            recursive = [child] if parent.args.get("recursive") else []
            names = [each.alias.lower() for each in (*earlier, *recursive)]
        elif isinstance(child, exp.With):
            names = []
        else:
            names = [each.alias.lower() for each in getattr(parent, "ctes", ())]
        if node.name.lower() in names:
            return True
        child, parent = parent, parent.parent
        if isinstance(child, exp.With) and parent is not None:
            child, parent = parent, parent.parent
    return False


def _same_columns(
    table: Table, declared: Sequence[tuple[str, str]], actual: Sequence[tuple[str, str]]
) -> None:
    if len(declared) != len(actual):
        raise _stale(table, f"it declares {len(declared)} columns and its query has {len(actual)}")
    for place, ((name, kind), (found, stored)) in enumerate(zip(declared, actual, strict=True)):
        numbers = {"DECIMAL", "DOUBLE", "BIGINT", "HUGEINT"}
        both_numbers = {stored.split("(")[0], from_trino(kind).split("(")[0]} <= numbers
        if name != found.lower() or not (same_family(stored, from_trino(kind)) or both_numbers):
            raise _stale(
                table,
                f"column [{found}] of type {stored.lower()} projected from query view at position "
                f"{place} cannot be coerced to column [{name}] of type {kind} stored in view "
                "definition",
            )


def _stale(table: Table, why: str) -> QueryFailed:
    name = f"{CATALOG}.{table.database}.{table.name}"
    return QueryFailed(f"VIEW_IS_STALE: View '{name}' is stale or in invalid state: {why}")


def _scans(nodes: Sequence[Mapping[str, Any]]) -> Iterator[Scan]:
    for node in nodes:
        yield from _scans(node.get("children") or ())
        info = node.get("extra_info") or {}
        found = re.search(r"plan\.t(\d+)_(\d+)$", str(info.get("Table", "")))
        if found:
            columns = frozenset((*_list(info.get("Projections")), *_filtered(info.get("Filters"))))
            yield Scan(int(found[1]), int(found[2]), columns)


def _list(value: str | Sequence[str] | None) -> Sequence[str]:
    return [value] if isinstance(value, str) else value or ()


def _filtered(value: str | Sequence[str] | None) -> Iterator[str]:
    """The columns that filters pushed into a scan read: every word that is not within quotes."""
    for each in _list(value):
        yield from re.findall(r"\w+", re.sub(r"'(?:[^']|'')*'", " ", each))

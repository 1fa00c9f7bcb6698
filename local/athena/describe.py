"""SHOW and DESCRIBE: what the catalog holds, as Athena words it."""

import fnmatch
from collections.abc import Iterable

from local.athena import views
from local.athena.catalog import CATALOG, Snapshot, Table
from local.athena.engine import Outcome, text_columns
from local.athena.failures import QueryFailed
from local.athena.statements import Name, Show


def show(statement: Show, snapshot: Snapshot, database: str) -> Outcome:
    """Answer a SHOW or DESCRIBE statement."""
    within = statement.target.database or database
    if statement.what == "databases":
        return _lines("database_name", _like(sorted(snapshot.databases), statement.pattern))
    if statement.what in ("tables", "views"):
        names = [t.name for t in snapshot.of(within) if statement.what == "tables" or t.is_view]
        return _lines(statement.what.rstrip("s") + "_name", _like(names, statement.pattern))
    return _of_table(statement.what, find(snapshot, statement.target, database))


def _of_table(what: str, table: Table) -> Outcome:
    if what == "partitions":
        return _lines("partition", _partitions(table))
    if what == "view":
        view = views.decode(table)
        return _lines("Create View", [f"CREATE VIEW {table.database}.{table.name} AS", view.sql])
    if what == "table":
        return _lines("createtab_stmt", _ddl(table))
    columns = (*table.columns, *table.partition_keys)
    if what == "columns":
        return _lines("field", [f"{column.name:<20}" for column in columns])
    return _describe(table)


def find(snapshot: Snapshot, name: Name, database: str) -> Table:
    """The table of that name. Raises QueryFailed when there is none."""
    within = name.database or database
    table = snapshot.find(within, name.name)
    if table is None:
        raise QueryFailed(
            f"TABLE_NOT_FOUND: line 1:1: Table '{CATALOG}.{within}.{name.name}' does not exist"
        )
    return table


def _lines(name: str, values: Iterable[str]) -> Outcome:
    return Outcome(text_columns(name), tuple((value,) for value in values))


def _like(names: Iterable[str], pattern: str) -> list[str]:
    """Hive's patterns: `*` for anything and `|` between alternatives."""
    choices = pattern.lower().split("|") if pattern else ["*"]
    return [name for name in names if any(fnmatch.fnmatch(name, each) for each in choices)]


def _partitions(table: Table) -> list[str]:
    keys = [key.name for key in table.partition_keys]
    if not keys:
        raise QueryFailed(
            f"FAILED: Execution Error: Table {table.database}.{table.name} is not a partitioned "
            "table"
        )
    return sorted(
        "/".join(f"{key}={value}" for key, value in zip(keys, each.values, strict=True))
        for each in table.partitions
    )


def _describe(table: Table) -> Outcome:
    """One text a row with tabs within it, columns padded to 20, as Hive prints it."""
    lines = [_padded(c.name, c.type, c.comment) for c in (*table.columns, *table.partition_keys)]
    if table.partition_keys:
        lines += [
            "\t \t ",
            "# Partition Information\t \t ",
            _padded("# col_name", "data_type", "comment"),
        ]
        lines += [_padded(key.name, key.type, key.comment) for key in table.partition_keys]
    return Outcome(
        text_columns("col_name", "data_type", "comment"), tuple((line,) for line in lines)
    )


def _padded(*fields: str) -> str:
    return "\t".join(f"{field:<20}" for field in fields)


def _ddl(table: Table) -> list[str]:
    columns = ", ".join(f"`{c.name}` {c.type}" for c in table.columns)
    lines = [f"CREATE EXTERNAL TABLE `{table.database}.{table.name}`({columns})"]
    if table.partition_keys:
        keys = ", ".join(f"`{key.name}` {key.type}" for key in table.partition_keys)
        lines.append(f"PARTITIONED BY ({keys})")
    return [*lines, "STORED AS PARQUET", f"LOCATION '{table.location}'"]

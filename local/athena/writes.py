"""Statements that write: CREATE TABLE AS, INSERT INTO, UNLOAD, views, partitions."""

import urllib.parse
import uuid
from collections.abc import Sequence
from pathlib import Path

from local.athena import catalog, datatypes, describe, objects, statements, views
from local.athena.catalog import Column, Partition
from local.athena.engine import Bound, Engine, Outcome, ResultColumn, storable_query
from local.athena.failures import QueryFailed
from local.athena.sql import cast, literal, quoted, select

_PARQUET, _JSON, _TEXT = "PARQUET", "JSON", "TEXTFILE"
_ENFORCED = (
    "The Create Table As Select query failed because it was submitted with an 'external_location' "
    "property to an Athena Workgroup that enforces a centralized output location for all queries. "
    "Please remove the 'external_location' property and resubmit the query."
)


def create_table_as(engine: Engine, statement: statements.CreateTableAs) -> Outcome:
    """Write the query's rows as Parquet and register them as a table."""
    context, target = engine.context, statement.target
    database = target.database or context.database
    _require_database(engine, database)
    if context.snapshot.find(database, target.name):
        if statement.if_not_exists:
            return Outcome()
        raise QueryFailed(f"TABLE_ALREADY_EXISTS: Table '{target.name}' already exists")
    given = statement.options.get("external_location")
    if given and context.enforced:
        raise QueryFailed(_ENFORCED)
    if statement.options.get("format", _PARQUET).upper() != _PARQUET:
        raise QueryFailed("NOT_SUPPORTED: The local cloud writes tables as Parquet only")
    location = objects.folder(given or f"{context.results}tables/{context.query_id}")
    _require_empty(engine, location, target.name)
    bound = engine.bind(statement.query)
    written = _write(engine, statement.query, bound, location, statement.partitioned_by)
    columns = [Column(c.name.lower(), datatypes.to_hive(c.type)) for c in bound.columns]
    _require_last(columns, statement.partitioned_by)
    split = len(columns) - len(statement.partitioned_by)
    made = catalog.table_input(target.name, columns[:split], columns[split:], location)
    context.catalog.create(database, made, replace=False)
    for partition in _partitions(written, location, len(statement.partitioned_by)):
        context.catalog.add_partition(database, target.name, partition)
    return Outcome(scanned_bytes=bound.scanned_bytes, manifest=tuple(written))


def insert(engine: Engine, statement: statements.Insert) -> Outcome:
    """Add files with the query's rows; a table's partition keys come last, as in Athena."""
    context = engine.context
    table = describe.find(context.snapshot, statement.target, context.database)
    if table.is_view:
        raise QueryFailed("NOT_SUPPORTED: Inserting into views is not supported")
    bound = engine.bind(statement.query)
    known = [*table.columns, *table.partition_keys]
    names = statement.columns or tuple(column.name for column in known)
    if len(names) != len(bound.columns) or not set(names) <= {column.name for column in known}:
        raise QueryFailed(
            "TYPE_MISMATCH: Insert query has mismatched column types or names: "
            f"Table: {list(names)}, Query: {[column.type for column in bound.columns]}"
        )
    shown = [
        cast(quoted(c.name) if c.name in names else "NULL", datatypes.from_hive(c.type), c.name)
        for c in known
    ]
    sql = select(shown, f"({storable_query(bound, names)}) AS given")
    keys = tuple(key.name for key in table.partition_keys)
    typed = Bound(sql, tuple(_typed(c) for c in known), bound.scanned_bytes)
    written = _write(engine, statement.query, typed, objects.folder(table.location), keys)
    there = {partition.values for partition in table.partitions}
    for partition in _partitions(written, objects.folder(table.location), len(keys)):
        if partition.values not in there:
            context.catalog.add_partition(table.database, table.name, partition)
    return Outcome(scanned_bytes=bound.scanned_bytes, manifest=tuple(written))


def unload(engine: Engine, statement: statements.Unload) -> Outcome:
    """Write the query's rows to an empty place, without a table."""
    location = objects.folder(statement.location)
    kind = statement.options.get("format", _PARQUET).upper()
    if kind not in (_PARQUET, _JSON, _TEXT):
        raise QueryFailed(f"NOT_SUPPORTED: The local cloud does not unload as {kind}")
    _require_empty(engine, location, "unload")
    bound = engine.bind(statement.query)
    written = _write(engine, statement.query, bound, location, statement.partitioned_by, kind)
    return Outcome(scanned_bytes=bound.scanned_bytes, manifest=tuple(written))


def create_view(engine: Engine, statement: statements.CreateView) -> Outcome:
    """Register a view as Athena does; its query must be valid now."""
    context = engine.context
    database = statement.target.database or context.database
    _require_database(engine, database)
    if context.snapshot.find(database, statement.target.name) and not statement.replace:
        raise QueryFailed(f"View already exists: '{database}.{statement.target.name}'")
    bound = engine.bind(statement.query)
    made = views.view_input(
        statement.target.name,
        statement.query.sql,
        context.database,
        [(column.name, column.type) for column in bound.columns],
    )
    context.catalog.create(database, made, replace=statement.replace)
    return Outcome()


def drop(engine: Engine, statement: statements.Drop) -> Outcome:
    """Take a table or view out of the catalog; its files stay, as in Athena."""
    context = engine.context
    database = statement.target.database or context.database
    table = context.snapshot.find(database, statement.target.name)
    if table is None or table.is_view != statement.view:
        if statement.if_exists:
            return Outcome()
        kind = "View" if statement.view else "Table"
        raise QueryFailed(
            f"TABLE_NOT_FOUND: {kind} '{catalog.CATALOG}.{database}.{statement.target.name}' does "
            "not exist"
        )
    context.catalog.drop(database, statement.target.name)
    return Outcome()


def partitions(engine: Engine, statement: statements.Partitions) -> Outcome:
    """ALTER TABLE ADD or DROP PARTITION."""
    context = engine.context
    table = describe.find(context.snapshot, statement.target, context.database)
    keys = [key.name for key in table.partition_keys]
    if sorted(keys) != sorted(statement.values):
        raise QueryFailed(f"FAILED: partition spec {dict(statement.values)} is not that of {keys}")
    values = tuple(statement.values[key] for key in keys)
    exists = values in {partition.values for partition in table.partitions}
    if statement.add == exists:
        if statement.lenient:
            return Outcome()
        raise QueryFailed(
            f"FAILED: Partition {'exists already' if exists else 'not found'}: {values}"
        )
    if not statement.add:
        context.catalog.drop_partition(table.database, table.name, values)
        return Outcome()
    steps = "/".join(f"{key}={value}" for key, value in zip(keys, values, strict=True))
    place = Partition(values, statement.location or objects.folder(table.location) + steps)
    context.catalog.add_partition(table.database, table.name, place)
    return Outcome()


def _write(
    engine: Engine,
    query: statements.Select,
    bound: Bound,
    location: str,
    partitioned_by: Sequence[str] = (),
    kind: str = _PARQUET,
) -> list[str]:
    """Run the query into files under `location`; returns their addresses."""
    target = engine.folder / "out"
    target.mkdir()
    suffix, form = {
        _PARQUET: (".parquet", "FORMAT parquet, COMPRESSION zstd"),
        _JSON: (".json", "FORMAT json"),
        _TEXT: (".csv", "FORMAT csv, HEADER false, DELIMITER '\x01'"),
    }[kind]
    into = target if partitioned_by else target / f"data{suffix}"
    if partitioned_by:
        form += f", PARTITION_BY ({', '.join(map(quoted, partitioned_by))})"
    with engine.errors(query):
        engine.connection.execute(
            f"COPY ({storable_query(bound)}) TO {literal(str(into))} ({form})"
        )
    return [
        _upload(engine, path, location, target, suffix)
        for path in sorted(target.rglob(f"*{suffix}"))
    ]


def _upload(engine: Engine, path: Path, location: str, root: Path, suffix: str) -> str:
    folder = path.parent.relative_to(root).as_posix()
    place = "" if folder == "." else urllib.parse.unquote(folder) + "/"
    uri = f"{location}{place}{uuid.uuid4().hex}{suffix}"
    engine.context.store.write(uri, path.read_bytes(), "application/octet-stream")
    return uri


def _partitions(written: Sequence[str], location: str, depth: int) -> list[Partition]:
    """The partitions that files under `location` lie in, by their `key=value` folders."""
    if not depth:
        return []
    places = {uri.rsplit("/", 1)[0] for uri in written}
    return [
        Partition(tuple(s.split("=", 1)[1] for s in place[len(location) :].split("/")), place + "/")
        for place in sorted(places)
    ]


def _typed(column: Column) -> ResultColumn:
    return ResultColumn(column.name, datatypes.from_hive(column.type))


def _require_database(engine: Engine, database: str) -> None:
    if database.lower() not in engine.context.snapshot.databases:
        raise QueryFailed(f"SCHEMA_NOT_FOUND: Schema {database} not found")


def _require_empty(engine: Engine, location: str, name: str) -> None:
    if engine.context.store.list(location):
        raise QueryFailed(
            f"HIVE_PATH_ALREADY_EXISTS: Target directory for table '{name}' already exists: "
            f"{location}. You may need to manually clean the data at this location before retrying."
        )


def _require_last(columns: Sequence[Column], partitioned_by: Sequence[str]) -> None:
    names = [column.name for column in columns]
    if partitioned_by and tuple(names[-len(partitioned_by) :]) != tuple(partitioned_by):
        raise QueryFailed(
            "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns in the table and "
            f"in the same order as the table properties: {list(partitioned_by)}"
        )

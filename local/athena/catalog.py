"""The Glue catalog as one query sees it: read once, when the query starts.

Athena plans from the catalog at the start of a query, so that a partition which is moved while the
query runs changes nothing for it. The same holds here: `Snapshot` is immutable.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

CATALOG = "awsdatacatalog"
VIEW = "VIRTUAL_VIEW"


@dataclass(frozen=True)
class Column:
    """A column with its type in the catalog's vocabulary (Hive)."""

    name: str
    type: str
    comment: str = ""

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> "Column":
        return cls(item["Name"].lower(), item.get("Type") or "string", item.get("Comment") or "")


@dataclass(frozen=True)
class Partition:
    """The values of the partition keys and where that partition's files are."""

    values: tuple[str, ...]
    location: str


@dataclass(frozen=True)
class Table:
    """A table, or a view (then `view_text` is what Glue holds of it)."""

    database: str
    name: str
    columns: tuple[Column, ...]
    partition_keys: tuple[Column, ...] = ()
    location: str = ""
    partitions: tuple[Partition, ...] = ()
    view_text: str = ""
    library: str = ""
    is_view: bool = False

    @property
    def sources(self) -> tuple[Partition, ...]:
        """Where its rows are: its partitions, or the one place of a table without any keys."""
        return self.partitions if self.partition_keys else (Partition((), self.location),)


@dataclass(frozen=True)
class Snapshot:
    """Databases by name and tables by (database, table), all in lower case."""

    databases: frozenset[str] = frozenset()
    tables: Mapping[tuple[str, str], Table] = field(default_factory=dict)

    def find(self, database: str, name: str) -> Table | None:
        return self.tables.get((database.lower(), name.lower()))

    def of(self, database: str) -> list[Table]:
        """The tables and views of a database by name."""
        found = [table for table in self.tables.values() if table.database == database.lower()]
        return sorted(found, key=lambda table: table.name)


class CatalogWriter(Protocol):
    """What DDL changes. Each raises QueryFailed with the catalog's reason."""

    def create(self, database: str, table_input: Mapping[str, Any], *, replace: bool) -> None: ...

    def drop(self, database: str, name: str) -> None: ...

    def add_partition(self, database: str, name: str, partition: Partition) -> None: ...

    def drop_partition(self, database: str, name: str, values: tuple[str, ...]) -> None: ...


def read_table(item: Mapping[str, Any], partitions: Iterable[Mapping[str, Any]]) -> Table:
    """A table out of Glue's own form."""
    storage = item.get("StorageDescriptor") or {}
    return Table(
        database=item["DatabaseName"].lower(),
        name=item["Name"].lower(),
        columns=tuple(Column.read(column) for column in storage.get("Columns") or ()),
        partition_keys=tuple(Column.read(key) for key in item.get("PartitionKeys") or ()),
        location=storage.get("Location") or "",
        partitions=tuple(
            Partition(tuple(each["Values"]), each["StorageDescriptor"].get("Location") or "")
            for each in partitions
        ),
        view_text=item.get("ViewOriginalText") or "",
        library=(storage.get("SerdeInfo") or {}).get("SerializationLibrary") or "",
        is_view=item.get("TableType") == VIEW,
    )


def table_input(
    name: str, columns: Iterable[Column], keys: Iterable[Column], location: str
) -> dict[str, Any]:
    """Glue's form of an external Parquet table."""
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "parquet", "EXTERNAL": "TRUE"},
        "PartitionKeys": [{"Name": key.name, "Type": key.type} for key in keys],
        "StorageDescriptor": {
            "Columns": [{"Name": column.name, "Type": column.type} for column in columns],
            "Location": location,
            "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            "SerdeInfo": {"SerializationLibrary": PARQUET_LIBRARY},
        },
    }


PARQUET_LIBRARY = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"

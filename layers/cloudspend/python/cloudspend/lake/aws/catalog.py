"""Partitions and columns of the lake's tables in Glue."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cloudspend.aws.errors import aws_errors
from cloudspend.aws.paging import elements
from cloudspend.errors import TransientError
from cloudspend.lake.tables import Column, Table

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import PartitionInputTypeDef, StorageDescriptorTypeDef

PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
# Concurrent writers of a table are checks of different accounts' bills.
MOST_RACES = 20
# AWS Glue API reference: the members of a Table that a TableInput accepts.
TABLE_INPUT = (
    "Name",
    "Description",
    "Owner",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "TableType",
    "Parameters",
)


class GlueCatalog:
    """`Catalog` on a boto3 Glue client; `tables` are the declared tables by name."""

    def __init__(self, glue: "GlueClient", database: str, tables: Mapping[str, Table]) -> None:
        self._glue = glue
        self._database = database
        self._tables = tables

    def location(self, table: str, values: tuple[str, ...]) -> str | None:
        try:
            with aws_errors("Glue"):
                found = self._glue.get_partition(
                    DatabaseName=self._database, TableName=table, PartitionValues=list(values)
                )
        except self._glue.exceptions.EntityNotFoundException:
            return None
        return str(found["Partition"]["StorageDescriptor"]["Location"])

    def point(
        self,
        table: str,
        values: tuple[str, ...],
        location: str,
        columns: tuple[Column, ...] = (),
    ) -> None:
        partition: PartitionInputTypeDef = {
            "Values": list(values),
            "StorageDescriptor": _storage(self._tables[table], location, columns),
            "Parameters": {"classification": "parquet"},
        }
        with aws_errors("Glue"):
            try:
                self._update(table, partition)
            except self._glue.exceptions.EntityNotFoundException:
                self._create(table, partition)

    def ensure_columns(self, table: str, columns: tuple[Column, ...]) -> None:
        for _ in range(MOST_RACES):
            with aws_errors("Glue"):
                found = self._glue.get_table(DatabaseName=self._database, Name=table)["Table"]
                there = {column["Name"] for column in found["StorageDescriptor"]["Columns"]}
                missing = [column for column in columns if column.name not in there]
                if not missing:
                    return
                self._append(found, missing)
        raise TransientError(f"The table {table} is being changed by others all the time.")

    def _append(self, found: Mapping[str, Any], missing: Sequence[Column]) -> None:
        """Append columns to the version of the table that was read. Does nothing if there is a
        newer version.

        The caller must read the table again in either case.
        """
        table: Any = {name: found[name] for name in TABLE_INPUT if name in found}
        storage = dict(table["StorageDescriptor"])
        storage["Columns"] = [
            *storage["Columns"],
            *({"Name": c.name, "Type": c.type, "Comment": c.comment} for c in missing),
        ]
        with suppress(self._glue.exceptions.ConcurrentModificationException):
            self._glue.update_table(
                DatabaseName=self._database,
                TableInput=table | {"StorageDescriptor": storage},
                VersionId=found["VersionId"],
            )

    def locations(self, table: str, account_id: str) -> dict[tuple[str, ...], str]:
        partitions = elements(
            self._glue,
            "get_partitions",
            "Partitions",
            "Glue",
            DatabaseName=self._database,
            TableName=table,
            Expression=f"account_id = '{account_id}'",
            ExcludeColumnSchema=True,
        )
        return {
            tuple(partition["Values"]): partition["StorageDescriptor"]["Location"]
            for partition in partitions
            if partition["Values"][0] == account_id
        }

    def remove(self, table: str, values: tuple[str, ...]) -> None:
        try:
            with aws_errors("Glue"):
                self._glue.delete_partition(
                    DatabaseName=self._database, TableName=table, PartitionValues=list(values)
                )
        except self._glue.exceptions.EntityNotFoundException:
            return

    def _update(self, table: str, partition: "PartitionInputTypeDef") -> None:
        self._glue.update_partition(
            DatabaseName=self._database,
            TableName=table,
            PartitionValueList=partition["Values"],
            PartitionInput=partition,
        )

    def _create(self, table: str, partition: "PartitionInputTypeDef") -> None:
        """Create a partition; another process may have created it at the same time."""
        try:
            self._glue.create_partition(
                DatabaseName=self._database, TableName=table, PartitionInput=partition
            )
        except self._glue.exceptions.AlreadyExistsException:
            self._update(table, partition)


def _storage(table: Table, location: str, more: tuple[Column, ...]) -> "StorageDescriptorTypeDef":
    columns = (*table.columns, *more)
    return {
        "Columns": [{"Name": column.name, "Type": column.type} for column in columns],
        "Location": location,
        "InputFormat": f"{PARQUET}.MapredParquetInputFormat",
        "OutputFormat": f"{PARQUET}.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": f"{PARQUET}.serde.ParquetHiveSerDe"},
    }

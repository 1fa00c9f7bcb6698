"""Small Parquet tables in the lake bucket, with boto3."""

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import parquet

from cloudspend.aws.errors import aws_errors
from cloudspend.lake.tables import Column, Table

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Athena's types in Parquet. Timestamps are UTC without a zone, as Athena reads them.
TYPES = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("ms"),
}
FILE = "part-0.parquet"


class ParquetTables:
    """`ports.TableWriter` on a boto3 S3 client. The bucket encrypts by default."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @property
    def bucket(self) -> str:
        return self._bucket

    def write(self, table: Table, prefix: str, rows: Iterable[Mapping[str, Any]]) -> None:
        body = BytesIO()
        parquet.write_table(_arrow(table, rows), body, compression="zstd")
        with aws_errors("The lake"):
            self._client.put_object(Bucket=self._bucket, Key=prefix + FILE, Body=body.getvalue())


def _arrow(table: Table, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    schema = pa.schema([(column.name, TYPES[column.type]) for column in table.columns])
    return pa.Table.from_pylist([_row(table.columns, row) for row in rows], schema=schema)


def _row(columns: tuple[Column, ...], row: Mapping[str, Any]) -> dict[str, Any]:
    return {column.name: _value(row[column.name]) for column in columns}


def _value(value: Any) -> Any:
    return value.replace(tzinfo=None) if getattr(value, "tzinfo", None) else value

"""Reconciliation tables as Parquet in S3."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import boto3
import pytest
from moto import mock_aws
from pyarrow import parquet

from cloudspend.reconcile.aws import TYPES, ParquetTables
from cloudspend.reconcile.ports import TableWriter
from cloudspend.reconcile.tables import RECONCILIATION, RECONCILIATION_CELLS, TABLES
from tests.fakes.reconcile import FakeTables

AT = datetime(2026, 11, 5, 6, 7, 8, tzinfo=UTC)
PREFIX = "reconciliation/account_id=111111111111/"


class MotoTables(ParquetTables):
    """The real adapter, with a way to read back."""

    @property
    def objects(self) -> dict[str, list[dict[str, Any]]]:
        listed = self._client.list_objects_v2(Bucket=self.bucket)["Contents"]
        found = {}
        for item in listed:
            body = self._client.get_object(Bucket=self.bucket, Key=item["Key"])["Body"].read()
            prefix = item["Key"].rpartition("/")[0] + "/"
            found[prefix] = parquet.read_table(BytesIO(body)).to_pylist()
        return found


@pytest.fixture(params=["fake", "moto"])
def tables(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "fake":
        yield FakeTables()
        return
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="lake")
        yield MotoTables(client, "lake")


def summary(verdict: str) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(column.name for column in RECONCILIATION.columns)
    return row | {"verdict": verdict, "rows": 3, "final": True, "residual": 0.5}


def test_rows_come_back_as_written(tables: Any) -> None:
    writer: TableWriter = tables
    writer.write(RECONCILIATION, PREFIX, [summary("certified")])
    assert tables.objects == {PREFIX: [summary("certified")]}


def test_writing_again_replaces(tables: Any) -> None:
    tables.write(RECONCILIATION, PREFIX, [summary("provisional")])
    tables.write(RECONCILIATION, PREFIX, [summary("certified")])
    assert tables.objects == {PREFIX: [summary("certified")]}


def test_a_table_without_rows_is_a_file_all_the_same(tables: Any) -> None:
    tables.write(RECONCILIATION_CELLS, PREFIX, [])
    assert tables.objects == {PREFIX: []}


def test_moments_are_written_in_utc_without_a_zone() -> None:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="lake")
        tables = MotoTables(client, "lake")
        tables.write(RECONCILIATION, PREFIX, [summary("certified") | {"reconciled_at": AT}])
        assert tables.objects[PREFIX][0]["reconciled_at"] == AT.replace(tzinfo=None)


def test_every_declared_type_can_be_written() -> None:
    declared = {column.type for table in TABLES for column in table.columns}
    assert declared <= TYPES.keys()

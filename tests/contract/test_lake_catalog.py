"""Partitions in Glue (moto) and the fake, held to the same promises."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from cloudspend.errors import TransientError
from cloudspend.lake.aws import GlueCatalog
from cloudspend.lake.ports import Catalog
from cloudspend.lake.tables import TABLES
from cloudspend.settings import DATABASE
from tests.fakes.lake import FakeCatalog

TABLE, GENERATIONS = (table.name for table in TABLES)
OCTOBER = ("111111111111", "2026-10")


def glue_client() -> Any:
    glue = boto3.client("glue")
    glue.create_database(DatabaseInput={"Name": DATABASE})
    for table in TABLES:
        keys = [{"Name": key.name, "Type": key.type} for key in table.partition_keys]
        glue.create_table(
            DatabaseName=DATABASE, TableInput={"Name": table.name, "PartitionKeys": keys}
        )
    return glue


def glue_catalog(glue: Any) -> GlueCatalog:
    return GlueCatalog(glue, DATABASE, {table.name: table for table in TABLES})


@pytest.fixture(params=["fake", "glue"])
def catalog(request: pytest.FixtureRequest) -> Iterator[Catalog]:
    if request.param == "fake":
        yield FakeCatalog()
        return
    with mock_aws():
        yield glue_catalog(glue_client())


def test_a_partition_is_made_and_moved(catalog: Catalog) -> None:
    assert catalog.location(TABLE, OCTOBER) is None
    for place in ("s3://a-lake/one/", "s3://a-lake/two/", "s3://a-lake/two/"):
        catalog.point(TABLE, OCTOBER, place)
        assert catalog.location(TABLE, OCTOBER) == place


def test_partitions_are_apart(catalog: Catalog) -> None:
    catalog.point(TABLE, OCTOBER, "s3://a-lake/one/")
    catalog.point(GENERATIONS, (*OCTOBER, "g"), "s3://a-lake/two/")
    catalog.point(TABLE, ("111111111111", "2026-09"), "s3://a-lake/three/")
    assert catalog.location(TABLE, OCTOBER) == "s3://a-lake/one/"
    assert catalog.location(GENERATIONS, (*OCTOBER, "h")) is None


def test_an_accounts_partitions_are_found_and_removed(catalog: Catalog) -> None:
    september = ("111111111111", "2026-09")
    catalog.point(TABLE, OCTOBER, "s3://a-lake/one/")
    catalog.point(TABLE, september, "s3://a-lake/two/")
    catalog.point(TABLE, ("222222222222", "2026-10"), "s3://a-lake/three/")
    catalog.point(GENERATIONS, (*OCTOBER, "g"), "s3://a-lake/four/")
    assert catalog.locations(TABLE, "111111111111") == {
        OCTOBER: "s3://a-lake/one/",
        september: "s3://a-lake/two/",
    }
    assert catalog.locations(TABLE, "333333333333") == {}
    for _ in range(2):
        catalog.remove(TABLE, OCTOBER)
    assert catalog.location(TABLE, OCTOBER) is None
    assert catalog.location(GENERATIONS, (*OCTOBER, "g")) == "s3://a-lake/four/"
    assert list(catalog.locations(TABLE, "111111111111")) == [september]


@mock_aws
def test_a_partition_has_the_declared_columns() -> None:
    glue = glue_client()
    glue_catalog(glue).point(TABLE, OCTOBER, "s3://a-lake/one/")
    partition = glue.get_partition(
        DatabaseName=DATABASE, TableName=TABLE, PartitionValues=list(OCTOBER)
    )["Partition"]
    columns = [(each["Name"], each["Type"]) for each in partition["StorageDescriptor"]["Columns"]]
    assert columns == [(column.name, column.type) for column in TABLES[0].columns]


class _Racing:
    """Glue in which someone else makes the partition right before the first CreatePartition."""

    def __init__(self, glue: Any) -> None:
        self._glue = glue
        self.exceptions = glue.exceptions

    def update_partition(self, **request: Any) -> None:
        self._glue.update_partition(**request)

    def create_partition(self, **request: Any) -> None:
        self._glue.create_partition(**request)
        self._glue.create_partition(**request)


@mock_aws
def test_somebody_elses_first_time_is_no_failure() -> None:
    glue = glue_client()
    glue_catalog(_Racing(glue)).point(TABLE, OCTOBER, "s3://a-lake/mine/")
    assert glue_catalog(glue).location(TABLE, OCTOBER) == "s3://a-lake/mine/"


class _Busy:
    """Glue that says of every partition what `code` means."""

    def __init__(self, glue: Any, code: str) -> None:
        self.exceptions = glue.exceptions
        self._code = code

    def update_partition(self, **_request: Any) -> None:
        raise ClientError({"Error": {"Code": self._code}}, "UpdatePartition")


@mock_aws
@pytest.mark.parametrize("code", ["ConcurrentModificationException", "ThrottlingException"])
def test_what_passes_is_to_be_tried_again(code: str) -> None:
    with pytest.raises(TransientError):
        glue_catalog(_Busy(glue_client(), code)).point(TABLE, OCTOBER, "s3://a-lake/one/")


@mock_aws
def test_what_does_not_pass_is_not_tried_again() -> None:
    with pytest.raises(ClientError):
        glue_catalog(_Busy(glue_client(), "AccessDeniedException")).point(TABLE, OCTOBER, "s3://x/")

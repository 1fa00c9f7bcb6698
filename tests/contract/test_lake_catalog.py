"""Partitions in Glue (moto) and the fake, held to the same promises."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from cloudspend.errors import TransientError
from cloudspend.lake.aws.catalog import GlueCatalog
from cloudspend.lake.ports import Catalog
from cloudspend.lake.tables import TABLES, Column
from cloudspend.settings import DATABASE
from tests.fakes.lake import FakeCatalog

TABLE, GENERATIONS = (table.name for table in TABLES[:2])
OCTOBER = ("111111111111", "2026-10")


def glue_client() -> Any:
    glue = boto3.client("glue")
    glue.create_database(DatabaseInput={"Name": DATABASE})
    for table in TABLES:
        keys = [{"Name": key.name, "Type": key.type} for key in table.partition_keys]
        glue.create_table(
            DatabaseName=DATABASE,
            TableInput={
                "Name": table.name,
                "Description": table.comment,
                "PartitionKeys": keys,
                "StorageDescriptor": {
                    "Columns": [{"Name": c.name, "Type": c.type} for c in table.columns]
                },
            },
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


TEAM, CENTER = Column("tag_team", "string"), Column("tag_costcenter", "string")


def columns_of(glue: Any) -> list[str]:
    table = glue.get_table(DatabaseName=DATABASE, Name=TABLE)["Table"]
    assert table["Description"] == TABLES[0].comment
    assert len(table["PartitionKeys"]) == 2
    return [column["Name"] for column in table["StorageDescriptor"]["Columns"]]


@mock_aws
def test_a_table_only_grows_and_a_partition_lists_what_its_data_have() -> None:
    glue = glue_client()
    catalog, declared = glue_catalog(glue), [column.name for column in TABLES[0].columns]
    catalog.ensure_columns(TABLE, (TEAM,))
    catalog.ensure_columns(TABLE, (CENTER, TEAM))
    catalog.ensure_columns(TABLE, ())
    assert columns_of(glue) == [*declared, "tag_team", "tag_costcenter"]
    catalog.point(TABLE, OCTOBER, "s3://a-lake/one/", (TEAM,))
    partition = glue.get_partition(
        DatabaseName=DATABASE, TableName=TABLE, PartitionValues=list(OCTOBER)
    )["Partition"]
    listed = [column["Name"] for column in partition["StorageDescriptor"]["Columns"]]
    assert listed == [*declared, "tag_team"]


class _Contested:
    """Glue in which somebody else adds a column right before the first UpdateTable; `always`
    before every one."""

    def __init__(self, glue: Any, *, always: bool = False) -> None:
        self.exceptions = glue.exceptions
        self.get_table = glue.get_table
        self._glue = glue
        self._always = always
        self._raced = False

    def update_table(self, **request: Any) -> None:
        if self._always or not self._raced:
            if not self._raced:
                self._raced = True
                glue_catalog(self._glue).ensure_columns(TABLE, (CENTER,))
            raise self._glue.exceptions.ConcurrentModificationException(
                {"Error": {"Code": "ConcurrentModificationException"}}, "UpdateTable"
            )
        self._glue.update_table(**request)


@mock_aws
def test_a_race_for_the_table_loses_nobodys_column() -> None:
    glue = glue_client()
    glue_catalog(_Contested(glue)).ensure_columns(TABLE, (TEAM,))
    assert columns_of(glue)[-2:] == ["tag_costcenter", "tag_team"]


@mock_aws
def test_a_table_that_is_never_free_is_to_be_tried_again() -> None:
    with pytest.raises(TransientError, match="all the time"):
        glue_catalog(_Contested(glue_client(), always=True)).ensure_columns(TABLE, (TEAM,))

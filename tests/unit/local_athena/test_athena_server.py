"""Reads of ministack's own stores."""

import threading
from typing import Any

import pytest
from athena_world import Bucket
from ministack.services import glue

from local.athena import server
from local.athena.failures import QueryFailed
from local.athena.objects import data_files


@pytest.fixture
def catalog(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A Glue catalog of one partitioned table; returns its only partition."""
    partition = {"Values": ["2026-10"], "StorageDescriptor": {"Location": "s3://lake/g1/"}}
    table = {
        "DatabaseName": "lake",
        "Name": "costs",
        "StorageDescriptor": {
            "Columns": [{"Name": "Cost", "Type": "double"}],
            "Location": "s3://lake",
        },
        "PartitionKeys": [{"Name": "billing_period", "Type": "string"}],
    }
    monkeypatch.setattr(glue, "_databases", {"lake": {}})
    monkeypatch.setattr(glue, "_tables", {"lake/costs": table})
    monkeypatch.setattr(glue, "_partitions", {"lake/costs": [partition]})
    return partition


def test_a_snapshot_does_not_follow_the_catalog(catalog: dict[str, Any]) -> None:
    taken = server.snapshot()
    catalog["StorageDescriptor"] = {"Location": "s3://lake/g2/"}
    table = taken.find("Lake", "COSTS")
    assert table is not None
    assert table.partitions[0].location == "s3://lake/g1/"
    assert table.columns[0].name == "cost"


def test_a_partition_in_the_middle_of_an_update_is_waited_for(catalog: dict[str, Any]) -> None:
    held = dict(catalog)
    catalog.clear()
    threading.Timer(0.05, lambda: catalog.update(held)).start()
    table = server.snapshot().find("lake", "costs")
    assert table is not None
    assert table.partitions[0].location == "s3://lake/g1/"


def test_a_partition_that_stays_empty_is_an_error(
    catalog: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.clear()
    monkeypatch.setattr(server, "_SETTLE_TRIES", 2)
    with pytest.raises(QueryFailed, match="without a location"):
        server.snapshot()


def test_files_of_a_sibling_and_empty_files_are_no_data() -> None:
    bucket = Bucket({"s3://lake/g1/a": b"x", "s3://lake/g10/b": b"x", "s3://lake/g1/c": b""})
    assert [each.uri for each in data_files(bucket, "s3://lake/g1")] == ["s3://lake/g1/a"]

"""The lake bucket in S3 (moto) and the fake, held to the same promises."""

from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from typing import Any

import boto3
import pyarrow as pa
import pytest
from moto import mock_aws
from pyarrow import parquet

from cloudspend.convert.model import ParquetTotals
from cloudspend.errors import Defect, TransientError
from cloudspend.lake.aws.objects import S3Lake
from cloudspend.lake.ports import Lake
from tests.fakes.lake import FakeLake

COSTS = ("billedcost", "effectivecost")
BUCKET = FakeLake.bucket


@pytest.fixture(params=["fake", "s3"])
def lake(request: pytest.FixtureRequest) -> Iterator[Lake]:
    if request.param == "fake":
        yield FakeLake()
        return
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        yield S3Lake(s3, BUCKET)


def test_json_is_read_back(lake: Lake) -> None:
    for value in ([{"task": 0, "cost": "1.10"}], []):
        lake.write_json("runs/plan.json", value)
        assert lake.read_json("runs/plan.json") == value
    assert lake.bucket == BUCKET


def test_a_missing_object_is_named(lake: Lake) -> None:
    with pytest.raises(Defect, match=r"s3://a-lake/runs/plan\.json"):
        lake.read_json("runs/plan.json")


def test_only_what_stands_under_the_prefix_is_staged(lake: Lake) -> None:
    for key in ("a/generation=g/1.json", "a/generation=g/0.json", "a/generation=gg/0.json"):
        lake.write_json(key, 1)
    staged = lake.staged("a/generation=g/")
    assert [(file.key, file.size) for file in staged] == [
        ("a/generation=g/0.json", 1),
        ("a/generation=g/1.json", 1),
    ]
    assert all(file.modified.utcoffset() is not None for file in staged)
    assert lake.staged("b/") == ()


def test_keys_are_grouped_by_what_they_begin_with(lake: Lake) -> None:
    for key in ("a/p=1/g=1Z-a/0", "a/p=1/g=1Z-a/1", "a/p=1/g=2Z-b/0", "a/p=2/plain", "b/p=1/g=1Z"):
        lake.write_json(key, 1)
    assert lake.groups("a/p=", "Z") == ("a/p=1/g=1Z", "a/p=1/g=2Z")
    assert lake.groups("a/", "/") == ("a/p=1/", "a/p=2/")
    assert lake.groups("c/", "/") == ()


def test_what_is_deleted_is_gone_and_may_be_gone_before(lake: Lake) -> None:
    for key in ("a/0", "a/1", "a/2"):
        lake.write_json(key, 1)
    lake.delete(["a/0", "a/2", "a/never"])
    lake.delete([])
    assert [file.key for file in lake.staged("a/")] == ["a/1"]


@mock_aws
def test_a_listing_has_all_pages_and_a_deletion_takes_them_all() -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for number in range(1002):
        s3.put_object(Bucket=BUCKET, Key=f"a/{number:05}", Body=b"")
    lake = S3Lake(s3, BUCKET)
    assert len(lake.staged("a/")) == 1002
    lake.delete([file.key for file in lake.staged("a/")])
    assert lake.staged("a/") == ()


class _Refusing:
    """S3 that answers DeleteObjects as done and keeps one of the objects."""

    def delete_objects(self, **_request: Any) -> Any:
        return {"Errors": [{"Key": "a/0", "Code": "InternalError"}]}


def test_an_object_that_s3_kept_is_no_success() -> None:
    with pytest.raises(TransientError):
        S3Lake(_Refusing(), BUCKET).delete(["a/0", "a/1"])


class _Counting:
    """S3 that keeps how many bytes were asked for."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        self.read = 0

    def head_object(self, **request: Any) -> Any:
        return self._s3.head_object(**request)

    def get_object(self, **request: Any) -> Any:
        first, last = request["Range"].removeprefix("bytes=").split("-")
        self.read += int(last) - int(first) + 1
        return self._s3.get_object(**request)


@mock_aws
def test_totals_are_exact_and_need_two_columns_only() -> None:
    rows, filler = 50_000, "x" * 40
    table = pa.table(
        {
            "billedcost": pa.array([0.1] * rows, pa.float64()),
            "effectivecost": pa.array([1e-10, -0.3] * (rows // 2), pa.float64()),
            "resourceid": pa.array([f"{filler}{n * 7919 % rows}" for n in range(rows)]),
        }
    )
    body = BytesIO()
    parquet.write_table(table, body, compression="none", use_dictionary=["billedcost"])
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="0.parquet", Body=body.getvalue())
    counting = _Counting(s3)
    found = S3Lake(counting, BUCKET).parquet_totals("0.parquet", COSTS)
    sums = (Decimal("5000.0"), Decimal("-7499.9999975"))
    assert found == ParquetTotals(rows, dict(zip(COSTS, sums, strict=True)))
    assert counting.read < body.tell() * 0.8

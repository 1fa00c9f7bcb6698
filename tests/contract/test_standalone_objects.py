"""Files on disk and in S3 are read alike, with the words that fit the operator."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from cloudspend import wiring
from cloudspend.accounts.model import ExportKind
from cloudspend.convert.aws import S3Source
from cloudspend.errors import CloudSpendError, DeliveryError, DeliveryReplaced, PermissionDenied
from cloudspend.exports.aws import S3CustomerBucket
from cloudspend.exports.model import DeliveredFile
from cloudspend.standalone.convert import Request, convert_bill
from cloudspend.standalone.disk import ON_DISK
from cloudspend.standalone.ports import Objects
from cloudspend.standalone.s3 import OwnS3
from tests.corpus.bills import csv_of, gzipped, rows

BUCKET = "bills"


@dataclass(frozen=True)
class World:
    """Somewhere to put files, and what reads them there."""

    objects: Objects
    bucket: str
    base: str
    put: Callable[[str, bytes], None]

    def file(self, key: str) -> DeliveredFile:
        found = self.objects.head(self.bucket, key)
        assert found is not None
        return DeliveredFile(found.bucket, found.key, found.etag, found.size)


@pytest.fixture(params=["disk", "s3"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    objects = wiring.own_files()
    if request.param == "disk":

        def write(key: str, body: bytes) -> None:
            Path(key).parent.mkdir(parents=True, exist_ok=True)
            Path(key).write_bytes(body)

        yield World(objects, ON_DISK, f"{tmp_path}/", write)
        return
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield World(
            objects,
            BUCKET,
            "",
            lambda key, body: client.put_object(Bucket=BUCKET, Key=key, Body=body),
        )


def test_what_is_there_is_described_and_read(world: World) -> None:
    key = f"{world.base}a.csv.gz"
    world.put(key, b"0123456789")
    file = world.file(key)
    assert (file.bucket, file.key, file.size) == (world.bucket, key, 10)
    read = world.objects.read(world.bucket, key, 10)
    assert read is not None
    assert (read[1], read[0].etag) == (b"0123456789", file.etag)
    with world.objects.open(file) as stream:
        assert [stream.read(4), stream.read(), stream.read(4)] == [b"0123", b"456789", b""]


def test_what_is_not_there_is_nothing(world: World) -> None:
    assert world.objects.head(world.bucket, f"{world.base}gone") is None
    assert world.objects.read(world.bucket, f"{world.base}gone", 10) is None


def test_what_is_too_large_is_not_read(world: World) -> None:
    world.put(f"{world.base}a.json", b"0123456789")
    with pytest.raises(DeliveryError, match="larger than 9 bytes"):
        world.objects.read(world.bucket, f"{world.base}a.json", 9)


def test_what_was_replaced_is_named(world: World) -> None:
    key = f"{world.base}a.csv.gz"
    world.put(key, b"first")
    file = world.file(key)
    world.put(key, b"second")
    with pytest.raises(DeliveryReplaced) as caught, world.objects.open(file):
        pass
    assert caught.value.details["file"] == file.place
    assert "onvert it again" in caught.value.remedy


def test_what_went_away_is_named(world: World, tmp_path: Path) -> None:
    key = f"{world.base}a.csv.gz"
    world.put(key, b"first")
    file = world.file(key)
    if world.bucket == ON_DISK:
        Path(key).unlink()
    else:
        boto3.client("s3").delete_object(Bucket=BUCKET, Key=key)
    with pytest.raises(DeliveryError) as caught, world.objects.open(file):
        pass
    assert caught.value.details["file"] == file.place


def test_a_bill_is_converted_by_its_manifest(world: World, tmp_path: Path) -> None:
    key = f"{world.base}exports/bill/20261001-20261101/a1/bill-1.csv.gz"
    world.put(key, gzipped(csv_of(rows(ExportKind.CUR_LEGACY, {}, {}))))
    manifest = f"{world.base}exports/bill/20261001-20261101/bill-Manifest.json"
    body = {
        "assemblyId": "a1",
        "billingPeriod": {"start": "20261001T000000.000Z"},
        "compression": "GZIP",
        "columns": [{"category": "lineItem", "name": "UnblendedCost"}],
        "reportKeys": [key.removeprefix(world.base)],
    }
    world.put(manifest, json.dumps(body).encode())
    source = manifest if world.bucket == ON_DISK else f"s3://{BUCKET}/{manifest}"
    done = convert_bill(Request([source], tmp_path / "lake"), world.objects, lambda *_: None)
    assert (done.kind, done.rows_read) == (ExportKind.CUR_LEGACY, 2)
    assert [file.exists() for file in done.files] == [True]


Call = Callable[[Objects], object]
CALLS: dict[str, tuple[list[str], Call]] = {
    "head": (["head_object", "list_objects_v2"], lambda objects: objects.head(BUCKET, "a")),
    "read": (["get_object", "list_objects_v2"], lambda objects: objects.read(BUCKET, "a", 1)),
    "open": (
        ["get_object"],
        lambda objects: objects.open(DeliveredFile(BUCKET, "a", "e", 1)).__enter__(),
    ),
}


@pytest.mark.parametrize("call", CALLS)
def test_who_may_not_read_in_s3_is_told_to_choose_other_credentials(call: str) -> None:
    client: Any = boto3.client("s3")
    objects = OwnS3(S3CustomerBucket(client), S3Source(client))
    requests, ask = CALLS[call]
    with Stubber(client) as stub:
        for request in requests:
            stub.add_client_error(request, "AccessDenied", http_status_code=403)
        with pytest.raises(PermissionDenied) as caught:
            ask(objects)
    assert caught.value.summary.startswith("These credentials may not s3:")
    assert "AWS_PROFILE" in caught.value.remedy


def test_a_missing_bucket_is_a_sentence(tmp_path: Path) -> None:
    request = Request(["s3://nobodys-bucket/a.csv.gz"], tmp_path)
    with mock_aws(), pytest.raises(CloudSpendError, match="does not exist"):
        convert_bill(request, wiring.own_files(), lambda *_: None)

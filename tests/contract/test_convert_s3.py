"""Source and sink: the fakes and S3 behave alike."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber
from moto import mock_aws

from cloudspend.convert.aws import S3Sink, S3Source
from cloudspend.convert.ports import Source
from cloudspend.errors import (
    Defect,
    DeliveryError,
    DeliveryReplaced,
    PermissionDenied,
    TransientError,
)
from cloudspend.exports.model import DeliveredFile
from tests.fakes.convert import BUCKET, FakeSink, FakeSource

Put = Callable[[str, bytes], DeliveredFile]


@pytest.fixture(params=["fake", "s3"])
def files(request: pytest.FixtureRequest) -> Iterator[tuple[Source, Put]]:
    if request.param == "fake":
        fake = FakeSource()
        yield fake, fake.put
        return
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)

        def put(key: str, body: bytes) -> DeliveredFile:
            etag = client.put_object(Bucket=BUCKET, Key=key, Body=body)["ETag"].strip('"')
            return DeliveredFile(BUCKET, key, etag, len(body))

        yield S3Source(client), put


def test_gives_the_file_as_it_was_planned(files: tuple[Source, Put]) -> None:
    source, put = files
    with source.open(put("a.csv.gz", b"0123456789")) as stream:
        assert [stream.read(4), stream.read(), stream.read(4)] == [b"0123", b"456789", b""]


def test_a_replaced_file_is_named(files: tuple[Source, Put]) -> None:
    source, put = files
    changed = replace(put("a.csv.gz", b"new"), etag="0" * 32)
    with pytest.raises(DeliveryReplaced) as caught, source.open(changed):
        pass
    assert caught.value.details["file"] == f"s3://{BUCKET}/a.csv.gz"


def test_a_missing_file_is_named(files: tuple[Source, Put]) -> None:
    source, put = files
    with pytest.raises(DeliveryError) as caught, source.open(replace(put("a", b"x"), key="gone")):
        pass
    assert not isinstance(caught.value, DeliveryReplaced)
    assert caught.value.details["file"] == f"s3://{BUCKET}/gone"


def test_a_denied_read_names_the_action() -> None:
    client: Any = boto3.client("s3")
    with Stubber(client) as stub:
        stub.add_client_error("get_object", "AccessDenied", http_status_code=403)
        file = DeliveredFile(BUCKET, "a", "e", 1)
        with pytest.raises(PermissionDenied) as caught, S3Source(client).open(file):
            pass
    assert caught.value.details["action"] == "s3:GetObject"


class BrokenBody:
    """A body whose line breaks in the middle."""

    def __enter__(self) -> "BrokenBody":
        return self

    def __exit__(self, *_: object) -> None: ...

    def read(self, size: int | None) -> bytes:
        raise ReadTimeoutError(endpoint_url=f"https://s3.example/?size={size}")


def test_a_broken_line_is_not_the_end_of_the_file() -> None:
    client: Any = boto3.client("s3")
    with Stubber(client) as stub:
        stub.add_response("get_object", {"Body": BrokenBody()})
        opened = S3Source(client).open(DeliveredFile(BUCKET, "a", "e", 1))
        with opened as stream, pytest.raises(TransientError):
            stream.read(1)


@pytest.mark.parametrize("kind", ["fake", "s3"])
def test_a_repeat_replaces_what_was_put(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "part"
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="lake")
        sink = FakeSink() if kind == "fake" else S3Sink(client, "lake")
        for content in (b"first", b"second"):
            path.write_bytes(content)
            sink.put(path, "x/00000.parquet")
        if isinstance(sink, FakeSink):
            assert sink.objects == {"x/00000.parquet": b"second"}
        else:
            body = client.get_object(Bucket="lake", Key="x/00000.parquet")["Body"]
            assert body.read() == b"second"


def test_a_lake_that_is_busy_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "part"
    path.write_bytes(b"x")
    client = boto3.client("s3")
    stub = Stubber(client)
    stub.add_client_error("put_object", "SlowDown", http_status_code=503)
    with stub, pytest.raises(TransientError, match="lake asks to try later"):
        S3Sink(client, "lake").put(path, "x")


def test_a_lake_that_does_not_exist_is_a_defect(tmp_path: Path) -> None:
    path = tmp_path / "part"
    path.write_bytes(b"x")
    with mock_aws(), pytest.raises(Defect, match="no-lake"):
        S3Sink(boto3.client("s3"), "no-lake").put(path, "x")

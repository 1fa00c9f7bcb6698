"""The fake bucket and S3 behave alike."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from cloudspend.errors import DeliveryError, PermissionDenied, TransientError
from cloudspend.exports.aws import S3CustomerBucket
from cloudspend.exports.ports import CustomerBucket
from tests.fakes.exports import FakeCustomerBucket

BUCKET = "cost-bucket"
Put = Callable[[str, bytes], object]


@pytest.fixture(params=["fake", "s3"])
def objects(request: pytest.FixtureRequest) -> Iterator[tuple[CustomerBucket, Put]]:
    if request.param == "fake":
        fake = FakeCustomerBucket()
        fake.put(BUCKET, "kept/always", b"")
        yield fake, lambda key, body: fake.put(BUCKET, key, body)
        return
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield (
            S3CustomerBucket(client),
            lambda key, body: client.put_object(Bucket=BUCKET, Key=key, Body=body),
        )


def test_head_and_read_tell_the_same(objects: tuple[CustomerBucket, Put]) -> None:
    bucket, put = objects
    put("a/file", b"content")
    stored = bucket.head(BUCKET, "a/file")
    assert stored is not None
    assert (stored.size, stored.etag) == (7, "9a0364b9e99bb480dd25e1f0284c8555")
    assert stored.modified.utcoffset() is not None
    assert bucket.read(BUCKET, "a/file", 7) == (stored, b"content")


def test_what_is_absent_is_none(objects: tuple[CustomerBucket, Put]) -> None:
    bucket, _ = objects
    assert bucket.head(BUCKET, "gone") is None
    assert bucket.read(BUCKET, "gone", 10) is None


def test_too_large_is_refused(objects: tuple[CustomerBucket, Put]) -> None:
    bucket, put = objects
    put("a/file", b"content")
    with pytest.raises(DeliveryError, match="larger than 6"):
        bucket.read(BUCKET, "a/file", 6)


def test_folders_are_listed_to_the_last_page_and_no_deeper(
    objects: tuple[CustomerBucket, Put],
) -> None:
    bucket, put = objects
    for number in range(1005):
        put(f"many/{number:04d}/deeper/file", b"")
    put("many/file", b"")
    put("many/0000/deeper/another", b"")
    put("manyfold/file", b"")
    found = list(bucket.folders(BUCKET, "many/"))
    assert found == [f"many/{number:04d}/" for number in range(1005)]


def test_a_bucket_that_is_not_there_is_named(objects: tuple[CustomerBucket, Put]) -> None:
    bucket, _ = objects
    with pytest.raises(DeliveryError, match="no-such-bucket"):
        list(bucket.folders("no-such-bucket", ""))


READS: list[tuple[str, Callable[[CustomerBucket], object]]] = [
    ("head_object", lambda bucket: bucket.head(BUCKET, "a/key")),
    ("get_object", lambda bucket: bucket.read(BUCKET, "a/key", 1)),
]


@pytest.mark.parametrize(("operation", "call"), READS)
def test_what_is_denied_but_not_listed_is_absent(
    operation: str, call: Callable[[CustomerBucket], object]
) -> None:
    """S3 denies an absent object to a role that may list only a prefix."""
    client: Any = boto3.client("s3")
    with Stubber(client) as stub:
        stub.add_client_error(operation, "AccessDenied", http_status_code=403)
        stub.add_response("list_objects_v2", {"Contents": [{"Key": "a/key-of-another"}]})
        assert call(S3CustomerBucket(client)) is None


@pytest.mark.parametrize(("operation", "call"), READS)
@pytest.mark.parametrize("listing", ["shows it", "is denied"])
def test_what_is_denied_and_there_is_denied(
    operation: str, call: Callable[[CustomerBucket], object], listing: str
) -> None:
    client: Any = boto3.client("s3")
    with Stubber(client) as stub:
        stub.add_client_error(operation, "AccessDenied", http_status_code=403)
        if listing == "shows it":
            stub.add_response("list_objects_v2", {"Contents": [{"Key": "a/key"}]})
        else:
            stub.add_client_error("list_objects_v2", "AccessDenied", http_status_code=403)
        with pytest.raises(PermissionDenied):
            call(S3CustomerBucket(client))


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [("AccessDenied", 403, PermissionDenied), ("SlowDown", 503, TransientError)],
)
def test_s3_errors_of_a_listing_say_who_must_act(
    code: str, status: int, expected: type[Exception]
) -> None:
    client: Any = boto3.client("s3")
    with Stubber(client) as stub:
        stub.add_client_error("list_objects_v2", code, http_status_code=status)
        with pytest.raises(expected):
            list(S3CustomerBucket(client).folders(BUCKET, ""))


@pytest.mark.parametrize(("operation", "call"), READS)
def test_a_read_that_s3_puts_off_is_tried_later(
    operation: str, call: Callable[[CustomerBucket], object]
) -> None:
    client: Any = boto3.client("s3")
    with Stubber(client) as stub:
        stub.add_client_error(operation, "SlowDown", http_status_code=503)
        with pytest.raises(TransientError):
            call(S3CustomerBucket(client))

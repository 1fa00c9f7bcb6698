"""Manifests: what is read, what is refused, and which copy counts."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cloudspend.accounts.model import Export, ExportKind
from cloudspend.errors import DeliveryError, UsageError
from cloudspend.exports.deliveries import newest_deliveries, planned_files, read_delivery
from cloudspend.exports.manifest import MANIFEST_LIMIT, is_manifest_of, parse_manifest
from cloudspend.exports.model import BillingPeriod
from tests.fakes.accounts import an_account
from tests.fakes.exports import DELIVERED, FakeCustomerBucket, legacy_manifest

BUCKET = "cost-bucket"
ACCOUNT = replace(
    an_account(), export=Export(ExportKind.CUR_LEGACY, BUCKET, "cloudspend", "cloudspend-cur")
)
FOLDER = "cloudspend/cloudspend-cur/20261001-20261101"
ASSEMBLY = f"{FOLDER}/aaaa-1"
KEY = f"{ASSEMBLY}/cloudspend-cur-Manifest.json"
LATEST = f"{FOLDER}/cloudspend-cur-Manifest.json"
FILE = f"{ASSEMBLY}/cloudspend-cur-00001.csv.gz"


def parsed(**changes: Any) -> Any:
    body = legacy_manifest("aaaa-1", "20261001", [FILE], **changes)
    return parse_manifest(ACCOUNT, BUCKET, KEY, body, DELIVERED)


def test_reads_what_aws_writes() -> None:
    delivery = parsed()
    assert delivery.period == BillingPeriod(2026, 10)
    assert (delivery.delivery_id, delivery.delivered_at) == ("aaaa-1", DELIVERED)
    assert (delivery.file_keys, delivery.compression) == ((FILE,), "gzip")
    assert delivery.columns == {"lineItem/UnblendedCost": "BigDecimal"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"assemblyId": ""}, "assemblyId"),
        ({"billingPeriod": {}}, "billingPeriod.start"),
        ({"billingPeriod": {"start": "October"}}, "October"),
        ({"reportKeys": ""}, "reportKeys"),
        ({"reportKeys": []}, "no files"),
        ({"reportKeys": [7]}, "outside"),
        ({"reportKeys": ["elsewhere/file.csv.gz"]}, "elsewhere/file.csv.gz"),
        ({"reportKeys": ["cloudspend/cloudspend-cur/../secret.csv.gz"]}, "secret"),
        ({"reportKeys": ["cloudspend/cloudspend-current/file.csv.gz"]}, "outside"),
        ({"compression": "Parquet"}, "Parquet"),
        ({"bucket": "another-bucket"}, "another-bucket"),
        ({"account": "222222222222"}, "222222222222"),
    ],
)
def test_refuses_what_is_missing_or_points_elsewhere(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        parsed(**changes)
    assert said in caught.value.summary
    assert KEY in caught.value.summary


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"0" * (MANIFEST_LIMIT + 1)])
def test_refuses_what_is_no_manifest(body: bytes) -> None:
    with pytest.raises(DeliveryError, match=r"cloudspend-cur-Manifest\.json"):
        parse_manifest(ACCOUNT, BUCKET, KEY, body, DELIVERED)


def test_other_kinds_are_not_read_yet() -> None:
    account = replace(ACCOUNT, export=replace(ACCOUNT.export, kind=ExportKind.CUR_2_0))
    with pytest.raises(UsageError, match="CUR_2_0"):
        parse_manifest(account, BUCKET, KEY, b"{}", DELIVERED)


@pytest.mark.parametrize(
    ("bucket", "key", "expected"),
    [
        (BUCKET, KEY, True),
        (BUCKET, LATEST, True),
        ("another-bucket", KEY, False),
        (BUCKET, FILE, False),
        (BUCKET, KEY.replace("cloudspend/", "other/", 1), False),
        (BUCKET, f"{FOLDER}/other-Manifest.json", False),
        (BUCKET, f"{FOLDER}/../cloudspend-cur-Manifest.json", False),
    ],
)
def test_knows_a_manifest_by_its_name(bucket: str, key: str, expected: bool) -> None:
    assert is_manifest_of(ACCOUNT, bucket, key) is expected


@pytest.fixture
def bucket() -> FakeCustomerBucket:
    fake = FakeCustomerBucket()
    body = legacy_manifest("aaaa-1", "20261001", [FILE])
    fake.put(BUCKET, FILE, b"data")
    fake.put(BUCKET, KEY, body, DELIVERED)
    fake.put(BUCKET, LATEST, body, DELIVERED + timedelta(seconds=3))
    return fake


def test_both_copies_of_a_manifest_are_one_delivery(bucket: FakeCustomerBucket) -> None:
    first = read_delivery(ACCOUNT, bucket, BUCKET, KEY)
    second = read_delivery(ACCOUNT, bucket, BUCKET, LATEST)
    assert first == second
    assert (second.manifest_key, second.delivered_at) == (KEY, DELIVERED)


def test_without_the_assemblys_copy_the_other_counts(bucket: FakeCustomerBucket) -> None:
    alone = FakeCustomerBucket()
    alone.put(BUCKET, LATEST, legacy_manifest("aaaa-1", "20261001", [FILE]))
    assert read_delivery(ACCOUNT, alone, BUCKET, LATEST).manifest_key == LATEST


@pytest.mark.parametrize("key", [FILE, f"{FOLDER}/bbbb/cloudspend-cur-Manifest.json"])
def test_no_delivery_without_a_manifest(bucket: FakeCustomerBucket, key: str) -> None:
    with pytest.raises(DeliveryError, match=key):
        read_delivery(ACCOUNT, bucket, BUCKET, key)


def test_plans_files_as_they_are_and_as_often_as_listed(bucket: FakeCustomerBucket) -> None:
    delivery = replace(read_delivery(ACCOUNT, bucket, BUCKET, KEY), file_keys=(FILE, FILE))
    stored = bucket.head(BUCKET, FILE)
    assert stored is not None
    files = planned_files(delivery, bucket)
    assert [(file.key, file.etag, file.size) for file in files] == [(FILE, stored.etag, 4)] * 2


def test_a_missing_file_is_named(bucket: FakeCustomerBucket) -> None:
    gone = f"{ASSEMBLY}/cloudspend-cur-00002.csv.gz"
    delivery = replace(read_delivery(ACCOUNT, bucket, BUCKET, KEY), file_keys=(FILE, gone))
    with pytest.raises(DeliveryError) as caught:
        planned_files(delivery, bucket)
    assert caught.value.details["file"] == f"s3://{BUCKET}/{gone}"


def test_newest_delivery_of_each_period(bucket: FakeCustomerBucket) -> None:
    september = "cloudspend/cloudspend-cur/20260901-20261001"
    for number, assembly in enumerate(["old", "new"]):
        key = f"{september}/{assembly}/cloudspend-cur-Manifest.json"
        body = legacy_manifest(assembly, "20260901", [f"{september}/{assembly}/1.csv.gz"])
        bucket.put(BUCKET, key, body, DELIVERED + timedelta(hours=number))
    found = newest_deliveries(ACCOUNT, bucket)
    assert [(str(each.period), each.delivery_id) for each in found] == [
        ("2026-09", "new"),
        ("2026-10", "aaaa-1"),
    ]
    october = BillingPeriod(2026, 10)
    assert newest_deliveries(ACCOUNT, bucket, since=october) == found[1:]
    assert newest_deliveries(ACCOUNT, bucket, period=BillingPeriod(2026, 9)) == found[:1]

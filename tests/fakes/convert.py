"""Delivered files and the lake in memory, and a small legacy bill to deliver."""

import csv
import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.model import ConversionTask
from cloudspend.convert.ports import ByteStream
from cloudspend.errors import DeliveryError, DeliveryReplaced
from cloudspend.exports.model import BillingPeriod, DeliveredFile

BUCKET = "cost-bucket"
OCTOBER = BillingPeriod(2026, 10)

USAGE: Mapping[str, str] = {
    "bill/PayerAccountId": "111111111111",
    "bill/BillingPeriodStartDate": "2026-10-01T00:00:00Z",
    "bill/BillingPeriodEndDate": "2026-11-01T00:00:00Z",
    "bill/BillType": "Anniversary",
    "bill/BillingEntity": "AWS",
    "lineItem/UsageAccountId": "022222222222",
    "lineItem/LineItemType": "Usage",
    "lineItem/UsageStartDate": "2026-10-05T01:00:00Z",
    "lineItem/UsageEndDate": "2026-10-05T02:00:00Z",
    "lineItem/ProductCode": "AmazonEC2",
    "lineItem/UsageType": "BoxUsage:m5.large",
    "lineItem/Operation": "RunInstances",
    "lineItem/ResourceId": "i-0123456789abcdef0",
    "lineItem/UsageAmount": "1",
    "lineItem/CurrencyCode": "USD",
    "lineItem/UnblendedRate": "0.096",
    "lineItem/UnblendedCost": "0.0960000000",
    "lineItem/LegalEntity": "Amazon Web Services, Inc.",
    "product/ProductName": "Amazon Elastic Compute Cloud",
    "product/region": "eu-central-1",
    "product/location": "EU (Frankfurt)",
    "pricing/unit": "Hrs",
    "pricing/publicOnDemandCost": "0.0960000000",
    "pricing/publicOnDemandRate": "0.0960000000",
    "resourceTags/user:Name": "web",
    "resourceTags/aws:createdBy": "",
    "costCategory/Team": "shop",
}


class FakeSource:
    """Files by key; `etag` is what the plan must have seen."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[bytes, str]] = {}

    def put(self, key: str, body: bytes, etag: str = "planned") -> DeliveredFile:
        self.files[key] = (body, etag)
        return DeliveredFile(BUCKET, key, "planned", len(body))

    @contextmanager
    def open(self, file: DeliveredFile) -> Iterator[ByteStream]:
        place = f"s3://{file.bucket}/{file.key}"
        if file.key not in self.files:
            raise DeliveryError(f"{place} is not there.", file=place)
        body, etag = self.files[file.key]
        if etag != file.etag:
            raise DeliveryReplaced(f"{place} was replaced.", file=place)
        yield io.BytesIO(body)


class FakeSink:
    """Objects by key."""

    def __init__(self, bucket: str = "lake") -> None:
        self.bucket = bucket
        self.objects: dict[str, bytes] = {}

    def put(self, path: Path, key: str) -> None:
        self.objects[key] = path.read_bytes()


def rows(*changes: Mapping[str, str]) -> list[dict[str, str]]:
    """One usage row for each of `changes`, with those values changed."""
    return [{**USAGE, **change} for change in changes]


def csv_of(lines: Sequence[Mapping[str, str]], names: Sequence[str] | None = None) -> bytes:
    text = io.StringIO()
    every = dict.fromkeys(name for line in lines for name in line)
    writer = csv.DictWriter(text, names or list(every), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue().encode()


def a_task(*files: DeliveredFile, compression: str = "gzip") -> ConversionTask:
    return ConversionTask(
        "111111111111",
        OCTOBER,
        "20261103T063000Z-aaaaaaaa",
        0,
        ExportKind.CUR_LEGACY,
        compression,
        files,
    )


def gzipped(lines: Sequence[Mapping[str, str]]) -> bytes:
    return gzip.compress(csv_of(lines))

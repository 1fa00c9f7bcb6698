"""A customer's bucket in memory."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from cloudspend.errors import DeliveryError
from cloudspend.exports.ports import StoredObject

DELIVERED = datetime(2026, 11, 3, 6, 30, tzinfo=UTC)


class FakeCustomerBucket:
    """Objects by bucket and key; it knows the buckets that something was put into."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], tuple[bytes, datetime]] = {}

    def put(self, bucket: str, key: str, body: bytes, modified: datetime = DELIVERED) -> None:
        self._objects[bucket, key] = (body, modified)

    def head(self, bucket: str, key: str) -> StoredObject | None:
        found = self._objects.get((bucket, key))
        if found is None:
            return None
        body, modified = found
        digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
        return StoredObject(bucket, key, digest, len(body), modified)

    def read(self, bucket: str, key: str, limit: int) -> tuple[StoredObject, bytes] | None:
        stored = self.head(bucket, key)
        if stored is None:
            return None
        if stored.size > limit:
            raise DeliveryError(f"s3://{bucket}/{key} is larger than {limit} bytes.")
        return stored, self._objects[bucket, key][0]

    def folders(self, bucket: str, folder: str) -> Iterator[str]:
        if not any(held == bucket for held, _ in self._objects):
            raise DeliveryError(f"s3://{bucket} is not there.")
        below = {
            folder + key.removeprefix(folder).partition("/")[0] + "/"
            for held, key in self._objects
            if held == bucket and key.startswith(folder) and "/" in key.removeprefix(folder)
        }
        yield from sorted(below)


def legacy_manifest(assembly: str, month: str, keys: list[str], **changes: Any) -> bytes:
    """A manifest as AWS writes it; `month` is `yyyymm01`."""
    content: dict[str, Any] = {
        "assemblyId": assembly,
        "account": "111111111111",
        "columns": [{"category": "lineItem", "name": "UnblendedCost", "type": "BigDecimal"}],
        "compression": "GZIP",
        "contentType": "text/csv",
        "billingPeriod": {"start": f"{month}T000000.000Z", "end": "ignored"},
        "bucket": "cost-bucket",
        "reportKeys": keys,
    }
    content.update(changes)
    return json.dumps({name: value for name, value in content.items() if value != ""}).encode()


def export_manifest(
    execution: str, names: Iterable[str], files: list[Any], **changes: Any
) -> bytes:
    """A manifest of AWS Data Exports."""
    content: dict[str, Any] = {
        "exportArn": "arn:aws:bcm-data-exports:us-east-1:111111111111:export/cloudspend-1",
        "executionId": execution,
        "columns": [{"name": name, "type": "string"} for name in names],
        "dataFiles": files,
    }
    content.update(changes)
    return json.dumps({name: value for name, value in content.items() if value != ""}).encode()

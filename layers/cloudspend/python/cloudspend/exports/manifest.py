"""Manifests of every export kind, and which of a customer's objects is one.

A manifest is input from outside: it is read leniently, but whatever it names must lie in the
export's own bucket and prefix, because CloudSpend reads what it names with the customer's role.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cloudspend.accounts.model import Account, ExportKind
from cloudspend.errors import DeliveryError, UsageError
from cloudspend.exports import legacy
from cloudspend.exports.fields import inside
from cloudspend.exports.model import Delivery

# AWS lists each file and each column once: a bill of ten thousand files stays below this.
MANIFEST_LIMIT = 16 * 1024 * 1024

Reader = Callable[[Account, str, str, Mapping[str, Any], datetime], Delivery]

READERS: Mapping[ExportKind, Reader] = {ExportKind.CUR_LEGACY: legacy.read}


def is_manifest_of(account: Account, bucket: str, key: str) -> bool:
    """Whether an object of this name can be a manifest of the account's export."""
    export = account.export
    return (
        bucket == export.bucket
        and inside(export, key)
        and key.rsplit("/", 1)[-1] == f"{export.name}{legacy.SUFFIX}"
    )


def parse_manifest(
    account: Account, bucket: str, key: str, body: bytes, delivered_at: datetime
) -> Delivery:
    """Read a manifest of the account's export. Raises DeliveryError, naming what is wrong."""
    manifest = f"s3://{bucket}/{key}"
    if len(body) > MANIFEST_LIMIT:
        raise DeliveryError(
            f"The manifest {manifest} has {len(body)} bytes, more than {MANIFEST_LIMIT}.",
            remedy="Deliver the report again.",
            manifest=manifest,
        )
    try:
        content = json.loads(body)
    except ValueError as error:
        raise DeliveryError(
            f"The manifest {manifest} is not JSON: {error}.",
            remedy="Wait for AWS's next delivery, or have the report delivered again.",
            manifest=manifest,
        ) from error
    if not isinstance(content, dict):
        raise DeliveryError(f"The manifest {manifest} is not a JSON object.", manifest=manifest)
    return _reader(account)(account, bucket, key, content, delivered_at)


def _reader(account: Account) -> Reader:
    kind = account.export.kind
    if kind not in READERS:
        raise UsageError(
            f"Exports of kind {kind} cannot be read yet.",
            remedy=f"Use one of: {', '.join(READERS)}.",
        )
    return READERS[kind]

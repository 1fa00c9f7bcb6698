"""Handle an S3 event: start Ingest if the new object is a manifest of an active account."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudspend.accounts.model import Account
from cloudspend.accounts.ports import AccountReader
from cloudspend.alerts.event import Bus
from cloudspend.errors import CustomerActionError, UsageError
from cloudspend.exports.deliveries import is_manifest_of, read_delivery
from cloudspend.ingest.failure import failed_event, failure_of
from cloudspend.ingest.start import IngestRequest, OpenBucket, start_ingest
from cloudspend.lake.ports import Executions

MAX_KEY = 1024  # Bytes; the longest S3 key.


@dataclass(frozen=True)
class Announced:
    """Whether the event started Ingest, and why or why not."""

    started: bool
    reason: str


def announce(
    event: Mapping[str, Any],
    registry: AccountReader,
    open_bucket: OpenBucket,
    executions: Executions,
    bus: Bus,
) -> Announced:
    """Start Ingest for the manifest that an S3 "Object Created" event names.

    Anyone can send an event. It is accepted only if account, bucket and key match an active
    account's export, and the manifest is read with the customer's role. An unreadable manifest is
    reported as IngestFailed. Raises TransientError.
    """
    try:
        account, bucket, key = _claimed(event, registry)
    except UsageError as error:
        return Announced(started=False, reason=error.summary)
    if not is_manifest_of(account, bucket, key):
        return Announced(started=False, reason=f"s3://{bucket}/{key} is no manifest of the export.")
    try:
        delivery = read_delivery(account, open_bucket(account), bucket, key)
    except CustomerActionError as error:
        failure = failure_of(error)
        bus.put(failed_event(account, None, None, failure))
        return Announced(started=False, reason=error.summary)
    started = start_ingest(IngestRequest.of(delivery), executions)
    return Announced(started.started, started.reason)


def _claimed(event: Mapping[str, Any], registry: AccountReader) -> tuple[Account, str, str]:
    """Return the active account that the event names, with bucket and key. Raises UsageError."""
    detail = _mapping(event.get("detail"))
    account_id = event.get("account")
    bucket = _mapping(detail.get("bucket")).get("name")
    key = _mapping(detail.get("object")).get("key")
    if not (isinstance(account_id, str) and isinstance(bucket, str) and isinstance(key, str)):
        raise UsageError("The event is not S3's: it lacks the account, the bucket or the key.")
    if not account_id.isdecimal() or len(key.encode()) > MAX_KEY:
        raise UsageError("The event is not S3's: no such account or key can be.")
    account = registry.get(account_id)
    if not account.is_ingesting:
        raise UsageError(f"The account {account_id} is {account.state}, not active.")
    return account, bucket, key


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

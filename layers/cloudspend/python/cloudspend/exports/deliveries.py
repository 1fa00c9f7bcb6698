"""Deliveries in a customer's bucket: one by its manifest, its files, and the newest of each month.

Which files a delivery has is only ever taken from its manifest, never from a listing: a listing
holds files of other deliveries too.
"""

from cloudspend.accounts.model import Account
from cloudspend.errors import DeliveryError
from cloudspend.exports import legacy
from cloudspend.exports.fields import folder_of
from cloudspend.exports.manifest import MANIFEST_LIMIT, is_manifest_of, parse_manifest
from cloudspend.exports.model import BillingPeriod, DeliveredFile, Delivery
from cloudspend.exports.ports import CustomerBucket

__all__ = ["is_manifest_of", "newest_deliveries", "planned_files", "read_delivery"]


def read_delivery(account: Account, objects: CustomerBucket, bucket: str, key: str) -> Delivery:
    """The delivery of a manifest; both copies of a legacy manifest lead to the same delivery.

    Raises DeliveryError when the manifest is missing or cannot be read.
    """
    if not is_manifest_of(account, bucket, key):
        raise DeliveryError(
            f"s3://{bucket}/{key} is not a manifest of account {account.account_id}'s export.",
            remedy="Check the export's bucket, prefix and name.",
            manifest=f"s3://{bucket}/{key}",
        )
    delivery = _read(account, objects, bucket, key)
    if delivery is None:
        raise _missing_manifest(bucket, key)
    canonical = legacy.canonical_key(account, delivery)
    if canonical == key:
        return delivery
    # While AWS writes the assembly's copy a moment later or not at all, the one at hand counts.
    return _read(account, objects, bucket, canonical) or delivery


def planned_files(delivery: Delivery, objects: CustomerBucket) -> tuple[DeliveredFile, ...]:
    """The delivery's files as they are now, in the manifest's order and as often as it lists them.

    Raises DeliveryError that names the first file which is not there.
    """
    found: dict[str, DeliveredFile] = {}
    for key in delivery.file_keys:
        if key not in found:
            found[key] = _planned(delivery, objects, key)
    return tuple(found[key] for key in delivery.file_keys)


def newest_deliveries(
    account: Account,
    objects: CustomerBucket,
    since: BillingPeriod | None = None,
    period: BillingPeriod | None = None,
) -> list[Delivery]:
    """The newest delivery of each billing period, oldest period first.

    Only periods from `since` on, and only `period` where one is given.
    """
    newest: dict[BillingPeriod, Delivery] = {}
    for key in _manifest_keys(account, objects):
        delivery = read_delivery(account, objects, account.export.bucket, key)
        held = newest.get(delivery.period)
        if held is None or held.generation < delivery.generation:
            newest[delivery.period] = delivery
    return [
        newest[each]
        for each in sorted(newest)
        if (since is None or each >= since) and (period is None or each == period)
    ]


def _manifest_keys(account: Account, objects: CustomerBucket) -> list[str]:
    """One manifest per date range: the copy that AWS overwrites with the newest, where there is."""
    bucket = account.export.bucket
    keys = [
        found.key
        for found in objects.list(bucket, folder_of(account.export))
        if is_manifest_of(account, bucket, found.key)
    ]
    latest = {key for key in keys if legacy.is_latest_copy(account, key)}
    covered = {key.rsplit("/", 1)[0] for key in latest}
    return [key for key in keys if key in latest or key.rsplit("/", 2)[0] not in covered]


def _read(account: Account, objects: CustomerBucket, bucket: str, key: str) -> Delivery | None:
    found = objects.read(bucket, key, MANIFEST_LIMIT)
    if found is None:
        return None
    stored, body = found
    return parse_manifest(account, bucket, key, body, stored.modified)


def _planned(delivery: Delivery, objects: CustomerBucket, key: str) -> DeliveredFile:
    bucket = delivery.manifest_bucket
    stored = objects.head(bucket, key)
    if stored is None:
        manifest = f"s3://{delivery.manifest_bucket}/{delivery.manifest_key}"
        raise DeliveryError(
            f"The file s3://{bucket}/{key} is named in the manifest {manifest} but is not there.",
            remedy="Restore the file, or have AWS deliver the report again.",
            file=f"s3://{bucket}/{key}",
            manifest=manifest,
        )
    return DeliveredFile(stored.bucket, stored.key, stored.etag, stored.size)


def _missing_manifest(bucket: str, key: str) -> DeliveryError:
    return DeliveryError(
        f"The manifest s3://{bucket}/{key} is not there.",
        remedy="Have AWS deliver the report again.",
        manifest=f"s3://{bucket}/{key}",
    )

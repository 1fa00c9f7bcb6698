"""Deliveries in a customer's bucket: one by its manifest, its files, and the newest of each month.

The files of a delivery come from its manifest, never from a listing: a listing also contains files
of other deliveries.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cloudspend.accounts.model import Account, Export
from cloudspend.errors import DeliveryError
from cloudspend.exports.layout import (
    METADATA,
    folder_of,
    inside,
    manifest_name,
    months_of,
    own_manifest,
    period_of,
)
from cloudspend.exports.manifest import MANIFEST_LIMIT, delivery_of, is_manifest_of
from cloudspend.exports.model import BillingPeriod, DeliveredFile, Delivery
from cloudspend.exports.ports import CustomerBucket, StoredObject

__all__ = ["Deliveries", "is_manifest_of", "newest_deliveries", "planned_files", "read_delivery"]

Wanted = Callable[[BillingPeriod], bool]


@dataclass(frozen=True)
class Unreadable:
    """A manifest of `period` that cannot be read, and why."""

    period: BillingPeriod
    manifest_key: str
    error: DeliveryError


@dataclass(frozen=True)
class Deliveries:
    """The newest delivery of each period, newest period first, and the unreadable manifests of
    periods without one.
    """

    newest: tuple[Delivery, ...]
    unreadable: tuple[Unreadable, ...]


def read_delivery(account: Account, objects: CustomerBucket, bucket: str, key: str) -> Delivery:
    """Read the delivery of a manifest. Every copy of a manifest gives the same delivery.

    Raises DeliveryError when the manifest is missing, unreadable or not of this export.
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
    own = own_manifest(account.export, delivery.file_keys[0], delivery.delivery_id)
    if own in (None, key):
        return delivery
    # AWS may write the delivery's own copy a moment later or never; until then, use this copy.
    kept = _read(account, objects, bucket, own)
    return kept if kept and kept.delivery_id == delivery.delivery_id else delivery


def planned_files(delivery: Delivery, objects: CustomerBucket) -> tuple[DeliveredFile, ...]:
    """Return the delivery's files as they are now, in the manifest's order and number.

    Raises DeliveryError that names the first missing file.
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
) -> Deliveries:
    """Return the newest delivery of each billing period from `since` on, or of `period` alone.

    Lists folders but never data files, and reads no manifests of other periods.
    """

    def wanted(each: BillingPeriod) -> bool:
        return (since is None or each >= since) and (period is None or each == period)

    newest: dict[BillingPeriod, Delivery] = {}
    unreadable = []
    for there, folder in _period_folders(account.export, objects, wanted):
        for stored in _manifests(account.export, objects, folder):
            try:
                delivery = read_delivery(account, objects, stored.bucket, stored.key)
            except DeliveryError as error:
                unreadable.append(Unreadable(there, stored.key, error))
                continue
            held = newest.get(delivery.period)
            if wanted(delivery.period) and (held is None or held.generation < delivery.generation):
                newest[delivery.period] = delivery
    return Deliveries(
        tuple(newest[each] for each in sorted(newest, reverse=True)),
        tuple(
            sorted(
                (each for each in unreadable if each.period not in newest),
                key=lambda each: each.period,
                reverse=True,
            )
        ),
    )


def latest_manifests(
    account: Account, objects: CustomerBucket, wanted: Wanted
) -> dict[BillingPeriod, StoredObject]:
    """Return the newest manifest of each wanted billing period, without reading it or listing data
    files.
    """
    latest: dict[BillingPeriod, StoredObject] = {}
    for period, folder in _period_folders(account.export, objects, wanted):
        for stored in _manifests(account.export, objects, folder):
            held = latest.get(period)
            if held is None or held.modified < stored.modified:
                latest[period] = stored
    return latest


def _period_folders(
    export: Export, objects: CustomerBucket, wanted: Wanted
) -> Iterator[tuple[BillingPeriod, str]]:
    """Yield every folder of a wanted period that can contain manifests, in any of AWS's layouts."""
    top = folder_of(export)
    places = [top, f"{top}{METADATA}", *objects.folders(export.bucket, months_of(export))]
    for place in places:
        for folder in objects.folders(export.bucket, place):
            period = period_of(folder)
            if period is not None and inside(export, folder[:-1]) and wanted(period):
                yield period, folder


def _manifests(export: Export, objects: CustomerBucket, folder: str) -> Iterator[StoredObject]:
    """Yield the copy that AWS overwrites with the newest; if there is none, the manifests of each
    delivery.
    """
    name = manifest_name(export)
    latest = objects.head(export.bucket, folder + name)
    if latest:
        yield latest
    elif not folder.startswith(months_of(export)):
        yield from _own_manifests(export, objects, folder)


def _own_manifests(export: Export, objects: CustomerBucket, folder: str) -> Iterator[StoredObject]:
    for below in objects.folders(export.bucket, folder):
        own = objects.head(export.bucket, below + manifest_name(export))
        if own:
            yield own


def _read(account: Account, objects: CustomerBucket, bucket: str, key: str) -> Delivery | None:
    found = objects.read(bucket, key, MANIFEST_LIMIT)
    return None if found is None else delivery_of(account, *found)


def _planned(delivery: Delivery, objects: CustomerBucket, key: str) -> DeliveredFile:
    bucket = delivery.manifest_bucket
    stored = objects.head(bucket, key)
    if stored is None:
        manifest = f"s3://{delivery.manifest_bucket}/{delivery.manifest_key}"
        raise DeliveryError(
            f"The file s3://{bucket}/{key} is named in the manifest {manifest} but is not there.",
            remedy="Restore the file, or have AWS deliver the export again.",
            file=f"s3://{bucket}/{key}",
            manifest=manifest,
        )
    return DeliveredFile(stored.bucket, stored.key, stored.etag, stored.size)


def _missing_manifest(bucket: str, key: str) -> DeliveryError:
    return DeliveryError(
        f"The manifest s3://{bucket}/{key} is not there.",
        remedy="Have AWS deliver the export again.",
        manifest=f"s3://{bucket}/{key}",
    )

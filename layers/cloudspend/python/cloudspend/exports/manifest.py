"""Manifests of every export kind.

A manifest is external input. It is read leniently, but every file that it lists must be in the
export's own bucket and folder, because CloudSpend reads these files with the customer's role.
`read_manifest` parses a manifest; `delivery_of` checks that it is a delivery of an account.
"""

import json
from collections.abc import Callable, Iterable
from itertools import islice

from cloudspend.accounts.model import Account
from cloudspend.errors import DeliveryError
from cloudspend.exports import data_exports, legacy
from cloudspend.exports.fields import Fields, wrong
from cloudspend.exports.kinds import NAMES, named
from cloudspend.exports.layout import folder_of, inside, manifest_name, period_of
from cloudspend.exports.model import Delivery, Manifest, NamedFile
from cloudspend.exports.ports import StoredObject

# AWS lists each file and column once: a bill of ten thousand files stays below this.
MANIFEST_LIMIT = 16 * 1024 * 1024
# Keys of a JSON object that is not a manifest, as many as an error names.
KEYS_SHOWN = 10
KEY_LENGTH = 60


def is_manifest_of(account: Account, bucket: str, key: str) -> bool:
    """Return whether an object of this name can be a manifest of the account's export."""
    export = account.export
    return (
        bucket == export.bucket
        and inside(export, key)
        and key.rsplit("/", 1)[-1] == manifest_name(export)
    )


def read_manifest(place: str, body: bytes) -> Manifest:
    """Parse the manifest at `place` (its URI or path), of any account.

    Raises DeliveryError that names the manifest and its flaw.
    """
    content = _json_object(place, body)
    manifest = _reader(place, content)(Fields(place, content))
    if not manifest.kinds:
        raise wrong(
            place, f"has {_columns(manifest)}, which are those of no cost export that can be read"
        )
    return manifest


def delivery_of(account: Account, stored: StoredObject, body: bytes) -> Delivery:
    """Return the account's delivery that a manifest describes.

    Raises DeliveryError for a manifest that cannot be parsed, for another kind than the configured
    one, and for files in other places.
    """
    place = f"s3://{stored.bucket}/{stored.key}"
    manifest = read_manifest(place, body)
    _check_kind(account, place, manifest)
    _check_origin(account, place, manifest)
    return Delivery(
        account_id=account.account_id,
        kind=account.export.kind,
        period=manifest.period,
        # The ETag changes with each delivery and is the same for every reader.
        delivery_id=manifest.delivery_id or f"etag-{stored.etag}",
        delivered_at=stored.modified,
        manifest_bucket=stored.bucket,
        manifest_key=stored.key,
        file_keys=tuple(_own(account, place, manifest, file) for file in manifest.files),
        compression=manifest.compression,
        columns=manifest.columns,
    )


def _json_object(place: str, body: bytes) -> dict[str, object]:
    if len(body) > MANIFEST_LIMIT:
        raise wrong(place, f"has {len(body)} bytes, more than {MANIFEST_LIMIT}")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise DeliveryError(
            f"The manifest {place} is not JSON: {error}.",
            remedy="Wait for AWS's next delivery, or have the export delivered again.",
            manifest=place,
        ) from error
    if not isinstance(content, dict):
        raise wrong(place, "is not a JSON object")
    return content


def _reader(place: str, content: dict[str, object]) -> Callable[[Fields], Manifest]:
    if data_exports.FILES in content:
        return data_exports.read
    if legacy.FILES in content:
        return legacy.read
    raise wrong(
        place,
        f"names neither {legacy.FILES} (legacy Cost and Usage Report) nor {data_exports.FILES} "
        f"(Data Exports), but {_some(content) or 'nothing'}",
    )


def _check_kind(account: Account, place: str, manifest: Manifest) -> None:
    """Check the kind: the paths and names of the kinds are similar and often confused."""
    kind = account.export.kind
    if kind in manifest.kinds:
        return
    found = sorted(manifest.kinds)
    raise wrong(
        place,
        f"is of {named(manifest.kinds)} (it has {manifest.form} and {_columns(manifest)}), but the "
        f"account {account.account_id} is configured for {NAMES[kind]} ({kind})",
        f"If AWS delivers what is wanted, update the CloudSpend stack in the account with "
        f"ExportKind {' or '.join(found)}; otherwise have {NAMES[kind]} delivered to this place.",
        found=" or ".join(found),
        expected=str(kind),
    )


def _check_origin(account: Account, place: str, manifest: Manifest) -> None:
    # A linked account's report names the linked account, a payer's the payer: always the owner.
    owner = manifest.account_id or account.account_id
    if owner != account.account_id:
        raise wrong(place, f"is of account {owner}, not of {account.account_id}", value=owner)
    bucket = manifest.bucket or account.export.bucket
    if bucket != account.export.bucket:
        raise wrong(place, f"names the bucket {bucket}, not {account.export.bucket}", value=bucket)


def _own(account: Account, place: str, manifest: Manifest, file: NamedFile) -> str:
    """Return the key of a listed file, which must be in the export's bucket, folder and period."""
    export = account.export
    if (file.bucket or export.bucket) != export.bucket:
        raise _foreign(place, f"outside the bucket {export.bucket}", file)
    if not inside(export, file.key):
        raise _foreign(place, f"outside the export's folder {folder_of(export)}", file)
    if period_of(file.key) not in (None, manifest.period):
        raise _foreign(place, f"of another period than {manifest.period}", file)
    return file.key


def _foreign(place: str, how: str, file: NamedFile) -> DeliveryError:
    return wrong(place, f"names a file {how}: {file}", file=str(file))


def _columns(manifest: Manifest) -> str:
    return f"columns like {_some(manifest.columns)}" if manifest.columns else "no columns"


def _some(names: Iterable[str]) -> str:
    """Return the first few names for a sentence, as JSON."""
    shown = (json.dumps(name[:KEY_LENGTH]).strip('"') for name in islice(names, KEYS_SHOWN))
    return ", ".join(shown)

"""The legacy Cost and Usage Report (`cur` API).

Source: AWS Cost and Usage Report user guide, "Understanding your report versions" and "Viewing
your Cost and Usage Reports". With `CREATE_NEW_REPORT` the same manifest stands twice: in the
assembly's own folder, where it never changes, and in the date range's folder, where the newest
overwrites it. The assembly's copy is the canonical one.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cloudspend.accounts.model import Account, ExportKind
from cloudspend.exports.fields import Fields, folder_of, inside
from cloudspend.exports.model import BillingPeriod, Delivery

SUFFIX = "-Manifest.json"
COMPRESSIONS = {"GZIP": "gzip", "ZIP": "zip"}


def read(
    account: Account, bucket: str, key: str, content: Mapping[str, Any], delivered_at: datetime
) -> Delivery:
    """The delivery that a manifest describes. Raises DeliveryError."""
    fields = Fields(f"s3://{bucket}/{key}", content)
    _check_origin(account, fields)
    return Delivery(
        account_id=account.account_id,
        kind=ExportKind.CUR_LEGACY,
        period=_period(fields),
        delivery_id=fields.text("assemblyId"),
        delivered_at=delivered_at,
        manifest_bucket=bucket,
        manifest_key=key,
        file_keys=_file_keys(account, fields),
        compression=_compression(fields),
        columns=_columns(fields),
    )


def canonical_key(account: Account, delivery: Delivery) -> str:
    """The key of the assembly's own copy of the manifest.

    It stands beside the files, in the folder that bears the assembly's id; where there is no such
    folder (OVERWRITE_REPORT), the manifest that was read is the only one.
    """
    if not delivery.file_keys:
        return delivery.manifest_key
    folder = delivery.file_keys[0].rsplit("/", 1)[0]
    if folder.rsplit("/", 1)[-1] != delivery.delivery_id:
        return delivery.manifest_key
    return f"{folder}/{account.export.name}{SUFFIX}"


def is_latest_copy(account: Account, key: str) -> bool:
    """Whether `key` is the manifest in a date range's folder: `.../<yyyymmdd-yyyymmdd>/<name>`."""
    rest = key.removeprefix(folder_of(account.export))
    name = re.escape(f"{account.export.name}{SUFFIX}")
    return re.fullmatch(rf"\d{{8}}-\d{{8}}/{name}", rest) is not None


def _check_origin(account: Account, fields: Fields) -> None:
    # A linked account's report names the linked account, a payer's the payer: always the owner.
    owner = fields.text_or(account.account_id, "account")
    if owner != account.account_id:
        raise fields.wrong(f"is of account {owner}, not of {account.account_id}", value=owner)
    bucket = fields.text_or(account.export.bucket, "bucket")
    if bucket != account.export.bucket:
        raise fields.wrong(f"names the bucket {bucket}, not {account.export.bucket}", value=bucket)


def _period(fields: Fields) -> BillingPeriod:
    text = fields.text("billingPeriod", "start")
    try:
        start = datetime.strptime(f"{text.split('.')[0].rstrip('Z')}+0000", "%Y%m%dT%H%M%S%z")
    except ValueError as error:
        raise fields.wrong(f"has a billingPeriod.start that is no date: {text}") from error
    return BillingPeriod.of(start)


def _file_keys(account: Account, fields: Fields) -> tuple[str, ...]:
    keys = fields.list("reportKeys")
    for key in keys:
        if not isinstance(key, str) or not inside(account.export, key):
            raise fields.wrong(f"names a file outside the export's folder: {key}", file=key)
    if not keys:
        raise fields.wrong("names no files in reportKeys")
    return tuple(keys)


def _compression(fields: Fields) -> str:
    name = fields.text("compression")
    if name.upper() not in COMPRESSIONS:
        raise fields.wrong(
            f"has compression {name}; CloudSpend reads {', '.join(COMPRESSIONS)}", value=name
        )
    return COMPRESSIONS[name.upper()]


def _columns(fields: Fields) -> dict[str, str]:
    return {
        f"{column['category']}/{column['name']}": str(column.get("type", ""))
        for column in fields.list_or_empty("columns")
        if isinstance(column, dict) and "category" in column and "name" in column
    }

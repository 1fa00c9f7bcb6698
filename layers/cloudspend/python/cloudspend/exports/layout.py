"""Keys of AWS's deliveries in the export's bucket.

Sources: AWS Cost and Usage Report user guide, "Viewing your Cost and Usage Reports"; AWS Data
Exports user guide, "Understanding export delivery". `<folder>` is `<prefix>/<name>/`:

    legacy, CREATE_NEW_REPORT   <folder><yyyymmdd-yyyymmdd>/<assemblyId>/    files, manifest
                                <folder><yyyymmdd-yyyymmdd>/                 newest manifest
    legacy, OVERWRITE_REPORT    <folder><name>/year=<yyyy>/month=<m>/        files, manifest
    Data Exports                <folder>data/BILLING_PERIOD=<yyyy-mm>/       files
                                <folder>metadata/BILLING_PERIOD=<yyyy-mm>/   newest manifest
      with CREATE_NEW_REPORT    a folder for the execution below both, with its files and manifest

Sources disagree on the manifest's folder of a legacy CSV report that is overwritten: the month's
folder or the date range's. FOCUS exports were seen with `billing_period=`.
"""

import re

from cloudspend.accounts.model import Export
from cloudspend.errors import UsageError
from cloudspend.exports.model import BillingPeriod
from cloudspend.settings import MANIFEST_SUFFIX

DATA = "data/"
METADATA = "metadata/"

_PERIODS = (
    re.compile(r"(?:^|/)(\d{4})(\d{2})01-\d{8}/"),
    re.compile(r"(?:^|/)year=(\d{4})/month=(\d{1,2})/", re.IGNORECASE),
    re.compile(r"(?:^|/)billing_period=(\d{4})-(\d{2})/", re.IGNORECASE),
)


def folder_of(export: Export) -> str:
    """Return the folder of an export with its closing slash: `<prefix>/<name>/`."""
    return "/".join(part for part in (export.prefix.strip("/"), export.name) if part) + "/"


def months_of(export: Export) -> str:
    """Return the folder of an overwritten legacy report, in which deliveries have no folder of
    their own.
    """
    return f"{folder_of(export)}{export.name}/"


def inside(export: Export, key: str) -> bool:
    """Return whether `key` is an object in the export's own folder."""
    parts = key.split("/")
    return key.startswith(folder_of(export)) and not {"", ".", ".."} & set(parts)


def manifest_name(export: Export) -> str:
    """Return the file name of the export's manifests."""
    return f"{export.name}{MANIFEST_SUFFIX}"


def period_of(key: str) -> BillingPeriod | None:
    """Return the billing period of the folder of `key`; None if no folder names one."""
    for pattern in _PERIODS:
        found = pattern.findall(key)
        if found:
            year, month = found[-1]
            try:
                return BillingPeriod.parse(f"{year}-{int(month):02d}")
            except UsageError:
                return None
    return None


def own_manifest(export: Export, file_key: str, delivery_id: str | None) -> str | None:
    """Return the manifest copy that permanently belongs to a delivery, by the key of one of its
    files.

    None if the delivery has no folder of its own, because the next one overwrites it.
    """
    folder, _, _ = file_key.rpartition("/")
    within = folder.removeprefix(folder_of(export)).split("/")
    if f"{within[0]}/" == DATA:
        # data/<partition>/<execution>
        if len(within) != len(("data", "partition", "execution")):
            return None
        return f"{folder_of(export)}{METADATA}{within[1]}/{within[2]}/{manifest_name(export)}"
    return f"{folder}/{manifest_name(export)}" if within[-1] == delivery_id else None

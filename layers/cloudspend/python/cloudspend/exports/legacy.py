"""Manifests of the legacy Cost and Usage Report (`cur` API).

Source: AWS Cost and Usage Report user guide, "Viewing your Cost and Usage Reports".
"""

from datetime import datetime

from cloudspend.exports.fields import Fields, is_text, shown
from cloudspend.exports.files import compression_by_name
from cloudspend.exports.kinds import kinds_of_report
from cloudspend.exports.model import BillingPeriod, Manifest, NamedFile

FILES = "reportKeys"
# CompressionFormat of the `cur` API; Parquet compresses within the file.
COMPRESSIONS = {"GZIP": "gzip", "ZIP": "zip", "PARQUET": "parquet"}


def read(fields: Fields) -> Manifest:
    """Read a legacy manifest. Raises DeliveryError."""
    files = _files(fields)
    columns = _columns(fields)
    return Manifest(
        form=FILES,
        kinds=kinds_of_report(columns),
        period=_period(fields),
        delivery_id=fields.text("assemblyId"),
        files=files,
        compression=_compression(fields, files),
        columns=columns,
        account_id=fields.text_or_none("account"),
        bucket=fields.text_or_none("bucket"),
    )


def _period(fields: Fields) -> BillingPeriod:
    text = fields.text("billingPeriod", "start")
    try:
        start = datetime.strptime(f"{text.split('.')[0].rstrip('Z')}+0000", "%Y%m%dT%H%M%S%z")
    except ValueError as error:
        raise fields.wrong(f"has a billingPeriod.start that is no date: {text}") from error
    return BillingPeriod.of(start)


def _files(fields: Fields) -> tuple[NamedFile, ...]:
    keys = fields.list(FILES)
    if not keys:
        raise fields.wrong(f"names no files in {FILES}")
    for key in keys:
        if not is_text(key):
            raise fields.wrong(f"names a file in {FILES} by what is no key: {shown(key)}")
    return tuple(NamedFile(None, key) for key in keys)


def _compression(fields: Fields, files: tuple[NamedFile, ...]) -> str:
    name = fields.text_or_none("compression")
    if name is None:
        return compression_by_name(fields, files)
    if name.upper() not in COMPRESSIONS:
        raise fields.wrong(
            f"has compression {name}; CloudSpend reads {', '.join(COMPRESSIONS)}", value=name
        )
    return COMPRESSIONS[name.upper()]


def _columns(fields: Fields) -> dict[str, str]:
    """Return names as `category/name` with their types, which older manifests do not have."""
    found: dict[str, str] = {}
    for column in fields.list_or_empty("columns"):
        if not isinstance(column, dict) or not is_text(column.get("name")):
            continue
        if is_text(column.get("category")):
            kind = column.get("type")
            found[f"{column['category']}/{column['name']}"] = kind if is_text(kind) else ""
    return found

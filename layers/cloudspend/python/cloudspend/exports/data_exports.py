"""Manifests of AWS Data Exports: CUR 2.0 and FOCUS.

AWS publishes the content of a manifest (AWS Data Exports user guide, "Understanding export
delivery": columns, files with their paths, covered period) but not its format. Observed forms:
`dataFiles` as S3 URIs, keys or objects; `columns` as objects with a `name` and sometimes a `type`;
`executionId`; the period in `billingPeriod` or only in the folder's name.
"""

import re
from typing import Any

from cloudspend.errors import UsageError
from cloudspend.exports.fields import Fields, is_text, shown
from cloudspend.exports.files import compression_by_name
from cloudspend.exports.kinds import kinds_of_export
from cloudspend.exports.layout import period_of
from cloudspend.exports.model import BillingPeriod, Manifest, NamedFile

FILES = "dataFiles"
# Names of the member with a file's location.
PLACES = ("s3Uri", "uri", "path", "key")

PERIODS = (("billingPeriod", "start"), ("billingPeriod",), ("billing_period",))


def read(fields: Fields) -> Manifest:
    """Read a manifest of Data Exports. Raises DeliveryError."""
    files = tuple(_file(fields, each) for each in fields.list(FILES))
    if not files:
        raise fields.wrong(f"names no files in {FILES}")
    columns = _columns(fields)
    return Manifest(
        form=FILES,
        kinds=kinds_of_export(columns),
        period=_period(fields, files),
        delivery_id=fields.text_or_none("executionId"),
        files=files,
        compression=compression_by_name(fields, files),
        columns=columns,
    )


def _file(fields: Fields, value: Any) -> NamedFile:
    place, bucket = value, None
    if isinstance(value, dict):
        place = next((value[name] for name in PLACES if is_text(value.get(name))), None)
        bucket = value.get("bucket") if is_text(value.get("bucket")) else None
    if not is_text(place):
        raise fields.wrong(f"names a file in {FILES} by what is no place: {shown(value)}")
    if not place.startswith("s3://"):
        return NamedFile(bucket, place)
    named, _, key = place.removeprefix("s3://").partition("/")
    return NamedFile(named, key)


def _period(fields: Fields, files: tuple[NamedFile, ...]) -> BillingPeriod:
    """Return the period of the manifest's folder, which must agree with the period in the
    manifest.
    """
    folder = period_of(fields.manifest) or period_of(files[0].key)
    said = _said(fields)
    if folder and said and folder != said:
        raise fields.wrong(f"lies in the folder of {folder} but says that it is of {said}")
    period = folder or said
    if period is None:
        raise fields.wrong("has no billing period, and its folder names none")
    return period


def _said(fields: Fields) -> BillingPeriod | None:
    for path in PERIODS:
        text = fields.text_or_none(*path)
        found = re.match(r"(\d{4})-?(\d{2})(?!\d{3})", text) if text else None
        if found:
            try:
                return BillingPeriod.parse(f"{found[1]}-{found[2]}")
            except UsageError as error:
                raise fields.wrong(f"has a billing period that is no month: {text}") from error
    return None


def _columns(fields: Fields) -> dict[str, str]:
    """Return column names with their types; empty text for an unknown type."""
    found: dict[str, str] = {}
    for column in fields.list_or_empty("columns"):
        name = column.get("name") if isinstance(column, dict) else column
        kind = column.get("type") if isinstance(column, dict) else None
        if is_text(name):
            found[name] = kind if is_text(kind) else ""
    return found

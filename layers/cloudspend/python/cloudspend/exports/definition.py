"""Definitions of reports and exports in an account, and their flaws.

AWS Cost and Usage Report user guide, "Creating reports"; AWS Data Exports user guide, "Creating
exports" and "Data Exports table dictionary".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudspend.accounts.model import Export, ExportKind, ExportSetup
from cloudspend.exports.tables import EXPORT_TABLES

_TABLES = {table.name: kind for kind, table in EXPORT_TABLES.items()}
_QUERY = re.compile(
    r"\s*SELECT\s+(?P<columns>.+?)\s+FROM\s+(?P<table>\w+)(?P<where>\s+WHERE\s.+)?\s*",
    re.IGNORECASE | re.DOTALL,
)
CSV = "CSV"
PARQUET = "Parquet"
# Meaning of the reasons of failed deliveries (AWS Billing and Cost Management API reference,
# ExecutionStatus; AWS Cost and Usage Reports API reference, ReportStatus).
_FAILURES = {
    "INSUFFICIENT_PERMISSION": "the bucket's policy does not let AWS write there",
    "BILL_OWNER_CHANGED": "another account pays this bill now: make a new export there",
    "INTERNAL_FAILURE": "of a fault at AWS, which delivers again; if it lasts, ask AWS support",
    "ERROR_PERMISSIONS": "the bucket's policy does not let AWS write there",
    "ERROR_NO_BUCKET": "the bucket is gone",
}


@dataclass(frozen=True)
class Definition:
    """A legacy report or a cost export, as AWS describes it.

    `failure` is AWS's reason why the last delivery failed; None if it succeeded or never ran.
    `left_out` are columns of its table that its query does not select.
    """

    export: Export
    region: str
    format: str
    hourly: bool
    resource_ids: bool
    refreshed: bool = True
    filtered: bool = False
    left_out: tuple[str, ...] = ()
    failure: str | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """Return the parameters with which the customer's stack uses the export."""
        return {
            "ExportSetup": ExportSetup.USE_EXISTING.value,
            "ExportKind": self.export.kind.value,
            "ExportBucketName": self.export.bucket,
            "ExportPrefix": self.export.prefix,
            "ExportName": self.export.name,
        }


def of_report(report: Mapping[str, Any]) -> Definition:
    """Return the definition from an answer of DescribeReportDefinitions."""
    status = report.get("ReportStatus", {}).get("lastStatus", "SUCCESS")
    return Definition(
        export=Export(
            ExportKind.CUR_LEGACY, report["S3Bucket"], report["S3Prefix"], report["ReportName"]
        ),
        region=report["S3Region"],
        format=PARQUET if report["Format"] == "Parquet" else CSV,
        hourly=report["TimeUnit"] == "HOURLY",
        resource_ids="RESOURCES" in report["AdditionalSchemaElements"],
        refreshed=report.get("RefreshClosedReports", False),
        failure=None if status == "SUCCESS" else status,
    )


def of_export(export: Mapping[str, Any], failure: str | None) -> Definition | None:
    """Return the definition from an answer of GetExport; None for an export without cost."""
    query = _QUERY.fullmatch(export["DataQuery"]["QueryStatement"])
    kind = _TABLES.get(query["table"].upper()) if query else None
    if query is None or kind is None:
        return None
    table = EXPORT_TABLES[kind]
    configured = export["DataQuery"].get("TableConfigurations", {}).get(table.name, {})
    selected = {words.split()[0].lower() for words in query["columns"].split(",")}
    place = export["DestinationConfigurations"]["S3Destination"]
    is_cur = kind is ExportKind.CUR_2_0
    return Definition(
        export=Export(kind, place["S3Bucket"], place["S3Prefix"], export["Name"]),
        region=place["S3Region"],
        format=PARQUET if place["S3OutputConfigurations"]["Format"] == "PARQUET" else CSV,
        # AWS's defaults are HOURLY and no resource ids.
        hourly=configured.get("TIME_GRANULARITY", "HOURLY") == "HOURLY",
        resource_ids=not is_cur or configured.get("INCLUDE_RESOURCES") == "TRUE",
        filtered=bool(query["where"]),
        left_out=tuple(name for name in table.columns if name.lower() not in selected),
        failure=failure,
    )


def reason_of(failure: str) -> str:
    """Return the meaning of a failed delivery for the customer."""
    return _FAILURES.get(failure, "see AWS support")


def flaws(definition: Definition, region: str) -> list[str]:
    """Return the faults of the export for a platform in `region`, worst first, as sentences."""
    failure = definition.failure
    why = reason_of(failure or "")
    found = {
        f"AWS fails to deliver it ({failure}): {why}.": failure is not None,
        "It has a filter, so that its totals are not the bill's.": definition.filtered,
        "It has no prefix: CloudSpend would have to read the whole bucket. Give it one.": (
            not definition.export.prefix
        ),
        f"It leaves out {len(definition.left_out)} columns, {', '.join(definition.left_out[:3])} "
        "among them.": bool(definition.left_out),
        "Closed months are not refreshed: late refunds and credits never arrive, and totals will "
        "not match Cost Explorer.": not definition.refreshed,
        "It has no resource ids.": not definition.resource_ids,
        "It is not hourly.": not definition.hourly,
        f"Its bucket is in {definition.region}, so that each file travels to {region}.": (
            definition.region != region
        ),
        "It is CSV, which is larger than Parquet. (It is also what CloudSpend makes: gzip shows a "
        "damaged file.)": definition.format == CSV,
    }
    return [sentence for sentence, holds in found.items() if holds]

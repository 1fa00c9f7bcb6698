"""AWS's billing delivery: a bill becomes files and manifests in the customer's own bucket.

The layout is that of a legacy Cost and Usage Report with `CREATE_NEW_REPORT` and gzip (AWS Cost and
Usage Reports user guide, "Understanding your report versions"): data and a manifest in a folder for
the assembly, and a copy of the manifest in the folder of the billing period, written last.

    s3://<bucket>/<prefix>/<name>/<yyyymmdd-yyyymmdd>/<assemblyId>/<name>-00001.csv.gz
    s3://<bucket>/<prefix>/<name>/<yyyymmdd-yyyymmdd>/<assemblyId>/<name>-Manifest.json
    s3://<bucket>/<prefix>/<name>/<yyyymmdd-yyyymmdd>/<name>-Manifest.json
"""

import csv
import gzip
import hashlib
import io
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import boto3

from cloudspend.exports.model import BillingPeriod
from local.world.bill import Bill, Rows
from local.world.columns import aws_type


@dataclass(frozen=True)
class Report:
    """Where a Cost and Usage Report goes, as its definition says."""

    bucket: str
    prefix: str
    name: str

    def folder(self, period: BillingPeriod) -> str:
        return f"{self.prefix}/{self.name}/{period.start:%Y%m%d}-{period.end:%Y%m%d}"


@dataclass(frozen=True)
class Assembly:
    """One delivery, ready to be written: its data files by key, and the keys its manifest names."""

    report: Report
    bill: Bill
    assembly_id: str
    data: dict[str, bytes]
    report_keys: tuple[str, ...]

    @property
    def folder(self) -> str:
        return f"{self.report.folder(self.bill.period)}/{self.assembly_id}"

    @property
    def manifest_key(self) -> str:
        """The assembly's own manifest, which no later delivery overwrites."""
        return f"{self.folder}/{self.report.name}-Manifest.json"

    @property
    def latest_manifest_key(self) -> str:
        """The copy that always belongs to the latest delivery of the period."""
        return f"{self.report.folder(self.bill.period)}/{self.report.name}-Manifest.json"

    @property
    def manifest(self) -> bytes:
        period = self.bill.period
        body: dict[str, Any] = {
            "assemblyId": self.assembly_id,
            "account": self.bill.payer,
            "columns": [_column(name) for name in self.bill.columns],
            "charset": "UTF-8",
            "compression": "GZIP",
            "contentType": "text/csv",
            "reportId": hashlib.sha256(f"{self.report}".encode()).hexdigest(),
            "reportName": self.report.name,
            "billingPeriod": {
                "start": f"{period.start:%Y%m%dT%H%M%S}.000Z",
                "end": f"{period.end:%Y%m%dT%H%M%S}.000Z",
            },
            "bucket": self.report.bucket,
            "reportKeys": list(self.report_keys),
            "additionalArtifactKeys": [],
        }
        return json.dumps(body, indent=2).encode()

    @property
    def objects(self) -> list[tuple[str, bytes]]:
        """Everything to write, in AWS's order: nothing names a file that is not there yet."""
        return [
            *self.data.items(),
            (self.manifest_key, self.manifest),
            (self.latest_manifest_key, self.manifest),
        ]


def assemble(bill: Bill, report: Report, assembly_id: str | None = None) -> Assembly:
    """The delivery of `bill`; each has an assembly id of its own."""
    assembly = Assembly(report, bill, assembly_id or str(uuid.uuid4()), {}, ())
    data = {
        f"{assembly.folder}/{report.name}-{number:05d}.csv.gz": to_gzip(bill.columns, rows)
        for number, rows in enumerate(bill.files, start=1)
    }
    return replace(assembly, data=data, report_keys=tuple(data))


def write(assembly: Assembly, session: boto3.Session) -> None:
    """Put the objects into the customer's bucket, in order, as `session` (the customer's)."""
    s3 = session.client("s3")
    for key, body in assembly.objects:
        s3.put_object(Bucket=assembly.report.bucket, Key=key, Body=body)


def post_ledger(bill: Bill, endpoint: str) -> None:
    """Make `bill` the truth that the local cloud's Cost Explorer answers from.

    In AWS's own ledger a value that is missing is missing, not the word `None`.
    """
    body = {
        "payer": bill.payer,
        "period": str(bill.period),
        "columns": list(bill.columns),
        "rows": [["" if value == "None" else value for value in row] for row in bill.rows],
    }
    tell(endpoint, "ledger", body)


def tell(endpoint: str, door: str, body: object) -> Any:
    """PUT `body` to a door of the local cloud's own, and return its answer.

    Raises RuntimeError with what the door says when it refuses.
    """
    address = urlsplit(endpoint)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=60)
    try:
        connection.request("PUT", f"/_local/{door}", json.dumps(body))
        response = connection.getresponse()
        answer = json.load(response)
    finally:
        connection.close()
    if response.status != HTTPStatus.OK:
        raise RuntimeError(f"The local cloud refused /_local/{door}: {answer}")
    return answer


def deliver(bill: Bill, session: boto3.Session, bucket: str, prefix: str, name: str) -> Assembly:
    """AWS's ledger first, then the files: by the time they arrive, Cost Explorer knows the bill."""
    post_ledger(bill, session.client("s3").meta.endpoint_url)
    assembly = assemble(bill, Report(bucket, prefix, name))
    write(assembly, session)
    return assembly


def to_gzip(columns: Iterable[str], rows: Rows) -> bytes:
    """A data file: CSV with a header line, gzipped; the same rows give the same bytes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return gzip.compress(text.getvalue().encode(), compresslevel=6, mtime=0)


def _column(name: str) -> dict[str, str]:
    category, _, own = name.partition("/")
    return {"category": category, "name": own, "type": aws_type(name)}

"""AWS's billing delivery: a bill becomes files and manifests in the customer's own bucket.

Every kind of export, format and layout that AWS offers; `layouts` says where the objects stand. The
manifest is written after the data, and its latest copy last.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import boto3

from cloudspend.accounts.model import ExportKind
from local.world import cur2, estate, focus, legacy
from local.world.bill import Bill
from local.world.files import encode
from local.world.layouts import Places, Report, places
from local.world.tables import NO_FIGURE, Table

__all__ = ["Assembly", "Report", "assemble", "deliver", "post_ledger", "tell", "write"]

_EXPORTS: Mapping[ExportKind, Callable[[Bill, Mapping[str, str]], Table]] = {
    ExportKind.CUR_2_0: cur2.cost_and_usage_report,
    ExportKind.FOCUS_1_0: focus.focus_1_0,
    ExportKind.FOCUS_1_2: focus.focus_1_2,
}


@dataclass(frozen=True)
class Assembly:
    """One delivery, ready to be written: its data files by key, and the keys its manifest names.

    `assembly_id` is what Data Exports call the execution's id.
    """

    report: Report
    bill: Bill
    assembly_id: str
    table: Table
    places: Places
    data: dict[str, bytes]
    report_keys: tuple[str, ...]

    @property
    def folder(self) -> str:
        """The folder of the data files."""
        return self.places.data

    @property
    def manifest_key(self) -> str:
        """The manifest that no later delivery overwrites, where the layout has one."""
        return self.places.manifests[0]

    @property
    def latest_manifest_key(self) -> str:
        """The copy that always belongs to the latest delivery of the period."""
        return self.places.manifests[-1]

    @property
    def manifest(self) -> bytes:
        if self.report.kind is ExportKind.CUR_LEGACY:
            body = legacy.manifest(self.report, self.bill, self.assembly_id, self.report_keys)
        else:
            body = self._export_manifest()
        return json.dumps(body, indent=2).encode()

    @property
    def objects(self) -> list[tuple[str, bytes]]:
        """Everything to write, in AWS's order: nothing names a file that is not there yet."""
        return [*self.data.items(), *((key, self.manifest) for key in self.places.manifests)]

    def _export_manifest(self) -> dict[str, Any]:
        """AWS does not publish this manifest's schema; it says that columns, files and the period
        are in it. The names of its members are those that readers of such exports use."""
        period = self.bill.period
        return {
            "executionId": self.assembly_id,
            "exportName": self.report.name,
            "billingPeriod": {
                "start": f"{period.start:%Y-%m-%dT%H:%M:%S}.000Z",
                "end": f"{period.end:%Y-%m-%dT%H:%M:%S}.000Z",
            },
            "columns": [
                {"name": field.name, "type": field.type.partition("<")[0]}
                for field in self.table.fields
            ],
            "dataFiles": [f"s3://{self.report.bucket}/{key}" for key in self.report_keys],
        }


def assemble(bill: Bill, report: Report, assembly_id: str | None = None) -> Assembly:
    """The delivery of `bill` as `report` orders it; each has an id of its own."""
    table = _table(bill, report)
    own_id = assembly_id or str(uuid.uuid4())
    held = places(report, bill.period, own_id, datetime.now(UTC))
    data = {}
    for number, rows in enumerate(table.files, start=1):
        stem = f"{report.name}-{number:05d}"
        key = f"{held.data}/{stem}{report.form}"
        data[key] = encode(report.form, stem, table.fields, rows)
    return Assembly(report, bill, own_id, table, held, data, tuple(data))


def _table(bill: Bill, report: Report) -> Table:
    if report.kind is ExportKind.CUR_LEGACY:
        return legacy.report_table(bill, report.form)
    return _EXPORTS[report.kind](bill, estate.NAMES)


def write(assembly: Assembly, session: boto3.Session) -> None:
    """Put the objects into the customer's bucket, in order, as `session` (the customer's)."""
    s3 = session.client("s3")
    for key, body in (*_emptied(assembly, s3), *assembly.objects):
        s3.put_object(Bucket=assembly.report.bucket, Key=key, Body=body)


def _emptied(assembly: Assembly, s3: Any) -> list[tuple[str, bytes]]:
    """Chunks of an earlier execution that this one has fewer of: Data Exports overwrite them with
    empty data (AWS Data Exports user guide, "Export overwriting and create new")."""
    report = assembly.report
    if not report.overwrite or report.kind is ExportKind.CUR_LEGACY:
        return []
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=report.bucket, Prefix=f"{assembly.folder}/"
    )
    there = [found["Key"] for page in pages for found in page.get("Contents", [])]
    nothing = encode(report.form, report.name, assembly.table.fields, ())
    return [(key, nothing) for key in there if key not in assembly.data]


def post_ledger(bill: Bill, endpoint: str) -> None:
    """Make `bill` the truth that the local cloud's Cost Explorer answers from.

    In AWS's own ledger a value that is missing is missing, not the word that nise has for it.
    """
    body = {
        "payer": bill.payer,
        "period": str(bill.period),
        "columns": list(bill.columns),
        "rows": [["" if value == NO_FIGURE else value for value in row] for row in bill.rows],
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


def deliver(bill: Bill, session: boto3.Session, report: Report) -> Assembly:
    """AWS's ledger first, then the files: by the time they arrive, Cost Explorer knows the bill."""
    post_ledger(bill, session.client("s3").meta.endpoint_url)
    assembly = assemble(bill, report)
    write(assembly, session)
    return assembly

"""An account's reports and exports as AWS describes them; botocore's models hold each call."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from cloudspend.accounts.model import Export, ExportKind
from cloudspend.errors import PermissionDenied, TransientError
from cloudspend.exports.aws import ExportDefinitions
from cloudspend.exports.definition import Definition
from cloudspend.exports.tables import EXPORT_TABLES

ARN = "arn:aws:bcm-data-exports:us-east-1:111111111111:export/bill-1"
REPORT: dict[str, Any] = {
    "ReportName": "old",
    "TimeUnit": "HOURLY",
    "Format": "textORcsv",
    "Compression": "GZIP",
    "AdditionalSchemaElements": ["RESOURCES"],
    "S3Bucket": "a-bucket",
    "S3Prefix": "bills",
    "S3Region": "us-east-1",
    "RefreshClosedReports": True,
}
EXPORT: dict[str, Any] = {
    "ExportArn": ARN,
    "Name": "bill",
    "DataQuery": {"QueryStatement": EXPORT_TABLES[ExportKind.FOCUS_1_2].query()},
    "DestinationConfigurations": {
        "S3Destination": {
            "S3Bucket": "a-bucket",
            "S3Prefix": "focus",
            "S3Region": "us-east-1",
            "S3OutputConfigurations": {
                "OutputType": "CUSTOM",
                "Format": "PARQUET",
                "Compression": "PARQUET",
                "Overwrite": "OVERWRITE_REPORT",
            },
        }
    },
    "RefreshCadence": {"Frequency": "SYNCHRONOUS"},
}


class Aws:
    """The two services, which give scripted answers and refuse any other request."""

    def __init__(self) -> None:
        session = boto3.Session(region_name="us-east-1")
        self.cur, self.exports = session.client("cur"), session.client("bcm-data-exports")
        self.reports, self.data = Stubber(self.cur), Stubber(self.exports)
        self.reports.activate()
        self.data.activate()

    def found(self) -> list[Definition]:
        definitions = ExportDefinitions(self.cur, self.exports).all()
        self.reports.assert_no_pending_responses()
        self.data.assert_no_pending_responses()
        return definitions

    def an_export(self, *executions: dict[str, Any]) -> None:
        """No report, and one export with these executions."""
        self.reports.add_response("describe_report_definitions", {"ReportDefinitions": []})
        reference = {"ExportArn": ARN, "ExportName": "bill", "ExportStatus": {}}
        self.data.add_response("list_exports", {"Exports": [reference]})
        self.data.add_response("get_export", {"Export": EXPORT}, {"ExportArn": ARN})
        self.data.add_response("list_executions", {"Executions": executions}, {"ExportArn": ARN})


def execution(name: str, code: str, at: str, reason: str = "") -> dict[str, Any]:
    status = {"StatusCode": code, "CompletedAt": at}
    return {
        "ExecutionId": name,
        "ExecutionStatus": status | ({"StatusReason": reason} if reason else {}),
    }


def test_every_page_of_reports_is_read() -> None:
    aws = Aws()
    first = {"ReportDefinitions": [REPORT], "NextToken": "more"}
    aws.reports.add_response("describe_report_definitions", first, {})
    second = {"ReportDefinitions": [{**REPORT, "ReportName": "new"}]}
    aws.reports.add_response("describe_report_definitions", second, {"NextToken": "more"})
    aws.data.add_response("list_exports", {"Exports": []})
    assert [one.export.name for one in aws.found()] == ["old", "new"]


def test_an_export_is_described() -> None:
    aws = Aws()
    aws.an_export()
    [found] = aws.found()
    assert found.export == Export(ExportKind.FOCUS_1_2, "a-bucket", "focus", "bill")
    assert (found.format, found.failure) == ("Parquet", None)


def test_the_last_delivery_that_ended_says_whether_it_fails() -> None:
    aws = Aws()
    good = execution("good", "DELIVERY_SUCCESS", "2026-11-01T00:00:00Z")
    bad = execution("bad", "DELIVERY_FAILURE", "2026-11-02T00:00:00Z")
    going = {"ExecutionId": "going", "ExecutionStatus": {"StatusCode": "QUERY_IN_PROCESS"}}
    aws.an_export(going, good, bad)
    stated = execution("bad", "DELIVERY_FAILURE", "2026-11-02T00:00:00Z", "INSUFFICIENT_PERMISSION")
    aws.data.add_response("get_execution", stated, {"ExportArn": ARN, "ExecutionId": "bad"})
    assert [one.failure for one in aws.found()] == ["INSUFFICIENT_PERMISSION"]


def test_a_delivery_that_went_well_after_one_that_did_not_is_no_failure() -> None:
    aws = Aws()
    aws.an_export(
        execution("bad", "DELIVERY_FAILURE", "2026-11-01T00:00:00Z"),
        execution("good", "DELIVERY_SUCCESS", "2026-11-02T00:00:00Z"),
    )
    assert [one.failure for one in aws.found()] == [None]


def _no_reports(aws: Aws, code: str) -> None:
    aws.reports.add_client_error("describe_report_definitions", code, "Not you.")


def _no_exports(aws: Aws, code: str) -> None:
    aws.reports.add_response("describe_report_definitions", {"ReportDefinitions": []})
    aws.data.add_client_error("list_exports", code, "Not you.")


@pytest.mark.parametrize(
    ("refuse", "action"),
    [
        (_no_reports, "cur:DescribeReportDefinitions"),
        (_no_exports, "bcm-data-exports:ListExports"),
    ],
)
def test_what_is_refused_is_named(refuse: Callable[[Aws, str], None], action: str) -> None:
    aws = Aws()
    refuse(aws, "AccessDeniedException")
    with pytest.raises(PermissionDenied, match=action):
        aws.found()


def test_what_passes_by_itself_is_told_so() -> None:
    aws = Aws()
    _no_exports(aws, "ThrottlingException")
    with pytest.raises(TransientError, match="bcm-data-exports:ListExports"):
        aws.found()

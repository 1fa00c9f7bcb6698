"""Athena's answers as boto3 gives them (stubbed: its model checks both directions)."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from cloudspend.errors import CloudSpendError, Defect, TransientError, UsageError
from cloudspend.lake.aws.queries import AthenaQueries
from cloudspend.lake.ports import QueryResult

SQL = "SELECT service, cost FROM costs"
TYPES = {"service": "varchar", "cost": "double"}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(boto3.client("athena")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def queries(stub: Stubber) -> AthenaQueries:
    return AthenaQueries(stub.client, "cloudspend", "cloudspend")


def started(stub: Stubber) -> None:
    context = {"Database": "cloudspend"}
    wanted = {"QueryString": SQL, "WorkGroup": "cloudspend", "QueryExecutionContext": context}
    stub.add_response("start_query_execution", {"QueryExecutionId": "q"}, wanted)


def stood(stub: Stubber, state: str, **status: Any) -> None:
    execution = {
        "QueryExecutionId": "q",
        "Status": {"State": state, **status},
        "Statistics": {"DataScannedInBytes": 4096},
    }
    stub.add_response("get_query_execution", {"QueryExecution": execution})


def page(stub: Stubber, *rows: tuple[str | None, ...], token: str | None = None) -> None:
    info = [{"Name": name, "Type": kind} for name, kind in TYPES.items()]
    data = [
        {"Data": [{} if value is None else {"VarCharValue": value} for value in row]}
        for row in rows
    ]
    answer: dict[str, Any] = {
        "ResultSet": {"Rows": data, "ResultSetMetadata": {"ColumnInfo": info}}
    }
    if token:
        answer["NextToken"] = token
    stub.add_response("get_query_results", answer)


def test_an_answer_is_whole_over_all_pages_and_null_is_none(stub: Stubber) -> None:
    started(stub)
    for state in ("QUEUED", "RUNNING", "SUCCEEDED"):
        stood(stub, state)
    page(stub, tuple(TYPES), ("S3", "1.5"), token="more")
    page(stub, ("EC2", None), ("", "0.0"))
    assert queries(stub).query(SQL) == QueryResult(
        columns=("service", "cost"),
        types=("varchar", "double"),
        rows=(("S3", "1.5"), ("EC2", None), ("", "0.0")),
        scanned_bytes=4096,
    )


def test_rows_by_name(stub: Stubber) -> None:
    started(stub)
    stood(stub, "SUCCEEDED")
    page(stub, tuple(TYPES), ("S3", None))
    assert queries(stub).run(SQL) == [{"service": "S3", "cost": None}]


def test_an_answer_without_a_header_loses_no_row(stub: Stubber) -> None:
    """SHOW and DESCRIBE answer without one."""
    started(stub)
    stood(stub, "SUCCEEDED")
    page(stub, ("cost_and_usage", ""))
    assert queries(stub).query(SQL).rows == (("cost_and_usage", ""),)


FAILURES: list[tuple[str, dict[str, Any], type[CloudSpendError]]] = [
    ("FAILED", {"AthenaError": {"ErrorCategory": 2, "Retryable": False}}, UsageError),
    ("FAILED", {"AthenaError": {"ErrorCategory": 1, "Retryable": True}}, TransientError),
    ("FAILED", {"AthenaError": {"ErrorCategory": 1, "Retryable": False}}, Defect),
    ("FAILED", {"AthenaError": {"ErrorCategory": 3, "Retryable": False}}, Defect),
    ("CANCELLED", {}, UsageError),
]


@pytest.mark.parametrize(("state", "status", "kind"), FAILURES)
def test_a_failed_query_is_sorted_by_athenas_category(
    stub: Stubber, state: str, status: dict[str, Any], kind: type[CloudSpendError]
) -> None:
    started(stub)
    stood(stub, state, StateChangeReason="COLUMN_NOT_FOUND: line 1:8", **status)
    with pytest.raises(kind, match="COLUMN_NOT_FOUND: line 1:8") as caught:
        queries(stub).query(SQL)
    assert type(caught.value) is kind


def test_a_statement_that_is_refused_at_once_is_the_users(stub: Stubber) -> None:
    stub.add_client_error("start_query_execution", "InvalidRequestException", "line 1:1: oops")
    with pytest.raises(UsageError, match="line 1:1: oops"):
        queries(stub).query(SQL)


def test_the_platforms_own_statement_is_never_the_users_fault(stub: Stubber) -> None:
    stub.add_client_error("start_query_execution", "InvalidRequestException", "line 1:1: oops")
    with pytest.raises(Defect, match="line 1:1: oops"):
        queries(stub).run(SQL)


def test_too_many_requests_pass(stub: Stubber) -> None:
    stub.add_client_error("start_query_execution", "TooManyRequestsException")
    with pytest.raises(TransientError):
        queries(stub).query(SQL)

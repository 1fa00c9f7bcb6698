"""Queries of the lake's tables in Athena."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloudspend.aws.errors import aws_errors, message
from cloudspend.aws.paging import pages
from cloudspend.errors import Defect, TransientError, UsageError
from cloudspend.lake.ports import QueryResult

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

POLL_SECONDS = 0.2
LONGEST_POLL_SECONDS = 2.0
USER_ERROR = 2  # Athena API reference, AthenaError: 1 is the system, 2 the user, 3 other


class AthenaQueries:
    """`Queries` on a boto3 Athena client."""

    def __init__(self, athena: "AthenaClient", workgroup: str, database: str) -> None:
        self._athena = athena
        self._workgroup = workgroup
        self._database = database

    def run(self, sql: str) -> list[dict[str, str | None]]:
        try:
            result = self.query(sql)
        except UsageError as error:
            raise Defect(f"A statement of CloudSpend's own is wrong. {error.summary}") from error
        return [dict(zip(result.columns, row, strict=True)) for row in result.rows]

    def query(self, sql: str) -> QueryResult:
        with aws_errors("Athena"):
            query_id = self._started(sql)
            execution = self._ended(query_id)
            scanned = int(execution.get("Statistics", {}).get("DataScannedInBytes", 0))
            return self._result(query_id, scanned)

    def _started(self, sql: str) -> str:
        try:
            answer = self._athena.start_query_execution(
                QueryString=sql,
                WorkGroup=self._workgroup,
                QueryExecutionContext={"Database": self._database},
            )
        except self._athena.exceptions.InvalidRequestException as error:
            reason = message(error)
            raise UsageError(f"Athena refused the statement: {reason}") from error
        return str(answer["QueryExecutionId"])

    def _ended(self, query_id: str) -> Mapping[str, Any]:
        wait = POLL_SECONDS
        while True:
            answer = self._athena.get_query_execution(QueryExecutionId=query_id)
            execution: Mapping[str, Any] = answer["QueryExecution"]
            if execution["Status"]["State"] == "SUCCEEDED":
                return execution
            if execution["Status"]["State"] in ("FAILED", "CANCELLED"):
                raise _query_error(execution["Status"])
            time.sleep(wait)
            wait = min(wait * 2, LONGEST_POLL_SECONDS)

    def _result(self, query_id: str, scanned: int) -> QueryResult:
        columns: list[Mapping[str, str]] = []
        rows: list[tuple[str | None, ...]] = []
        results = pages(self._athena, "get_query_results", "Athena", QueryExecutionId=query_id)
        for page in results:
            columns = columns or page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
            rows.extend(
                tuple(value.get("VarCharValue") for value in row["Data"])
                for row in page["ResultSet"]["Rows"]
            )
        header = tuple(column["Name"] for column in columns)
        # The first row of a SELECT's result repeats the column names (Athena API reference).
        body = rows[1:] if rows and rows[0] == header else rows
        types = tuple(column["Type"] for column in columns)
        return QueryResult(header, types, tuple(body), scanned)


def _query_error(status: Mapping[str, Any]) -> Exception:
    reason = status.get("StateChangeReason", "no reason was given")
    error = status.get("AthenaError", {})
    if error.get("Retryable"):
        return TransientError(f"Athena could not run the query now: {reason}")
    # A query is canceled by a person, or by the workgroup's limit of scanned bytes.
    if error.get("ErrorCategory") == USER_ERROR or status["State"] == "CANCELLED":
        return UsageError(f"The query failed: {reason}")
    return Defect(f"Athena failed: {reason}")

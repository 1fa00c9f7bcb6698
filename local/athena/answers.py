"""What the API answers: pages of results, refusals, workgroups with AWS's defaults."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core import responses
from ministack.services import athena

from local.athena import datatypes, text, workgroups
from local.athena.failures import RequestRefused

Answer = tuple[int, Mapping[str, str], bytes]
Request = Mapping[str, Any]

_PAGE = 1000


def answering(function: Callable[[Request], Mapping[str, Any]]) -> Callable[[Request], Answer]:
    """The call as ministack wants it: JSON, and HTTP 400 for what is refused."""

    def call(request: Request) -> Answer:
        try:
            answer: Answer = responses.json_response(function(request))
        except RequestRefused as error:
            extra = {"AthenaErrorCode": error.athena_code}
            answer = responses.error_response_json(
                "InvalidRequestException", error.message, 400, extra=extra
            )
        return answer

    return call


def results(request: Request) -> dict[str, Any]:
    """GetQueryResults: a SELECT's first row is the header; at most 1,000 rows a page with it."""
    query_id = request.get("QueryExecutionId")
    state = athena._executions.get(query_id)
    if state is None:
        raise RequestRefused(f"QueryExecution {query_id} was not found")
    status = state["Status"]["State"]
    if status == "FAILED":
        reason = state["Status"].get("StateChangeReason", "")
        raise RequestRefused(
            f"Query did not finish successfully. Final query state: FAILED. {reason}"
        )
    if status != "SUCCEEDED":
        raise RequestRefused(f"Query has not yet finished. Current state: {status}")
    held = state["_results"]
    begin, end = _page(request)
    body: dict[str, Any] = {
        "UpdateCount": 0,
        "ResultSet": {
            "Rows": [{"Data": [_datum(v) for v in row]} for row in held["rows"][begin:end]],
            "ResultSetMetadata": {"ColumnInfo": held["columns"]},
        },
    }
    if end < len(held["rows"]):
        body["NextToken"] = str(end)
    return body


def _page(request: Mapping[str, Any]) -> tuple[int, int]:
    size = int(request.get("MaxResults") or _PAGE)
    token = str(request.get("NextToken") or "0")
    if not 1 <= size <= _PAGE:
        raise RequestRefused(f"MaxResults is more than maximum allowed length {_PAGE}")
    if not token.isdecimal():
        raise RequestRefused("Invalid NextToken")
    return int(token), int(token) + size


def _datum(value: text.Cell) -> dict[str, str]:
    return {} if value is None else {"VarCharValue": value}


def column(name: str, duck: str) -> dict[str, Any]:
    precision, scale = datatypes.precision_and_scale(duck)
    kind = datatypes.result_type(duck)
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": kind,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind in ("varchar", "char"),
    }


def describe_workgroup(original: Any, request: Mapping[str, Any]) -> Answer:
    """GetWorkGroup with the defaults that AWS fills in; readers rely on their presence."""
    status, headers, body = original(request)
    if status != 200:
        return status, headers, body
    found = json.loads(body)
    group = found["WorkGroup"]
    configuration = group.setdefault("Configuration", {})
    forced = workgroups.enforced(group["Name"], configuration)
    configuration["EnforceWorkGroupConfiguration"] = forced
    configuration.setdefault("ResultConfiguration", {})
    group.pop("WorkGroupConfiguration", None)
    return status, headers, json.dumps(found).encode()

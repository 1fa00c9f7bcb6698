"""AWS Data Exports (`bcm-data-exports`): the exports of each account, and their executions.

The API exists in us-east-1 only. CloudFormation's `AWS::BCMDataExports::Export` comes in through
`create_for_stack` and `delete_for_stack`. What AWS delivered is posted to `/_local/executions`,
since the delivery service itself is played by the demo's world.
"""

import json
import re
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ministack.services import s3

from local import awsmodel
from local.control import control
from local.services import Members, ServiceError
from local.world.tables import published

REGION = "us-east-1"
DELIVERY = "bcm-data-exports.amazonaws.com"
# AWS Data Exports user guide, "Quotas and restrictions".
MOST_EXPORTS = {"COST_AND_USAGE_REPORT": 5, "FOCUS_1_0_AWS": 2, "FOCUS_1_2_AWS": 2}
PAGE_SIZE = 20

_HOURLY = {"Name": "TIME_GRANULARITY", "ValidValues": ["HOURLY", "DAILY", "MONTHLY"]}
_FLAGS = (
    "INCLUDE_RESOURCES",
    "INCLUDE_SPLIT_COST_ALLOCATION_DATA",
    "INCLUDE_MANUAL_DISCOUNT_COMPATIBILITY",
)
PROPERTIES: Mapping[str, list[dict[str, Any]]] = {
    "COST_AND_USAGE_REPORT": [
        {**_HOURLY, "DefaultValue": "HOURLY"},
        *({"Name": f, "ValidValues": ["TRUE", "FALSE"], "DefaultValue": "FALSE"} for f in _FLAGS),
    ],
    "FOCUS_1_0_AWS": [],
    "FOCUS_1_2_AWS": [{**_HOURLY, "DefaultValue": "HOURLY"}],
}

_QUERY = re.compile(
    r"\s*SELECT\s+(?P<columns>.+?)\s+FROM\s+(?P<table>\w+)(\s+WHERE\s.+)?\s*",
    re.IGNORECASE | re.DOTALL,
)
# Columns that CUR 2.0 has only as configured, or next to those of `resource_tags`.
_CONFIGURED = re.compile(
    r"(split_line_item|capacity_reservation)_\w+|line_item_iam_principal|tags", re.IGNORECASE
)

# By account: exports by ARN with their status, and the executions of each.
_exports: dict[str, dict[str, Members]] = defaultdict(dict)
_executions: dict[str, list[Members]] = defaultdict(list)


def clear() -> None:
    _exports.clear()
    _executions.clear()


@control("executions")
def door(method: str, body: bytes) -> tuple[int, object]:
    """`PUT` with `{account, name, execution, status}` notes what became of an export's execution;
    `status` is one of the API's, and a failure has its `reason`."""
    if method not in {"PUT", "POST"}:
        return 405, {"error": "Use PUT."}
    try:
        stated = json.loads(body)
        export = _named(stated["account"], stated["name"])
        status = {"StatusCode": stated["status"], "CompletedAt": _now()}
        if stated.get("reason"):
            status["StatusReason"] = stated["reason"]
        note = {"ExecutionId": stated["execution"], "ExecutionStatus": status}
    except (ValueError, KeyError, TypeError) as error:
        return 400, {"error": f"This is no execution of an export: {error}"}
    refused = awsmodel.answer_problem("bcm-data-exports", "ListExecutions", {"Executions": [note]})
    if refused:
        return 400, {"error": refused}
    _executions[export["Export"]["ExportArn"]].append({**note, "Export": export["Export"]})
    return 200, {"executions": len(_executions[export["Export"]["ExportArn"]])}


def create_for_stack(account: str, properties: Mapping[str, Any]) -> str:
    """What CloudFormation does for `AWS::BCMDataExports::Export`; returns the export's ARN.

    Raises ServiceError when AWS would refuse the resource's properties.
    """
    request = {"Export": properties["Export"]}
    refused = awsmodel.request_problem("bcm-data-exports", "CreateExport", request)
    if refused:
        raise ServiceError("ValidationException", refused)
    return str(create_export(account, request)["ExportArn"])


def delete_for_stack(account: str, arn: str) -> None:
    """What CloudFormation does on removal; an export that is gone already is no error."""
    _exports[account].pop(arn, None)


def create_export(account: str, request: Members) -> Members:
    """Raises ServiceError when the query, the quota or the bucket's policy do not allow it."""
    export = dict(request["Export"])
    table = _checked(export)
    own = _exports[account]
    if any(held["Export"]["Name"] == export["Name"] for held in own.values()):
        raise ServiceError(
            "ValidationException", f"An export with the name {export['Name']} already exists."
        )
    if sum(_table(held["Export"]) == table for held in own.values()) >= MOST_EXPORTS[table]:
        raise ServiceError(
            "ServiceQuotaExceededException",
            f"An account has {MOST_EXPORTS[table]} exports of {table} at most.",
        )
    arn = f"arn:aws:bcm-data-exports:{REGION}:{account}:export/{export['Name']}-{uuid.uuid4()}"
    status = {"StatusCode": "HEALTHY", "CreatedAt": _now(), "LastUpdatedAt": _now()}
    own[arn] = {"Export": {**export, "ExportArn": arn}, "ExportStatus": status}
    return {"ExportArn": arn}


def update_export(account: str, request: Members) -> Members:
    held = _held(account, request["ExportArn"])
    export = {**request["Export"], "ExportArn": request["ExportArn"]}
    _checked(export)
    status = {**held["ExportStatus"], "LastUpdatedAt": _now()}
    _exports[account][request["ExportArn"]] = {"Export": export, "ExportStatus": status}
    return {"ExportArn": request["ExportArn"]}


def delete_export(account: str, request: Members) -> Members:
    _held(account, request["ExportArn"])
    del _exports[account][request["ExportArn"]]
    return {"ExportArn": request["ExportArn"]}


def get_export(account: str, request: Members) -> Members:
    return dict(_held(account, request["ExportArn"]))


def list_exports(account: str, request: Members) -> Members:
    references = [
        {
            "ExportArn": arn,
            "ExportName": held["Export"]["Name"],
            "ExportStatus": held["ExportStatus"],
        }
        for arn, held in _exports[account].items()
    ]
    return _page("Exports", references, request)


def list_executions(account: str, request: Members) -> Members:
    """The newest first."""
    _held(account, request["ExportArn"])
    references = [
        {name: held[name] for name in ("ExecutionId", "ExecutionStatus")}
        for held in reversed(_executions[request["ExportArn"]])
    ]
    return _page("Executions", references, request)


def get_execution(account: str, request: Members) -> Members:
    _held(account, request["ExportArn"])
    for held in _executions[request["ExportArn"]]:
        if held["ExecutionId"] == request["ExecutionId"]:
            return dict(held)
    raise _not_found(request["ExecutionId"])


def list_tables(_account: str, request: Members) -> Members:
    tables = [
        {"TableName": name, "TableProperties": properties}
        for name, properties in PROPERTIES.items()
    ]
    return _page("Tables", tables, request)


def get_table(_account: str, request: Members) -> Members:
    name = request["TableName"]
    if name not in PROPERTIES:
        raise ServiceError("ValidationException", f"There is no table {name}.")
    defaults = {each["Name"]: each["DefaultValue"] for each in PROPERTIES[name]}
    return {
        "TableName": name,
        "TableProperties": {**defaults, **request.get("TableProperties", {})},
        "Schema": [{"Name": field.name, "Type": str(field.type)} for field in published(name)],
    }


HANDLERS = {
    "CreateExport": create_export,
    "DeleteExport": delete_export,
    "GetExecution": get_execution,
    "GetExport": get_export,
    "GetTable": get_table,
    "ListExecutions": list_executions,
    "ListExports": list_exports,
    "ListTables": list_tables,
    "UpdateExport": update_export,
}


def _checked(export: Mapping[str, Any]) -> str:
    """The table that the export selects from, once AWS would take the export."""
    table = _table(export)
    configured = export["DataQuery"].get("TableConfigurations", {})
    unknown = sorted(set(configured) - {table})
    if unknown:
        raise ServiceError("ValidationException", f"The query selects nothing from {unknown}.")
    valid = {each["Name"]: each["ValidValues"] for each in PROPERTIES[table]}
    for name, value in configured.get(table, {}).items():
        if value not in valid.get(name, ()):
            raise ServiceError("ValidationException", f"{table} has no {name} of {value!r}.")
    destination = export["DestinationConfigurations"]["S3Destination"]
    _require_one_format(destination["S3OutputConfigurations"])
    _require_writable(destination["S3Bucket"])
    return table


def _table(export: Mapping[str, Any]) -> str:
    """The table that the query names. AWS's SQL has no asterisk and knows no other tables."""
    statement = export["DataQuery"]["QueryStatement"]
    found = _QUERY.fullmatch(statement)
    if not found or found["table"] not in PROPERTIES:
        raise ServiceError("ValidationException", "The query is of no table of Data Exports.")
    table = found["table"]
    known = {field.name.lower() for field in published(table)}
    names = [words.split()[0].partition(".")[0] for words in found["columns"].split(",")]
    unknown = [n for n in names if n.lower() not in known and not _CONFIGURED.fullmatch(n)]
    if unknown:
        raise ServiceError("ValidationException", f"{table} has no columns {', '.join(unknown)}.")
    return table


def _require_one_format(output: Mapping[str, str]) -> None:
    """Text is gzipped, and Parquet has its own compression."""
    pair = output["Format"], output["Compression"]
    if pair not in {("TEXT_OR_CSV", "GZIP"), ("PARQUET", "PARQUET")}:
        raise ServiceError("ValidationException", f"{' and '.join(pair)} do not go together.")


def _require_writable(bucket: str) -> None:
    """An export is only created for a bucket whose policy lets the delivery in."""
    if DELIVERY not in str(s3._bucket_policies.get(bucket, "")):
        raise ServiceError(
            "ValidationException", f"The policy of the bucket {bucket} does not let {DELIVERY} in."
        )


def _held(account: str, arn: str) -> Members:
    if arn not in _exports[account]:
        raise _not_found(arn)
    return _exports[account][arn]


def _named(account: str, name: str) -> Members:
    for held in _exports[account].values():
        if held["Export"]["Name"] == name:
            return held
    raise ValueError(f"{account} has no export {name}")


def _not_found(what: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", f"{what} was not found.")


def _page(member: str, found: Sequence[Members], request: Members) -> Members:
    start = int(request.get("NextToken", "0"))
    end = start + int(request.get("MaxResults", PAGE_SIZE))
    answer: Members = {member: list(found[start:end])}
    if end < len(found):
        answer["NextToken"] = str(end)
    return answer


def _now() -> str:
    return datetime.now(UTC).isoformat()

"""The partition calls that ministack's Glue lacks, each one atomic for a reader.

ministack's own BatchUpdatePartition empties a partition before it fills it again, so that a query
could in the meantime see one without a location.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, json_response
from ministack.services import glue

from local.cloud import seams

Request = Mapping[str, Any]


def install() -> None:
    seams.around(glue, "_handle_request_sync", _handle)
    seams.around(glue, "_batch_update_partition", lambda _original, request: _batch_update(request))


def _handle(
    original: Callable[..., Any], method: str, path: str, headers: Any, body: bytes, query: Any
) -> Any:
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    if action in _ADDED:
        return _ADDED[action](json.loads(body or b"{}"))
    return original(method, path, headers, body, query)


def _update(request: Request) -> Any:
    if _replace(request, request["PartitionValueList"], request["PartitionInput"]):
        return json_response({})
    return error_response_json("EntityNotFoundException", "Partition not found.", 400)


def _batch_update(request: Request) -> Any:
    missing = [
        {"PartitionValueList": entry["PartitionValueList"], "ErrorDetail": _NOT_FOUND}
        for entry in request["Entries"]
        if not _replace(request, entry["PartitionValueList"], entry["PartitionInput"])
    ]
    return json_response({"Errors": missing})


def _batch_delete(request: Request) -> Any:
    gone = [entry["Values"] for entry in request["PartitionsToDelete"]]
    partitions = _partitions(request)
    known = [partition["Values"] for partition in partitions]
    errors = [
        {"PartitionValues": values, "ErrorDetail": _NOT_FOUND}
        for values in gone
        if values not in known
    ]
    glue._partitions[_table(request)] = [p for p in partitions if p["Values"] not in gone]
    return json_response({"Errors": errors})


def _table_versions(request: Request) -> Any:
    """Only the current version: ministack keeps no earlier one."""
    table = glue._tables.get(_table(request))
    if table is None:
        return error_response_json("EntityNotFoundException", "Table not found.", 400)
    return json_response({"TableVersions": [{"Table": table, "VersionId": "0"}]})


def _replace(request: Request, values: list[str], new: Mapping[str, Any]) -> bool:
    """Put the new partition in the old one's place by one assignment; False if there is none."""
    partitions = _partitions(request)
    for index, old in enumerate(partitions):
        if old["Values"] == values:
            partitions[index] = {
                **new,
                "DatabaseName": request["DatabaseName"],
                "TableName": request["TableName"],
                "CreationTime": old.get("CreationTime"),
                "LastAccessTime": int(time.time()),
                "CatalogId": get_account_id(),
            }
            return True
    return False


def _partitions(request: Request) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = glue._partitions.get(_table(request), [])
    return found


def _table(request: Request) -> str:
    return f"{request['DatabaseName']}/{request['TableName']}"


_NOT_FOUND = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Partition not found."}
_ADDED: dict[str, Callable[[Request], Any]] = {
    "UpdatePartition": _update,
    "BatchDeletePartition": _batch_delete,
    "GetTableVersions": _table_versions,
}

"""What a Distributed Map does beyond ministack's: item batches and result files.

ministack reads the items and runs one child execution for each; here the items are selected and
batched before, and the result files of ResultWriter are written after it, in the form that the Step
Functions developer guide gives ("ItemBatcher", "ResultWriter"). JSONPath only, and no `MANIFEST`
item reader: both fail with States.Runtime.
"""

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import s3, stepfunctions

from local.cloud import seams

# Each child may start a worker process that unpacks its layers first.
MAX_CONCURRENCY = 4
_OURS = ("ItemReader", "ItemsPath", "ItemSelector", "Parameters", "ItemBatcher", "ResultWriter")
_RESULT = ("ResultSelector", "ResultPath", "OutputPath")

State = Mapping[str, Any]


def install() -> None:
    seams.around(stepfunctions, "_run_distributed_map", _run)


def batches(items: list[Any], batcher: Mapping[str, Any], batch_input: Any) -> list[dict[str, Any]]:
    """Group items as ItemBatcher says: at most so many items and so many bytes to a batch."""
    most = int(batcher.get("MaxItemsPerBatch") or len(items) or 1)
    most_bytes = int(batcher.get("MaxInputBytesPerBatch") or 0)
    groups: list[list[Any]] = []
    for item in items:
        group = [*groups[-1], item] if groups else [item]
        too_big = most_bytes and len(json.dumps(group)) > most_bytes
        if not groups or len(group) > most or too_big:
            groups.append([item])
        else:
            groups[-1] = group
    shared = {"BatchInput": batch_input} if batch_input is not None else {}
    return [{**shared, "Items": group} for group in groups]


def _run(
    original: Callable[..., Any],
    state: State,
    raw_input: Any,
    effective: Any,
    iterator: Any,
    execution: dict[str, Any],
    context: dict[str, Any],
) -> tuple[Any, str | None]:
    _refuse_unsupported(state, context)
    items = _selected(state, effective, context)
    plain = {key: value for key, value in state.items() if key not in (*_OURS, *_RESULT)}
    limit = int(plain.get("MaxConcurrency") or MAX_CONCURRENCY)
    plain["MaxConcurrency"] = min(limit, MAX_CONCURRENCY)
    earlier = set(stepfunctions._map_runs)

    def written(results: Any) -> Any:
        if "ResultWriter" not in state:
            return results
        return _write(state["ResultWriter"], _run_of(execution, earlier), effective, context)

    try:
        results, following = original(plain, items, items, iterator, execution, context)
    except stepfunctions._ExecutionError:
        # A failed run has result files too: they say which children failed, and why.
        written(None)
        raise
    result = stepfunctions._apply_result_selector(state, written(results))
    output = stepfunctions._apply_result_path(state, raw_input, result)
    return stepfunctions._apply_output_path(state, output, context), following


def _refuse_unsupported(state: State, context: dict[str, Any]) -> None:
    reader = state.get("ItemReader", {}).get("ReaderConfig", {})
    if stepfunctions._state_query_language(state, context) == "JSONata":
        _fail("a Distributed Map in JSONata")
    if reader.get("InputType") == "MANIFEST":
        _fail("the item reader's input type MANIFEST")


def _fail(what: str) -> None:
    raise stepfunctions._ExecutionError("States.Runtime", f"The local cloud does not know {what}.")


def _selected(state: State, effective: Any, context: dict[str, Any]) -> list[Any]:
    if "ItemReader" in state:
        items = stepfunctions._read_map_items(state["ItemReader"], effective, context)
    else:
        items = stepfunctions._resolve_path_or_ctx(state.get("ItemsPath", "$"), effective, context)
    selector = state.get("ItemSelector") or state.get("Parameters")
    if selector:
        items = [_select(selector, *pair, effective, context) for pair in enumerate(items)]
    if "ItemBatcher" not in state:
        return list(items)
    batcher = state["ItemBatcher"]
    shared = batcher.get("BatchInput")
    if shared is not None:
        shared = stepfunctions._resolve_params_obj(shared, effective, context)
    return batches(items, batcher, shared)


def _select(selector: Any, index: int, item: Any, effective: Any, context: dict[str, Any]) -> Any:
    inner = copy.deepcopy(context)
    inner["Map"] = {"Item": {"Index": index, "Value": item}}
    return stepfunctions._resolve_params_obj(selector, effective, inner)


def _run_of(execution: dict[str, Any], earlier: set[str]) -> str:
    arn = execution["executionArn"]
    runs = stepfunctions._map_runs.items()
    found = (str(key) for key, run in runs if run["executionArn"] == arn)
    return next(key for key in found if key not in earlier)


def _write(
    writer: Mapping[str, Any], run: str, effective: Any, context: dict[str, Any]
) -> dict[str, Any]:
    """Write the result files and their manifest; the answer is the Map state's result."""
    target = stepfunctions._resolve_params_obj(writer["Parameters"], effective, context)
    bucket = target["Bucket"]
    folder = "/".join(part for part in (target.get("Prefix", "").strip("/"), run[-36:]) if part)
    children = [e for e in stepfunctions._executions.values() if e.get("mapRunArn") == run]
    files: dict[str, list[dict[str, Any]]] = {"PENDING": [], "SUCCEEDED": [], "FAILED": []}
    for status in ("SUCCEEDED", "FAILED"):
        rows = [_row(child) for child in children if child["status"] == status]
        if rows:
            key = f"{folder}/{status}_0.json"
            files[status].append({"Key": key, "Size": _put(bucket, key, rows)})
    manifest = f"{folder}/manifest.json"
    _put(
        bucket,
        manifest,
        {"DestinationBucket": bucket, "MapRunArn": run, "ResultFiles": files},
    )
    return {"MapRunArn": run, "ResultWriterDetails": {"Bucket": bucket, "Key": manifest}}


def _row(child: Mapping[str, Any]) -> dict[str, Any]:
    row = {
        "ExecutionArn": child["executionArn"],
        "Input": child["input"],
        "InputDetails": {"Included": True},
        "Name": child["name"],
        "Output": child.get("output"),
        "OutputDetails": {"Included": True},
        "StartDate": child["startDate"],
        "StateMachineArn": child["stateMachineArn"],
        "Status": child["status"],
        "StopDate": child["stopDate"],
        "Error": child.get("error"),
        "Cause": child.get("cause"),
    }
    return {key: value for key, value in row.items() if value is not None}


def _put(bucket: str, key: str, content: Any) -> int:
    """Returns the size in bytes."""
    body = json.dumps(content).encode()
    status, _headers, answer = s3._put_object(
        bucket, key, body, {"content-type": "application/json"}
    )
    if status >= 400:
        raise stepfunctions._ExecutionError("States.ResultWriterFailed", str(answer))
    return len(body)

"""Step Functions' own integration with Athena (`arn:aws:states:::athena:<action>[.sync]`).

Source: Step Functions developer guide, "Run Athena queries with Step Functions".
"""

import json
import time
from typing import Any

from ministack.services import stepfunctions

_PREFIX = "arn:aws:states:::athena:"
_POLL_SECONDS = 0.05


def install() -> None:
    stepfunctions._SERVICE_DISPATCH[_PREFIX] = run


def run(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call Athena; with `.sync` wait for the query and answer as GetQueryExecution does.

    Raises ministack's execution error States.TaskFailed, with the query execution as its cause,
    when the query fails or is cancelled.
    """
    action = resource.removeprefix(_PREFIX).removesuffix(".sync")
    answer = _call(action, arguments)
    return _finished(answer["QueryExecutionId"]) if resource.endswith(".sync") else answer


def _finished(query_id: str) -> dict[str, Any]:
    while True:
        answer = _call("getQueryExecution", {"QueryExecutionId": query_id})
        state = answer["QueryExecution"]["Status"]["State"]
        if state == "SUCCEEDED":
            return answer
        if state in ("FAILED", "CANCELLED"):
            cause = json.dumps(answer["QueryExecution"], default=str)
            raise stepfunctions._ExecutionError("States.TaskFailed", cause)
        time.sleep(_POLL_SECONDS)


def _call(action: str, arguments: dict[str, Any]) -> dict[str, Any]:
    resource = f"arn:aws:states:::aws-sdk:athena:{action}"
    answer: dict[str, Any] = stepfunctions._invoke_aws_sdk_integration(resource, arguments)
    return answer

"""StopExecution ends an execution for good, with the children of its Distributed Map.

ministack marks the execution as aborted, but its thread goes on: it starts further tasks and
retries, writes to the history, and a task that fails later turns ABORTED into FAILED.
A Lambda function that is running is not ended, as on AWS; its answer goes nowhere.
"""

from collections.abc import Callable, MutableMapping
from typing import Any

from ministack.services import stepfunctions

from local.cloud import seams

Execution = MutableMapping[str, Any]


class Stopped(BaseException):
    """Unwinds the thread of a stopped execution.

    Not an Exception, so that no state's Retry or Catch and no handler of ministack takes it.
    """


def install() -> None:
    seams.around(stepfunctions, "_add_event", _add_event)
    seams.around(stepfunctions, "_fail_execution", _fail)
    seams.around(stepfunctions, "_run_execution", _run)


def is_stopped(execution: Execution) -> bool:
    """Whether the execution, or the one whose Distributed Map it is a child of, was stopped."""
    run = stepfunctions._map_runs.get(execution.get("mapRunArn"))
    parent = stepfunctions._executions.get(run["executionArn"]) if run else None
    return execution["status"] == "ABORTED" or bool(parent and parent["status"] == "ABORTED")


def _add_event(
    original: Callable[..., Any], execution: Execution, event_type: str, details: Any = None
) -> Any:
    """Every step of an execution passes here: before a task is started, and after it has ended."""
    if event_type != "ExecutionAborted" and is_stopped(execution):
        execution["status"] = "ABORTED"
        raise Stopped
    return original(execution, event_type, details)


def _fail(original: Callable[..., Any], execution: Execution, error: str, cause: str) -> None:
    if execution["status"] == "RUNNING":
        original(execution, error, cause)


def _run(original: Callable[..., Any], execution_arn: str) -> None:
    try:
        original(execution_arn)
    except Stopped:
        stepfunctions.logger.info("Execution %s was stopped", execution_arn)

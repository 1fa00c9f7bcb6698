"""A failed function keeps its exception's class name, and its warm process; a process that ends or
does not start fails its own invocation and no other.

Step Functions routes failures by that name (`errorType`); ministack says Runtime.HandlerError for
all of them, also for a process that ended, which AWS calls Runtime.ExitError. It ends the process
of a function that raised, which AWS does not do, and all processes of a function of which one does
not start, also those at work. AWS starts such a process again (Lambda developer guide,
"Understanding the Lambda execution environment lifecycle").
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, sts

from local.cloud import seams

_RAISED = 'json.dumps({"status": "error", "error": str(e), "trace": traceback.format_exc()})'
_REPORTED = (
    'json.dumps({"status": "ok", "raised": {"error": str(e), "error_type": type(e).__name__, '
    '"trace": traceback.format_exc()}})'
)

_DIED = "Worker process died"
STARTS = 2

_last = threading.local()
logger = logging.getLogger(__name__)


class Sessions(dict[str, dict[str, Any]]):
    """ministack's sessions. It goes through them as each process starts, while others start: those
    are to see what was there at one moment."""

    def items(self) -> Any:
        return self.copy().items()


def install() -> None:
    sts._sessions = Sessions(sts._sessions)
    seams.replace_text(lambda_runtime, "_PYTHON_WORKER_SCRIPT", _RAISED, _REPORTED)
    seams.around(lambda_runtime.Worker, "invoke", _invoke)
    seams.around(lambda_svc, "_execute_function_warm", _execute)


def _invoke(original: Callable[..., Any], worker: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """Turn what the function raised back into an error, once the process has been kept."""
    answer = started(lambda: original(worker, *args, **kwargs), worker.kill)
    if answer.get("error") == _DIED:
        answer["error_type"] = "Runtime.ExitError"
    raised = answer.pop("raised", None)
    _last.error_type = (raised or answer).get("error_type")
    return {**answer, "status": "error", **raised} if raised else answer


def started(invoke: Callable[[], dict[str, Any]], end: Callable[[], None]) -> dict[str, Any]:
    """What `invoke` answers. It raises only if the process does not start: what is left of that is
    to `end`, and a new one is tried; what is raised last is the error of this invocation."""
    why = ""
    for _ in range(STARTS):
        try:
            return invoke()
        except Exception as error:
            logger.exception("A function's process did not start.")
            end()
            why = str(error)
    return {"status": "error", "error": why, "error_type": "Runtime.ExitError"}


def _execute(original: Callable[..., Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
    """Name the error for what was raised. Both functions run on the same thread."""
    _last.error_type = None
    result: dict[str, Any] = original(*args, **kwargs)
    if result.get("error") and _last.error_type:
        result["body"]["errorType"] = _last.error_type
    return result

"""A failed function keeps its exception's class name, and its warm process.

Step Functions routes failures by that name (`errorType`); ministack says Runtime.HandlerError for
all of them. It also ends the process of a function that raised, which AWS does not do.
"""

import threading
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.cloud import seams

_RAISED = 'json.dumps({"status": "error", "error": str(e), "trace": traceback.format_exc()})'
_REPORTED = (
    'json.dumps({"status": "ok", "raised": {"error": str(e), "error_type": type(e).__name__, '
    '"trace": traceback.format_exc()}})'
)

_last = threading.local()


def install() -> None:
    seams.replace_text(lambda_runtime, "_PYTHON_WORKER_SCRIPT", _RAISED, _REPORTED)
    seams.around(lambda_runtime.Worker, "invoke", _invoke)
    seams.around(lambda_svc, "_execute_function_warm", _execute)


def _invoke(original: Callable[..., Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
    """Turn what the function raised back into an error, once the process has been kept."""
    answer: dict[str, Any] = original(*args, **kwargs)
    raised = answer.pop("raised", None)
    _last.error_type = raised["error_type"] if raised else None
    return {**answer, "status": "error", **raised} if raised else answer


def _execute(original: Callable[..., Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
    """Name the error for what was raised. Both functions run on the same thread."""
    _last.error_type = None
    result: dict[str, Any] = original(*args, **kwargs)
    if result.get("error") and _last.error_type:
        result["body"]["errorType"] = _last.error_type
    return result

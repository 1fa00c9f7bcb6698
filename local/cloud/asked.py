"""What IAM was asked about the identities of an account, and what it said: `/_local/asked`.

PUT `{"account": ...}` begins to keep it for that account, GET answers a list of {caller, action,
resource, allowed}, each once, DELETE forgets all. An action is IAM's and not the request's name:
`s3:ListBucket` for ListObjectsV2, `budgets:ViewBudget` for DescribeBudgets. Requests of the
account's root, which nothing limits, and requests that IAM does not judge, such as
GetCallerIdentity, are left out.
"""

import json
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id

from local.cloud import seams
from local.control import control


class Asked(NamedTuple):
    """One question to IAM, and its answer."""

    account: str
    caller: str
    action: str
    resource: str
    allowed: bool


_lock = threading.Lock()
_accounts: set[str] = set()
_asked: set[Asked] = set()


def install() -> None:
    seams.around(iam_evaluator, "enforce", _enforce)
    control("asked")(_door)


def _door(method: str, body: bytes) -> tuple[int, object]:
    with _lock:
        if method == "PUT":
            try:
                _accounts.add(str(json.loads(body)["account"]))
            except (ValueError, KeyError, TypeError) as error:
                return 400, {"message": f"This names no account: {error}"}
        elif method == "DELETE":
            _accounts.clear()
            _asked.clear()
        return 200, [each._asdict() for each in sorted(_asked)]


def _enforce(
    original: Callable[..., Any],
    access_key: str,
    action: str,
    service: str,
    region: str,
    resource_arn: str = "*",
    service_context: dict[str, Any] | None = None,
) -> Any:
    denied = original(access_key, action, service, region, resource_arn, service_context)
    account = get_account_id()
    if account in _accounts and action not in iam_evaluator._ALWAYS_ALLOWED_ACTIONS:
        caller = iam_evaluator.resolve_principal(access_key, account)
        if not (_is_nobody(denied) or _is_nobody(caller) or caller.policies is None):
            with _lock:
                _asked.add(Asked(account, caller.arn, action, resource_arn, denied is None))
    return denied


def _is_nobody(answer: object) -> bool:
    """Whether ministack did not come to judge, since it does not know who asks."""
    return isinstance(answer, iam_evaluator.AuthError)

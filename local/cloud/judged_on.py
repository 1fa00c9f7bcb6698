"""What a request is judged on that names a user without its ARN, where ministack takes `*`.

A policy limits `sts:GetFederationToken` by the name that is asked for,
`arn:aws:sts::<account>:federated-user/<name>` (IAM user guide, "Granting permissions to create
temporary security credentials").
`iam:ListAccessKeys` without a user's name is about the user who asks (IAM API reference).
"""

from collections.abc import Callable, Mapping
from typing import Any

from ministack.core import iam_actions, iam_evaluator

from local.cloud import seams


def install() -> None:
    seams.around(iam_actions, "extract_resource_arn", _resource)


def _resource(original: Callable[..., str], service: str, *rest: Any) -> str:
    """`rest` are ministack's further arguments: method, path, headers, body, the request's
    parameters, region and account."""
    *_, parameters, _region, account_id = rest
    match service, _first(parameters, "Action"):
        case "sts", "GetFederationToken":
            return f"arn:aws:sts::{account_id}:federated-user/{_first(parameters, 'Name')}"
        case "iam", "ListAccessKeys" if not _first(parameters, "UserName"):
            return str(iam_evaluator.caller_arn())
    return original(service, *rest)


def _first(parameters: Mapping[str, Any], name: str) -> str:
    value = parameters.get(name) or ""
    return str(value[0] if isinstance(value, list) else value)

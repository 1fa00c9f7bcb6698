"""What a request for a federated user's session is asked about.

IAM user guide, "Granting permissions to create temporary security credentials": a policy limits
`sts:GetFederationToken` by the name of the user, `arn:aws:sts::<account>:federated-user/<name>`.
ministack asks about `*`, so that no policy with such a name allows anything.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ministack.core import iam_actions

from local.cloud import seams


def install() -> None:
    seams.around(iam_actions, "extract_resource_arn", _resource)


def _resource(original: Callable[..., str], service: str, *rest: Any) -> str:
    """`rest` are ministack's further arguments: method, path, headers, body, the request's
    parameters, region and account."""
    *_, parameters, _region, account_id = rest
    if service == "sts" and _first(parameters, "Action") == "GetFederationToken":
        return f"arn:aws:sts::{account_id}:federated-user/{_first(parameters, 'Name')}"
    return original(service, *rest)


def _first(parameters: Mapping[str, Any], name: str) -> str:
    value = parameters.get(name) or ""
    return str(value[0] if isinstance(value, list) else value)

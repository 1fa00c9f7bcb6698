"""Which workgroup a request is about, for IAM.

Athena's actions on a query execution are judged on the workgroup that ran it (AWS Service
Authorization Reference, "Actions defined by Amazon Athena"); ministack judges them on `*`.
"""

import json
from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions
from ministack.services import athena

from local.cloud import seams

PRIMARY = "primary"


def install() -> None:
    """Put the rule onto ministack's seam."""
    seams.around(iam_actions, "extract_resource_arn", _resource)


def workgroup_of(body: bytes) -> str | None:
    """The workgroup that a request names, or whose query it names; None when it names neither."""
    try:
        request: dict[str, Any] = json.loads(body or b"{}")
    except ValueError:
        return None
    if request.get("WorkGroup"):
        return str(request["WorkGroup"])
    execution = athena._executions.get(request.get("QueryExecutionId", ""))
    return str(execution.get("WorkGroup", PRIMARY)) if execution else None


def _resource(original: Callable[..., str], service: str, *request: Any) -> str:
    """`request` is ministack's: method, path, headers, body, parameters, region, account id."""
    if service != "athena":
        return original(service, *request)
    body, region, account_id = request[3], request[5], request[6]
    workgroup = workgroup_of(body)
    return f"arn:aws:athena:{region}:{account_id}:workgroup/{workgroup}" if workgroup else "*"

"""Custom resources whose service token is an SNS topic, in this or in another account.

Source: CloudFormation user guide, "Amazon SNS-backed custom resources" and "Custom resource request
objects". The stack's account publishes the request, so the topic's policy must let it; then the
stack waits until someone answers at the ResponseURL. The URL has the form
`http://localhost:<port>/_ministack/cfn-response/<token>`: on AWS it is a presigned S3 URL.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from ministack.core.responses import new_uuid
from ministack.services import sns
from ministack.services.cloudformation import custom_resource

from local.cloud import seams

_DEFAULT_TIMEOUT_SECONDS = 3600


def install() -> None:
    seams.around(custom_resource, "invoke_custom_resource", _invoke)


def _invoke(
    original: Callable[..., Any],
    request_type: str,
    logical_id: str,
    properties: Mapping[str, Any],
    *rest: Any,
    **more: Any,
) -> tuple[str, dict[str, Any]]:
    """Runs on a thread of its own, so it may wait. Raises when the answer is FAILED or missing."""
    if ":sns:" not in properties.get("ServiceToken", ""):
        answer: tuple[str, dict[str, Any]] = original(
            request_type, logical_id, properties, *rest, **more
        )
        return answer
    token = new_uuid()
    request = {
        "RequestType": request_type,
        "ResponseURL": response_url(token),
        "RequestId": new_uuid(),
        "LogicalResourceId": logical_id,
        "ResourceProperties": custom_resource._normalise_resource_properties(properties),
        **_about_the_stack(*rest, **more),
    }
    return _outcome(request, _answer(token, properties, request))


def response_url(token: str) -> str:
    """Where the stack that holds `token` waits for its answer."""
    return f"{custom_resource._response_url(token)}?{_signature(token)}"


def _signature(token: str) -> str:
    """The query of a URL that is presigned with signature version 4. Nothing here verifies it."""
    now = datetime.now(UTC)
    return urlencode(
        {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}",
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Expires": "7200",
            "X-Amz-Credential": f"AKIALOCALCLOUD000000/{now:%Y%m%d}/us-east-1/s3/aws4_request",
            "X-Amz-Signature": hashlib.sha256(token.encode()).hexdigest(),
        }
    )


def _answer(
    token: str, properties: Mapping[str, Any], request: Mapping[str, Any]
) -> Mapping[str, Any]:
    answered = custom_resource.register_token(token)
    try:
        _publish(properties["ServiceToken"], request)
        if not answered.wait(float(properties.get("ServiceTimeout", _DEFAULT_TIMEOUT_SECONDS))):
            raise TimeoutError(f"No answer came for {request['LogicalResourceId']}.")
        result: Mapping[str, Any] = custom_resource._pending[token]["result"]
        return result
    finally:
        custom_resource._pending.pop(token, None)


def _about_the_stack(
    _stack_name: str,
    stack_id: str,
    resource_type: str,
    physical_id: str | None = None,
    old_props: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The rest of ministack's arguments, under its names, as members of the request."""
    members: dict[str, Any] = {"StackId": stack_id, "ResourceType": resource_type}
    if physical_id is not None:
        members["PhysicalResourceId"] = physical_id
    if old_props is not None:
        old = custom_resource._normalise_resource_properties(old_props)
        members["OldResourceProperties"] = old
    return members


def _publish(topic_arn: str, request: Mapping[str, Any]) -> None:
    status, _headers, body = sns._publish(
        {
            "TopicArn": [topic_arn],
            "Subject": ["AWS CloudFormation custom resource request"],
            "Message": [json.dumps({**request, "TopicArn": topic_arn})],
        }
    )
    if status >= 400:
        text = body.decode() if isinstance(body, bytes) else str(body)
        found = re.search("<Message>(.*?)</Message>", text)
        raise RuntimeError(f"Publishing to {topic_arn} failed: {found[1] if found else text}")


def _outcome(request: Mapping[str, Any], result: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The physical id and the attributes. As on AWS the answer must bear the request's ids."""
    for key in ("RequestId", "StackId", "LogicalResourceId"):
        if result.get(key) != request[key]:
            raise RuntimeError(f"Invalid response: {key} is not the request's.")
    if result.get("Status") == "FAILED":
        raise RuntimeError(result.get("Reason") or "The custom resource failed without a reason.")
    if result.get("Status") != "SUCCESS" or not result.get("PhysicalResourceId"):
        raise RuntimeError("Invalid PhysicalResourceId or Status in the response.")
    return result["PhysicalResourceId"], result.get("Data") or {}

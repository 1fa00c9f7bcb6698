"""Services that ministack does not have (or has too loosely), put onto its seams.

A service is a table of operations, each a function from the request's members to the answer's.
Both are held against botocore's model of the service: a request that AWS would refuse is answered
with a ValidationException, an answer that AWS would not give with an InternalFailure and a line in
the log. IAM is ministack's own: it judges `<namespace>:<operation>` before a request gets here, on
the resource whose ARN the request names, or on `*` where it names none.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.responses import get_account_id

from local import awsmodel
from local.cloud import seams

Members = dict[str, Any]
Handler = Callable[[str, Members], Members]
Response = tuple[int, dict[str, str], bytes]

log = logging.getLogger("local.services")

_SCOPES: set[str] = set()
_ACTIONS: dict[str, str] = {}


class ServiceError(Exception):
    """An error of an AWS service, as its model names it (`code`), with AWS's HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        self.code = code
        self.status = status
        super().__init__(message)


def add_json_service(
    scope: str,
    target_prefix: str,
    service_name: str,
    handlers: Mapping[str, Handler],
    action: str = "",
) -> None:
    """Serve `handlers` (by operation) for requests signed for `scope`.

    `target_prefix` is what is before the operation in `X-Amz-Target`, `service_name` is
    botocore's. A handler gets the caller's account id and the request's members; it raises
    ServiceError. Under `scope` IAM knows the service's actions, so that a role without
    `<scope>:<operation>` is denied; `action` is what IAM calls every operation of a service whose
    operations are not its actions.
    """

    async def handle(
        _method: str, _path: str, headers: Mapping[str, str], body: bytes, _query: object
    ) -> Response:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        return await asyncio.to_thread(
            respond, service_name, handlers, operation, get_account_id(), body
        )

    app.SERVICE_HANDLERS[scope] = handle
    router.SERVICE_PATTERNS[scope] = {
        "target_prefixes": [target_prefix],
        "host_patterns": [rf"^{scope}\."],
        "credential_scope": scope,
    }
    iam_actions.SERVICE_TO_IAM_NAMESPACE[scope] = scope
    if not _SCOPES:
        seams.around(iam_actions, "extract_resource_arn", _resource)
        seams.around(iam_actions, "extract_iam_action", _action)
    _SCOPES.add(scope)
    if action:
        _ACTIONS[scope] = action


def _action(original: Callable[..., str | None], service: str, *request: Any) -> str | None:
    """What IAM calls a request, where that is not the operation's name."""
    return _ACTIONS.get(service) or original(service, *request)


def _resource(original: Callable[..., str], service: str, *request: Any) -> str:
    """The ARN that a request to an added service is judged on; ministack would take it for `*`."""
    if service not in _SCOPES:
        return original(service, *request)
    _method, _path, _headers, body, *_ = request
    return named_arn(body)


def named_arn(body: bytes) -> str:
    """The ARN among a request's own members, or `*`; what is no request is refused later."""
    try:
        members = _members(body)
    except ServiceError:
        return "*"
    arns = (value for name, value in members.items() if name.endswith("Arn"))
    return next((arn for arn in arns if isinstance(arn, str)), "*")


def respond(
    service: str, handlers: Mapping[str, Handler], operation: str, account_id: str, body: bytes
) -> Response:
    """The HTTP answer to one request: status, headers, body."""
    try:
        answer = _answer(service, handlers, operation, account_id, body)
    except ServiceError as error:
        problem = _error_problem(service, handlers, operation, error)
        if problem:
            log.exception("%s %s: %s", service, operation, problem)
            return _reply(service, 500, {"__type": "InternalFailure", "message": problem})
        return _reply(service, error.status, {"__type": error.code, "message": str(error)})
    return _reply(service, 200, answer)


def _answer(
    service: str, handlers: Mapping[str, Handler], operation: str, account_id: str, body: bytes
) -> Members:
    if operation not in handlers:
        raise ServiceError(
            "UnknownOperationException", f"The local cloud has no {service}:{operation}."
        )
    request = _members(body)
    refused = awsmodel.request_problem(service, operation, request)
    if refused:
        raise ServiceError("ValidationException", refused)
    answer = handlers[operation](account_id, request)
    wrong = awsmodel.answer_problem(service, operation, answer)
    if wrong:
        log.error("%s %s answered what AWS would not: %s", service, operation, wrong)
        raise ServiceError("InternalFailure", wrong, 500)
    return answer


def _members(body: bytes) -> Members:
    try:
        members = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("ValidationException", f"The body is not JSON: {error}.") from error
    if not isinstance(members, dict):
        raise ServiceError("ValidationException", "The body is not a JSON object.")
    return members


def _error_problem(
    service: str, handlers: Mapping[str, Handler], operation: str, error: ServiceError
) -> str:
    if operation not in handlers:
        return ""
    return awsmodel.error_problem(service, operation, error.code)


def _reply(service: str, status: int, members: Members) -> Response:
    version = awsmodel.service_model(service).metadata["jsonVersion"]
    headers = {"Content-Type": f"application/x-amz-json-{version}"}
    if "__type" in members:
        headers["x-amzn-errortype"] = members["__type"]
    return status, headers, json.dumps(members).encode()

"""Events that cross accounts: put onto another account's bus, or sent there by a rule.

The bus's policy decides, its conditions included (`events:source`, `events:detail-type`,
`aws:SourceArn`). A rule's target role is not asked: where a rule names another account's bus, the
account itself is taken as the caller.
"""

import contextvars
import json
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.iam_evaluator import EvalContext, caller_arn, evaluate_resource_policy
from ministack.core.responses import get_account_id, json_response, request_scope
from ministack.services import eventbridge

from local.cloud import seams

# The account that put an event onto another account's bus; events keep it as their `account`.
_sender: contextvars.ContextVar[str] = contextvars.ContextVar("sender", default="")


def install() -> None:
    seams.around(eventbridge, "_put_events", _put_events)
    seams.around(eventbridge, "_pattern_event_view", _view)
    seams.around(eventbridge, "_dispatch_to_event_bus", _to_bus)


def policy_allows(policy: Any, bus_arn: str, caller: str, context: Mapping[str, str]) -> bool:
    """Whether the bus's policy lets `caller` (an ARN) put an event with these condition keys."""
    question = EvalContext(
        principal_arn=caller,
        principal_type="AssumedRole" if ":assumed-role/" in caller else "Root",
        principal_account=caller.split(":")[4],
        action="events:PutEvents",
        resource_arn=bus_arn,
        region=bus_arn.split(":")[3],
        service_context=dict(context),
    )
    return bool(evaluate_resource_policy(policy, question).decision == "Allow")


def _put_events(
    original: Callable[..., Any], request: dict[str, Any], allow_aws_source: bool = False
) -> Any:
    entries = request.get("Entries", [])
    if not any(_foreign(entry) for entry in entries):
        return original(request, allow_aws_source)
    answers = [_put_one(original, entry, allow_aws_source) for entry in entries]
    failed = sum("ErrorCode" in answer for answer in answers)
    return json_response({"FailedEntryCount": failed, "Entries": answers})


def _put_one(original: Callable[..., Any], entry: dict[str, Any], allow_aws_source: bool) -> Any:
    owner = _foreign(entry)
    if not owner:
        return _answer(original({"Entries": [entry]}, allow_aws_source))
    bus_arn = entry["EventBusName"]
    context = {
        "events:source": entry.get("Source", ""),
        "events:detail-type": entry.get("DetailType", ""),
    }
    if not _allowed(bus_arn, caller_arn(), context):
        message = f"{caller_arn()} is not authorized to perform: events:PutEvents on {bus_arn}"
        return {"ErrorCode": "AccessDeniedException", "ErrorMessage": message}
    token = _sender.set(get_account_id())
    try:
        with request_scope(owner, bus_arn.split(":")[3]):
            return _answer(original({"Entries": [entry]}))
    finally:
        _sender.reset(token)


def _view(original: Callable[..., Any], event: MutableMapping[str, Any]) -> Any:
    if _sender.get():
        event["Account"] = _sender.get()
    return original(event)


def _to_bus(
    original: Callable[..., Any],
    spec: Any,
    event: Mapping[str, Any],
    rule: Mapping[str, Any],
    *rest: Any,
) -> None:
    account = get_account_id()
    if spec.account_id == account:
        original(spec, event, rule, *rest)
        return
    context = {
        "events:source": event.get("Source", ""),
        "events:detail-type": event.get("DetailType", ""),
        "aws:sourcearn": rule.get("Arn", ""),
        "aws:sourceaccount": account,
    }
    if not _allowed(str(spec), f"arn:aws:iam::{account}:root", context):
        eventbridge.logger.warning("The policy of %s lets no event of %s in", spec, account)
        return
    with request_scope(spec.account_id, spec.region):
        original(spec, event, rule, *rest)


def _allowed(bus_arn: str, caller: str, context: Mapping[str, str]) -> bool:
    _, _, _, region, owner, resource = bus_arn.split(":", 5)
    name = resource.removeprefix("event-bus/")
    policy = eventbridge._event_bus_policies.get_scoped(owner, region, name)
    return policy_allows(policy, bus_arn, caller, context)


def _foreign(entry: Mapping[str, Any]) -> str:
    """The account that owns the entry's bus, if it is not the caller's own."""
    try:
        spec = parse_arn(entry.get("EventBusName", ""))
    except ArnParseError:
        return ""
    return "" if spec.account_id == get_account_id() else str(spec.account_id)


def _answer(response: Any) -> Any:
    """The only entry of an answer. A refusal of the whole request becomes the entry's error."""
    body = json.loads(response[2])
    if "Entries" in body:
        return body["Entries"][0]
    return {"ErrorCode": body.get("__type", ""), "ErrorMessage": body.get("message", "")}

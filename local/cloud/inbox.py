"""E-mail subscribers of SNS: what they would have received, at `/_local/inbox`.

An e-mail subscription is confirmed at once. GET answers a list of {topic, to, subject, text, at},
oldest first; DELETE empties it.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ministack.services import sns

from local.cloud import seams
from local.control import control

MESSAGES: list[dict[str, str]] = []


def install() -> None:
    seams.around(sns, "_fanout", _fan_out)
    control("inbox")(_door)


def _door(method: str, _body: bytes) -> tuple[int, object]:
    if method == "DELETE":
        MESSAGES.clear()
    return 200, list(MESSAGES)


def _fan_out(
    original: Callable[..., Any],
    topic_arn: str,
    message_id: str,
    message: str,
    subject: str,
    message_structure: str = "",
    message_attributes: Mapping[str, Any] | None = None,
    **more: Any,
) -> None:
    attributes = message_attributes or {}
    original(topic_arn, message_id, message, subject, message_structure, attributes, **more)
    topic = sns._topic_by_arn_any_scope(topic_arn)
    for subscription in topic["subscriptions"] if topic else []:
        if subscription["protocol"] != "email" or not subscription["confirmed"]:
            continue
        text = sns._resolve_message_for_protocol(message, message_structure, "email")
        if sns._matches_filter_policy(subscription, attributes, text):
            MESSAGES.append(
                {
                    "topic": topic_arn,
                    "to": subscription["endpoint"],
                    "subject": subject or "AWS Notification Message",
                    "text": text,
                    "at": datetime.now(UTC).isoformat(timespec="seconds"),
                }
            )

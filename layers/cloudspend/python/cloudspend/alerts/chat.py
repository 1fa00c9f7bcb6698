"""An alert as Amazon Q Developer in chat applications (formerly AWS Chatbot) shows it in Slack
and Microsoft Teams.

It shows messages that follow its custom notification schema and silently drops all others
(its administrator guide, "Custom notifications").
"""

from typing import Any

from cloudspend.alerts.event import Severity
from cloudspend.alerts.ports import Message

# Many people read a channel, so it gets only what needs action.
CHAT_SEVERITIES = (Severity.WARNING, Severity.CRITICAL)
# Slack API reference, "Section block": a longer text is refused.
MAX_TEXT = 3000
# Names and reasons come from others; in Slack, <!channel> would call everybody.
_HARMLESS = str.maketrans("<>", "‹›")


def is_for_chat(message: Message) -> bool:
    """Decide whether chat channels receive the message."""
    return message.severity in CHAT_SEVERITIES


def notification_of(message: Message) -> dict[str, Any]:
    """Return the custom notification of a message. Messages about one subject share a thread."""
    detail = message.detail
    details = detail["details"]
    about = details.get("finding") or details.get("period") or message.detail_type
    return {
        "version": "1.0",
        "source": "custom",
        "id": detail["event_id"],
        "content": {
            "textType": "client-markdown",
            "title": _harmless(message.subject),
            "description": _harmless(detail["summary"]),
            "nextSteps": [_harmless(step) for step in detail["actions"]],
            "keywords": [message.detail_type, message.account_id],
        },
        "metadata": {
            "threadId": f"{message.account_id}/{about}",
            "summary": _harmless(message.subject),
            "eventType": message.detail_type,
        },
    }


def _harmless(text: str) -> str:
    return text.translate(_HARMLESS)[:MAX_TEXT]

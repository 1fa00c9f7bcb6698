"""An alert as Amazon Q Developer in chat applications (formerly AWS Chatbot) shows it in Slack
and Microsoft Teams.

It shows a message in the form of its custom notifications and drops, without a word, one in any
other (its administrator guide, "Custom notifications").
"""

from typing import Any

from cloudspend.alerts.event import Severity
from cloudspend.alerts.ports import Message

# A channel is read by many: what nobody has to act on is not for it.
TOLD = (Severity.WARNING, Severity.CRITICAL)
# Slack API reference, "Section block": a longer text is refused.
MAX_TEXT = 3000
# Names and reasons come from others; in Slack, <!channel> would call everybody.
_HARMLESS = str.maketrans("<>", "‹›")


def is_for_chat(message: Message) -> bool:
    """Whether a channel is to hear of it."""
    return message.severity in TOLD


def notification_of(message: Message) -> dict[str, Any]:
    """The custom notification of a message. What is said of one thing stands in one thread."""
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

"""Messages, and the topics that they are published to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Message:
    """An alert as a person reads it, and the event's `detail` for machines.

    `subject` is ASCII of at most 100 characters, one line.
    """

    subject: str
    text: str
    severity: str
    account_id: str
    detail_type: str
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """Return what machines receive: the event's `detail` with its type, subject and text."""
        return {
            "detail_type": self.detail_type,
            "subject": self.subject,
            "text": self.text,
            **self.detail,
        }


class Topics(Protocol):
    """A topic of text for each severity, one of JSON for all, and one for chat."""

    def publish(self, message: Message) -> None:
        """Publish the text, the `body` as JSON, and the chat notification.

        Raises TransientError; the caller then publishes all three again.
        """

"""Where alerts go."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Message:
    """An alert as a person reads it. `subject` is ASCII of at most 100 characters, one line."""

    subject: str
    text: str
    severity: str
    account_id: str
    detail_type: str


class Topics(Protocol):
    """A topic for each severity."""

    def publish(self, message: Message) -> None:
        """Publish to the topic of the message's severity. Raises TransientError."""

"""Events, as they are put on the bus."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, Self

VERSION = "1"


class Severity(StrEnum):
    """INFO: nothing to do. WARNING: look at it today. CRITICAL: figures are wrong or missing."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True)
class EventAccount:
    """Account that an event is about."""

    id: str
    name: str
    # ORGANIZATION or LINKED; PLATFORM for events that concern all accounts.
    type: str

    @classmethod
    def platform(cls, account_id: str) -> Self:
        """Return CloudSpend itself, in its own account."""
        return cls(account_id, "CloudSpend", "PLATFORM")


@dataclass(frozen=True)
class Event:
    """Event about one outcome."""

    detail_type: str
    account: EventAccount
    severity: Severity
    # Identifies the outcome, for example a generation or an invitation. Repeats of an outcome have
    # the same subject, and therefore the same `event_id`.
    subject: str
    summary: str
    details: Mapping[str, Any]
    actions: tuple[str, ...]

    @property
    def event_id(self) -> str:
        """Return the id that all repeats of an outcome share. Subscribers drop duplicates by it."""
        identity = f"{self.detail_type}\n{self.account.id}\n{self.subject}"
        return hashlib.sha256(identity.encode()).hexdigest()[:32]

    @property
    def detail(self) -> dict[str, Any]:
        """Return the `detail` of the EventBridge event, JSON-ready."""
        return {
            "version": VERSION,
            "event_id": self.event_id,
            "account": {
                "id": self.account.id,
                "name": self.account.name,
                "type": self.account.type,
            },
            "severity": str(self.severity),
            "summary": self.summary,
            "details": json.loads(json.dumps(self.details, default=str)),
            "actions": list(self.actions),
        }


class Bus(Protocol):
    """Event bus."""

    def put(self, event: Event) -> None:
        """Put `event` on the bus. Raises TransientError when the bus rejects it."""

"""What happened, as the bus carries it."""

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
    """The account that an event is about; `type` is ORGANIZATION or LINKED, or PLATFORM for what
    concerns all of them."""

    id: str
    name: str
    type: str

    @classmethod
    def platform(cls, account_id: str) -> Self:
        """CloudSpend itself, in its own account."""
        return cls(account_id, "CloudSpend", "PLATFORM")


@dataclass(frozen=True)
class Event:
    """One outcome. `subject` names what happened once (a generation, an account's invitation):
    repeats of the same outcome have the same subject and therefore the same `event_id`."""

    detail_type: str
    account: EventAccount
    severity: Severity
    subject: str
    summary: str
    details: Mapping[str, Any]
    actions: tuple[str, ...]

    @property
    def event_id(self) -> str:
        """The same for every repeat of one outcome, so that a subscriber can drop the second."""
        identity = f"{self.detail_type}\n{self.account.id}\n{self.subject}"
        return hashlib.sha256(identity.encode()).hexdigest()[:32]

    @property
    def detail(self) -> dict[str, Any]:
        """The `detail` of the EventBridge event, JSON-ready."""
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
    """Where events go."""

    def put(self, event: Event) -> None:
        """Hand `event` over. Raises TransientError when the bus does not take it."""

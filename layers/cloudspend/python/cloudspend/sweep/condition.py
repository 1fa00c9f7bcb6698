"""What is wrong with an account for as long as it lasts."""

from dataclasses import dataclass

from cloudspend.alerts.event import Event


@dataclass(frozen=True)
class AccountCondition:
    """What is wrong with an account for as long as it lasts: said once while `state` is the same,
    and again, under another id, when it comes back on another day."""

    state: str
    event: Event

"""Conditions of accounts: problems that last."""

from dataclasses import dataclass

from cloudspend.alerts.event import Event


@dataclass(frozen=True)
class AccountCondition:
    """A problem of an account that lasts.

    Announced once while `state` stays the same, and again, with another event id, when it returns
    on another day.
    """

    state: str
    event: Event

"""Delivery of events from the bus to subscribers."""

from collections.abc import Mapping
from typing import Any

from cloudspend.alerts.message import message_of
from cloudspend.alerts.ports import Topics


def notify(bus_event: Mapping[str, Any], topics: Topics) -> None:
    """Publish the EventBridge event `bus_event` as a message. Raises TransientError."""
    topics.publish(message_of(bus_event["detail-type"], bus_event["detail"]))

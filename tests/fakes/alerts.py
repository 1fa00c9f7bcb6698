"""A bus and topics that remember; what goes in is held against the catalogue's schema and against
the one that is registered in EventBridge."""

import jsonschema

from cloudspend.alerts.catalog import schema_of
from cloudspend.alerts.event import Event
from cloudspend.alerts.ports import Message
from cloudspend.errors import TransientError
from tests.fakes.event_schemas import delivered, registered


class FakeBus:
    """Takes events until `broken` is set."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.broken = False

    def put(self, event: Event) -> None:
        if self.broken:
            raise TransientError("The event bus did not take the event.")
        jsonschema.validate(event.detail, schema_of(event.detail_type))
        registered(event.detail_type).validate(delivered(event))
        self.events.append(event)

    @property
    def kinds(self) -> list[str]:
        return [event.detail_type for event in self.events]


class FakeTopics:
    def __init__(self) -> None:
        self.messages: list[Message] = []

    def publish(self, message: Message) -> None:
        self.messages.append(message)

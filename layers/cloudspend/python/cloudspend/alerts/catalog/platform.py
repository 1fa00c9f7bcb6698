"""What the platform says of itself."""

from collections.abc import Mapping

from cloudspend.alerts import schema as s
from cloudspend.alerts.catalog.event_type import EventType

EVENTS: Mapping[str, EventType] = {
    "TestAlert": EventType(
        None,
        "Alerts of {name} ({id}) arrive: {sender} tries it. This one took the way of all others, "
        "and nothing has happened.",
        ("See who is told of what: cloudspend alerts list.",),
        {"sender": s.TEXT, "sent_at": s.TIME},
    ),
}

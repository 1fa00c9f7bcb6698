"""Every event that CloudSpend puts on its bus.

Each room has a module with one class per event; `ROOMS` lists the modules. Example:

    details = SourceRecovered(source="budgets")
    bus.put(event(details, account.for_events, subject="budgets/2026-11-01"))
"""

from types import ModuleType
from typing import Any

from cloudspend.alerts import schema as s
from cloudspend.alerts.catalog import (
    access,
    accounts,
    collect,
    findings,
    ingest,
    platform,
    reconcile,
    sweep,
)
from cloudspend.alerts.catalog.event_type import EventDetails
from cloudspend.alerts.catalog.formatting import fill, to_json, to_text
from cloudspend.alerts.event import Event, EventAccount, Severity
from cloudspend.errors import Defect

ROOMS: tuple[ModuleType, ...] = (
    accounts,
    access,
    ingest,
    reconcile,
    sweep,
    findings,
    collect,
    platform,
)


def _events(room: ModuleType) -> dict[str, type[EventDetails]]:
    """Return the events that a module defines, in order, by detail type."""
    return {
        name: kind
        for name, kind in vars(room).items()
        if isinstance(kind, type)
        and issubclass(kind, EventDetails)
        and kind.__module__ == room.__name__
        and not name.startswith("_")
    }


CATALOG: dict[str, type[EventDetails]] = {
    name: kind for room in ROOMS for name, kind in _events(room).items()
}


def event(
    details: EventDetails,
    account: EventAccount,
    subject: str,
    *,
    severity: Severity | None = None,
) -> Event:
    """Return the event with these details.

    `subject` identifies the outcome: a repeat has the same subject, and therefore the same
    `event_id`. `severity` is for events without a severity of their own. Lists are cut to the
    largest length of the schema. Raises Defect for an event without a severity.
    """
    kind = type(details)
    weight = kind.severity or severity
    if weight is None:
        raise Defect(f"The event {kind.__name__} was raised without a severity.")
    body = {name: to_json(getattr(details, name)) for name in kind.__struct_fields__}
    for name, most in kind.limits().items():
        body[name] = body[name][:most]
    words = {name: to_text(body[name], schema) for name, schema in kind.schemas().items()}
    words |= {"id": account.id, "name": account.name}
    actions = tuple(text for text in (fill(action, words) for action in kind.actions) if text)
    summary = fill(kind.sentence, words)
    return Event(kind.__name__, account, Severity(weight), subject, summary, body, actions)


def schema_of(detail_type: str) -> dict[str, Any]:
    """Return the JSON Schema of an event's whole `detail`. Raises Defect for an unknown event."""
    kind = kind_of(detail_type)
    return s.envelope(detail_type, kind.severity, s.obj(**kind.schemas()))


def kind_of(detail_type: str) -> type[EventDetails]:
    """Return the class of an event. Raises Defect for an unknown event."""
    if detail_type not in CATALOG:
        raise Defect(f"There is no event {detail_type!r} in the catalog.", known=list(CATALOG))
    return CATALOG[detail_type]

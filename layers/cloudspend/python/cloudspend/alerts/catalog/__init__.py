"""Every event that CloudSpend puts on its bus: severity, sentence, actions and schema.

A module for each room that raises events; `ROOMS` is where they come together. A sentence and its
actions are templates over the account (`{name}`, `{id}`) and the event's details. An action that
comes out empty is left out.
"""

from collections.abc import Mapping
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
from cloudspend.alerts.catalog.event_type import EventType
from cloudspend.alerts.catalog.formatting import to_json, to_text
from cloudspend.alerts.event import Event, EventAccount, Severity
from cloudspend.errors import Defect

ROOMS: tuple[Mapping[str, EventType], ...] = (
    accounts.EVENTS,
    access.EVENTS,
    ingest.EVENTS,
    reconcile.EVENTS,
    sweep.EVENTS,
    findings.EVENTS,
    collect.EVENTS,
    platform.EVENTS,
)
CATALOG: Mapping[str, EventType] = {name: kind for room in ROOMS for name, kind in room.items()}


def event(detail_type: str, account: EventAccount, subject: str, /, **details: Any) -> Event:
    """The event of the catalogue with these details.

    Decimals, dates and enumerations become text; a list is cut to the schema's length, so give
    the largest first. A kind that has no severity of its own is given one beside the details.
    Raises Defect when a key is missing or not in the catalogue.
    """
    kind = kind_of(detail_type)
    weight = kind.severity
    if weight is None:
        weight = Severity(details.pop("severity"))
    body = {key: to_json(value) for key, value in _complete(detail_type, kind, details).items()}
    for key, schema in kind.details.items():
        if "maxItems" in schema:
            body[key] = body[key][: schema["maxItems"]]
    words = {key: to_text(body[key], schema) for key, schema in kind.details.items()}
    words |= {"id": account.id, "name": account.name}
    actions = tuple(filled for filled in (a.format(**words) for a in kind.actions) if filled)
    summary = kind.sentence.format(**words).strip()
    return Event(detail_type, account, weight, subject, summary, body, actions)


def schema_of(detail_type: str) -> dict[str, Any]:
    """The JSON Schema of the event's whole `detail`. Raises Defect when there is no such event."""
    kind = kind_of(detail_type)
    return s.envelope(detail_type, kind.severity, s.obj(**kind.details))


def kind_of(detail_type: str) -> EventType:
    """The entry of the catalogue. Raises Defect when there is none."""
    if detail_type not in CATALOG:
        raise Defect(f"There is no event {detail_type!r} in the catalogue.", known=list(CATALOG))
    return CATALOG[detail_type]


def _complete(detail_type: str, kind: EventType, details: Mapping[str, Any]) -> dict[str, Any]:
    optional = {key: None for key, schema in kind.details.items() if s.is_nullable(schema)}
    given = optional | dict(details)
    if given.keys() != kind.details.keys():
        wrong = sorted(given.keys() ^ kind.details.keys())
        raise Defect(
            f"The event {detail_type} was raised with missing or unknown details: "
            f"{', '.join(wrong)}."
        )
    return given

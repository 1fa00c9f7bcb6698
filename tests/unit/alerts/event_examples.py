"""A plausible event of each kind, made from its schema, so that a new kind needs no values here."""

from decimal import Decimal
from typing import Any

from cloudspend.alerts import schema as s
from cloudspend.alerts.catalog import CATALOG, event
from cloudspend.alerts.event import Event, EventAccount, Severity

ACCOUNT = EventAccount("111111111111", "Acme {Corp}", "ORGANIZATION")
LEAVES: list[tuple[s.Schema, Any]] = [
    (s.COUNT, 7),
    (s.TIME, "2026-11-30T00:00:00+00:00"),
    (s.DAY, "2026-11-30"),
    (s.MONEY, Decimal("1234.5")),
    (s.CURRENCY, "USD"),
    (s.PERIOD, "2026-10"),
    (s.ACCOUNT_ID, "222222222222"),
]


def example(detail_type: str, **given: Any) -> Event:
    """The event with a value that fits for each of its details but those given."""
    kind = CATALOG[detail_type]
    details = {key: value_of(schema, key) for key, schema in kind.schemas().items()}
    return event(kind(**(details | given)), ACCOUNT, "subject", severity=Severity.WARNING)


def value_of(schema: s.Schema, key: str) -> Any:
    """A value that fits `schema`; text says which key it belongs to."""
    if s.is_nullable(schema):
        return value_of(schema["anyOf"][0], key)
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "array":
        return [value_of(schema["items"], f"one of {key}")]
    if schema.get("type") == "object":
        return {name: value_of(kind, name) for name, kind in schema["properties"].items()}
    return next((value for kind, value in LEAVES if schema == kind), f"some {key}")

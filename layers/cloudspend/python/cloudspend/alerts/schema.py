"""Building blocks for the JSON Schemas (draft 2020-12) of events."""

from collections.abc import Iterable, Mapping
from typing import Any

from cloudspend.alerts.event import VERSION, Severity

Schema = Mapping[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TIME: Schema = {"type": "string", "format": "date-time"}
# Money is text: a JSON number would be read as a binary float by most subscribers.
MONEY: Schema = {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}
CURRENCY: Schema = {"type": "string", "pattern": "^[A-Z]{3}$"}
PERIOD: Schema = {"type": "string", "pattern": r"^\d{4}-(0[1-9]|1[0-2])$"}
DAY: Schema = {"type": "string", "format": "date"}
ACCOUNT_ID: Schema = {"type": "string", "pattern": r"^\d{12}$"}


def nullable(schema: Schema) -> Schema:
    """Return a schema that also allows null, for values that can be unknown."""
    return {"anyOf": [schema, {"type": "null"}]}


def is_nullable(schema: Schema) -> bool:
    """Decide whether a schema allows null."""
    return {"type": "null"} in schema.get("anyOf", ())


def one_of(values: Iterable[str]) -> Schema:
    """Return the schema of an enumeration."""
    return {"type": "string", "enum": [str(value) for value in values]}


def obj(**properties: Schema) -> Schema:
    """Return the schema of an object with exactly these properties, all required."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def listing(items: Schema, most: int) -> Schema:
    """Return the schema of a list of at most `most` items, to keep events under 256 KB."""
    return {"type": "array", "items": items, "maxItems": most}


def envelope(detail_type: str, severity: Severity | None, details: Schema) -> dict[str, Any]:
    """Return the schema of a whole event `detail`, as `Event.detail` returns it."""
    weight: Schema = {"const": str(severity)} if severity else one_of(Severity)
    account = obj(id=ACCOUNT_ID, name=TEXT, type=one_of(["ORGANIZATION", "LINKED", "PLATFORM"]))
    body = obj(
        version={"const": VERSION},
        event_id={"type": "string", "pattern": "^[0-9a-f]{32}$"},
        account=account,
        severity=weight,
        summary={"type": "string", "minLength": 1},
        details=details,
        actions={"type": "array", "items": {"type": "string", "minLength": 1}},
    )
    return {"$schema": DIALECT, "title": detail_type, **body}

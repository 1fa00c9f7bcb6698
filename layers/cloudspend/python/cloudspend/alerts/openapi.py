"""The catalogue as OpenAPI 3.0, in the form that EventBridge's schema discovery writes.

Such a schema describes the whole event, of which ours is the `detail`, and code bindings are made
from it. OpenAPI 3.0 knows less than the JSON Schema of the catalogue: no `const`, and no type for
null, which stands as `nullable` beside the type. `$schema` and `title` say nothing to it.
"""

import json
from collections.abc import Mapping
from typing import Any

from cloudspend.alerts import schema as s
from cloudspend.alerts.catalog import kind_of, schema_of
from cloudspend.alerts.event import VERSION
from cloudspend.settings import EVENT_SOURCE

TYPE = "OpenApi3"
EVENT = "AWSEvent"
# Amazon EventBridge Schema Registry API reference, CreateSchema.
MAX_CONTENT = 100_000
MAX_DESCRIPTION = 256

_UNKNOWN_HERE = ("$schema", "title")


def schema_name(detail_type: str) -> str:
    """The name under which discovery would register the event, too."""
    return f"{EVENT_SOURCE}@{detail_type}"


def description(detail_type: str) -> str:
    """What the event says, with its words in braces."""
    return kind_of(detail_type).sentence[:MAX_DESCRIPTION]


def content(detail_type: str) -> str:
    """The document as the registry takes it; the same text for the same catalogue."""
    return json.dumps(document(detail_type), sort_keys=True, separators=(",", ":"))


def document(detail_type: str) -> dict[str, Any]:
    """The OpenAPI document of the event. Raises Defect when there is no such event."""
    schemas = {EVENT: _event(detail_type), detail_type: translated(schema_of(detail_type))}
    return {
        "openapi": "3.0.0",
        "info": {"version": f"{VERSION}.0.0", "title": detail_type},
        "paths": {},
        "components": {"schemas": schemas},
    }


def _event(detail_type: str) -> dict[str, Any]:
    """What EventBridge puts around every detail (Amazon EventBridge user guide, "Events")."""
    properties = {
        "version": s.TEXT,
        "id": s.TEXT,
        "source": s.one_of([EVENT_SOURCE]),
        "account": s.TEXT,
        "time": s.TIME,
        "region": s.TEXT,
        "resources": {"type": "array", "items": s.TEXT},
        "detail-type": s.one_of([detail_type]),
        "detail": {"$ref": f"#/components/schemas/{detail_type}"},
    }
    return {
        "type": "object",
        "required": list(properties),
        "x-amazon-events-source": EVENT_SOURCE,
        "x-amazon-events-detail-type": detail_type,
        "properties": properties,
    }


def translated(schema: s.Schema) -> dict[str, Any]:
    """A schema of the catalogue in OpenAPI's words."""
    if s.is_nullable(schema):
        return _or_null(translated(schema["anyOf"][0]))
    words: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword == "properties":
            words[keyword] = {name: translated(each) for name, each in value.items()}
        elif keyword == "items":
            words[keyword] = translated(value)
        elif keyword == "const":
            words |= s.one_of([value])
        elif keyword not in _UNKNOWN_HERE:
            words[keyword] = value
    return words


def _or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`schema`, or null: an enumeration has to list null beside allowing it."""
    values = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, **values, "nullable": True}

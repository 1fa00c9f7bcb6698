"""OpenAPI 3.0 documents of all events, in the form that EventBridge's schema discovery writes.

Such a document describes the whole event, including the fields around `detail`. Code bindings are
generated from it. OpenAPI 3.0 has no `const` and no null type: a `const` becomes an enumeration of
one value, and null becomes `nullable: true`. It does not use `$schema` and `title`.
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
    """Return the name that schema discovery also uses for the event."""
    return f"{EVENT_SOURCE}@{detail_type}"


def description(detail_type: str) -> str:
    """Return the event's sentence, with its fields in braces."""
    return kind_of(detail_type).sentence[:MAX_DESCRIPTION]


def content(detail_type: str) -> str:
    """Return the document as text for the registry; the same catalog gives the same text."""
    return json.dumps(document(detail_type), sort_keys=True, separators=(",", ":"))


def document(detail_type: str) -> dict[str, Any]:
    """Return the OpenAPI document of an event. Raises Defect for an unknown event."""
    schemas = {EVENT: _event(detail_type), detail_type: translated(schema_of(detail_type))}
    return {
        "openapi": "3.0.0",
        "info": {"version": f"{VERSION}.0.0", "title": detail_type},
        "paths": {},
        "components": {"schemas": schemas},
    }


def _event(detail_type: str) -> dict[str, Any]:
    """Return the schema of the fields around `detail` (Amazon EventBridge User Guide, "Events")."""
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
    """Translate a schema of the catalog to OpenAPI."""
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
    """Allow null. An enumeration also has to list null as a value."""
    values = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, **values, "nullable": True}

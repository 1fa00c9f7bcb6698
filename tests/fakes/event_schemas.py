"""Whole events held against the schemas that are registered in EventBridge."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema
from jsonschema.validators import extend

from cloudspend.alerts.event import Event
from cloudspend.alerts.openapi import EVENT, document


def _type(validator: Any, kind: str, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    if instance is None and schema.get("nullable"):
        return
    yield from jsonschema.Draft4Validator.VALIDATORS["type"](validator, kind, instance, schema)


# A schema of OpenAPI 3.0 is one of JSON Schema's draft 4 or 5, but for `nullable`
# (OpenAPI Specification 3.0.3, "Schema Object").
OpenApiValidator = extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft4Validator, {"type": _type}
)


@cache
def registered(detail_type: str) -> Any:
    """What judges whole events by the registered schema of `detail_type`."""
    whole = document(detail_type)
    return OpenApiValidator({"$ref": f"#/components/schemas/{EVENT}", **whole})


def delivered(event: Event) -> dict[str, Any]:
    """The event as EventBridge hands it to targets."""
    return {
        "version": "0",
        "id": "00000000-0000-0000-0000-000000000000",
        "detail-type": event.detail_type,
        "source": "cloudspend",
        "account": "222222222222",
        "time": "2026-11-30T00:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": event.detail,
    }

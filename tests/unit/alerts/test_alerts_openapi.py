"""Documents in the EventBridge schema registry match the schemas of the catalog."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import pytest

from cloudspend.alerts import schema as s
from cloudspend.alerts.catalog import CATALOG, schema_of
from cloudspend.alerts.openapi import (
    MAX_CONTENT,
    MAX_DESCRIPTION,
    content,
    description,
    document,
    translated,
)
from tests.fakes.event_schemas import OpenApiValidator, delivered, registered
from tests.unit.alerts.event_examples import example

# OpenAPI Specification 3.0.3, "Schema Object", as far as events need it.
KEYWORDS = {
    *("type", "properties", "required", "additionalProperties", "items", "maxItems", "enum"),
    *("format", "pattern", "minimum", "minLength", "nullable", "$ref"),
}

OTHERS: tuple[Any, ...] = (None, 7, [], "?", {})


def mutations(detail: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The detail with one thing changed: a key gone, null, of another type, or too many."""
    for key in detail:
        yield {name: value for name, value in detail.items() if name != key}
        for other in OTHERS:
            yield {**detail, key: other}
    yield {**detail, "more": 1}
    if isinstance(detail.get("details"), Mapping):
        for changed in mutations(detail["details"]):
            yield {**detail, "details": changed}


@pytest.mark.parametrize("detail_type", CATALOG)
def test_the_registered_schema_takes_what_the_catalogue_takes_and_nothing_else(
    detail_type: str,
) -> None:
    event = example(detail_type)
    own = jsonschema.Draft202012Validator(schema_of(detail_type))
    theirs = registered(detail_type)
    assert theirs.is_valid(delivered(event))
    judged = [
        (own.is_valid(detail), theirs.is_valid({**delivered(event), "detail": detail}), detail)
        for detail in mutations(event.detail)
    ]
    assert [detail for ours, other, detail in judged if ours != other] == []
    assert not all(ours for ours, _, _ in judged)


@pytest.mark.parametrize("value", [None, "a", "b", 7])
def test_a_choice_that_may_be_null_allows_null(value: Any) -> None:
    choice = s.nullable(s.one_of(["a"]))
    ours = jsonschema.Draft202012Validator(choice).is_valid(value)
    assert OpenApiValidator(translated(choice)).is_valid(value) is ours


@pytest.mark.parametrize("changed", [{"source": "aws.s3"}, {"detail-type": "PeriodRestated"}])
def test_it_describes_the_whole_event(changed: dict[str, str]) -> None:
    event = delivered(example("PeriodPublished"))
    assert not registered("PeriodPublished").is_valid(event | changed)
    del event["detail-type"]
    assert not registered("PeriodPublished").is_valid(event)


def test_it_is_written_as_discovery_writes_it() -> None:
    described = document("PeriodPublished")["components"]["schemas"]["AWSEvent"]
    assert described["x-amazon-events-source"] == "cloudspend"
    assert described["x-amazon-events-detail-type"] == "PeriodPublished"
    assert described["properties"]["detail"] == {"$ref": "#/components/schemas/PeriodPublished"}


@pytest.mark.parametrize("detail_type", CATALOG)
def test_it_uses_no_word_that_openapi_does_not_know(detail_type: str) -> None:
    assert set(_keywords(document(detail_type)["components"]["schemas"][detail_type])) <= KEYWORDS


@pytest.mark.parametrize("detail_type", CATALOG)
def test_it_fits_into_the_registry(detail_type: str) -> None:
    assert len(content(detail_type)) <= MAX_CONTENT
    assert 0 < len(description(detail_type)) <= MAX_DESCRIPTION
    assert json.loads(content(detail_type)) == document(detail_type)


def _keywords(schema: Mapping[str, Any]) -> Iterator[str]:
    for keyword, value in schema.items():
        yield keyword
        if keyword == "properties":
            for each in value.values():
                yield from _keywords(each)
        if keyword == "items":
            yield from _keywords(value)

"""The registered schemas: one for each event, in sizes that CloudFormation takes."""

import json
import re
from pathlib import Path

from cloudspend import settings
from cloudspend.alerts.catalog import CATALOG
from cloudspend.alerts.openapi import document
from tests.stacks.stacks_reading import Template, of_type, only

SCHEMAS = "cloudspend-schemas"
# AWS CloudFormation user guide, "Quotas": resources of a template, and bytes of one in S3.
MAX_RESOURCES = 500
MAX_TEMPLATE = 1_000_000
# Amazon EventBridge Schema Registry API reference, CreateSchema.
NAME = re.compile(r"[0-9A-Za-z_.@-]{1,385}")


def test_every_event_is_registered_as_the_catalogue_has_it(templates: dict[str, Template]) -> None:
    template = templates[SCHEMAS]
    assert only(template, "AWS::EventSchemas::Registry")["RegistryName"] == settings.SCHEMA_REGISTRY
    schemas = of_type(template, "AWS::EventSchemas::Schema").values()
    assert {each["RegistryName"] for each in schemas} == {settings.SCHEMA_REGISTRY}
    assert {each["Type"] for each in schemas} == {"OpenApi3"}
    assert {each["SchemaName"]: json.loads(each["Content"]) for each in schemas} == {
        f"cloudspend@{detail_type}": document(detail_type) for detail_type in CATALOG
    }
    assert all(NAME.fullmatch(each["SchemaName"]) for each in schemas)


def test_the_registry_is_there_before_its_schemas(templates: dict[str, Template]) -> None:
    resources = templates[SCHEMAS]["Resources"]
    assert {
        tuple(each["DependsOn"])
        for each in resources.values()
        if each["Type"] == "AWS::EventSchemas::Schema"
    } == {("Registry",)}


def test_the_template_has_room_for_twice_as_many(assembly: Path) -> None:
    text = (assembly / f"{SCHEMAS}.template.json").read_bytes()
    assert 2 * len(text) < MAX_TEMPLATE
    assert 2 * len(json.loads(text)["Resources"]) < MAX_RESOURCES

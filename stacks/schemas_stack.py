"""The catalogue of events in EventBridge's schema registry, for those who build on it."""

from aws_cdk import Stack
from aws_cdk import aws_eventschemas as eventschemas
from constructs import Construct

from cloudspend import settings as names
from cloudspend.alerts import openapi
from cloudspend.alerts.catalog import CATALOG


class SchemasStack(Stack):
    """A stack of its own: no event waits for its schema, and what keeps one from being registered
    keeps no alert back."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, description="CloudSpend: schemas of its events")
        registry = eventschemas.CfnRegistry(
            self,
            "Registry",
            registry_name=names.SCHEMA_REGISTRY,
            description="What CloudSpend puts on its event bus",
        )
        for detail_type in CATALOG:
            schema = eventschemas.CfnSchema(
                self,
                detail_type,
                registry_name=names.SCHEMA_REGISTRY,
                schema_name=openapi.schema_name(detail_type),
                type=openapi.TYPE,
                description=openapi.description(detail_type),
                content=openapi.content(detail_type),
            )
            # The registry is named, not referred to: its reference is an ARN.
            schema.add_resource_dependency(registry)

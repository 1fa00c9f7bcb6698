"""CloudFormation types that ministack refuses.

AWS::Events::EventBusPolicy, AWS::CUR::ReportDefinition and AWS::BCMDataExports::Export have their
effect, and AWS::CloudFormation::StackSet has its in `stack_sets`. The types of `RECORDED_ONLY` are
accepted and listed by `cloudspend local status`; nothing acts on them here.
"""

import json
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge
from ministack.services.cloudformation import provisioners

from local.billing import data_exports
from local.billing.cur import create_definition, delete_definition

Properties = Mapping[str, Any]
Created = tuple[str, dict[str, Any]]

# The type, and the property that names the resource (None: CloudFormation makes the name).
RECORDED_ONLY = {
    "AWS::Athena::NamedQuery": None,
    "AWS::CloudTrail::Trail": "TrailName",
    "AWS::CloudWatch::CompositeAlarm": "AlarmName",
    "AWS::Events::Archive": "ArchiveName",
    "AWS::EventSchemas::Registry": "RegistryName",
    "AWS::EventSchemas::Schema": "SchemaName",
    "AWS::Logs::QueryDefinition": None,
}

# (account, region, type, physical id): what is recorded and has no effect.
RECORDED: dict[tuple[str, str, str, str], Properties] = {}

_CUR_REGION = "us-east-1"


def install() -> None:
    handlers = provisioners._RESOURCE_HANDLERS
    handlers["AWS::Events::EventBusPolicy"] = {
        "create": _create_bus_policy,
        "update": _update_bus_policy,
        "delete": _delete_bus_policy,
    }
    handlers["AWS::CUR::ReportDefinition"] = {
        "create": _create_report,
        "update": _update_report,
        "delete": _delete_report,
    }
    handlers["AWS::BCMDataExports::Export"] = {
        "create": _create_export,
        "update": _update_export,
        "delete": _delete_export,
    }
    for resource_type, name in RECORDED_ONLY.items():
        handlers[resource_type] = _recorder(resource_type, name)


def _create_bus_policy(_logical_id: str, properties: Properties, _stack: str) -> Created:
    bus = _bus(properties)
    statement = _statement(properties, bus)
    policy = eventbridge._event_bus_policies.get(bus) or {"Version": "2012-10-17", "Statement": []}
    kept = [old for old in policy["Statement"] if old.get("Sid") != statement["Sid"]]
    eventbridge._event_bus_policies[bus] = {**policy, "Statement": [*kept, statement]}
    return f"{bus}|{statement['Sid']}", {}


def _update_bus_policy(_physical_id: str, old: Properties, new: Properties, stack: str) -> Created:
    _delete_bus_policy("", old)
    return _create_bus_policy("", new, stack)


def _delete_bus_policy(_physical_id: str, properties: Properties) -> None:
    eventbridge._remove_permission(
        {"EventBusName": _bus(properties), "StatementId": properties["StatementId"]}
    )


def _bus(properties: Properties) -> str:
    return str(properties.get("EventBusName", "default")).rpartition("/")[2]


def _statement(properties: Properties, bus: str) -> dict[str, Any]:
    """The policy statement: given whole, or by the older properties Action and Principal."""
    arn = f"arn:aws:events:{get_region()}:{get_account_id()}:event-bus/{bus}"
    given = properties.get("Statement")
    if isinstance(given, str):
        given = json.loads(given)
    statement = given or {
        "Effect": "Allow",
        "Principal": properties.get("Principal"),
        "Action": properties.get("Action"),
        "Resource": arn,
    }
    return {**statement, "Sid": properties["StatementId"]}


def _create_report(_logical_id: str, properties: Properties, _stack: str) -> Created:
    """Raises ValueError outside us-east-1, where the Cost and Usage Reports API lives."""
    if get_region() != _CUR_REGION:
        raise ValueError(f"AWS::CUR::ReportDefinition exists in {_CUR_REGION} only.")
    return create_definition(get_account_id(), properties), {}


def _update_report(physical_id: str, _old: Properties, new: Properties, stack: str) -> Created:
    delete_definition(get_account_id(), physical_id)
    return _create_report("", new, stack)


def _delete_report(physical_id: str, _properties: Properties) -> None:
    delete_definition(get_account_id(), physical_id)


def _create_export(_logical_id: str, properties: Properties, _stack: str) -> Created:
    """Raises ValueError outside us-east-1, where the Data Exports API lives."""
    if get_region() != data_exports.REGION:
        raise ValueError(f"AWS::BCMDataExports::Export exists in {data_exports.REGION} only.")
    arn = data_exports.create_for_stack(get_account_id(), properties)
    return arn, {"ExportArn": arn}


def _update_export(physical_id: str, _old: Properties, new: Properties, stack: str) -> Created:
    _delete_export(physical_id, {})
    return _create_export("", new, stack)


def _delete_export(physical_id: str, _properties: Properties) -> None:
    data_exports.delete_for_stack(get_account_id(), physical_id)


def _recorder(resource_type: str, name: str | None) -> dict[str, Any]:
    def key(physical_id: str) -> tuple[str, str, str, str]:
        return get_account_id(), get_region(), resource_type, physical_id

    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        physical_id = str(properties.get(name or "") or f"{stack}-{logical_id}")
        RECORDED[key(physical_id)] = properties
        service = resource_type.split("::")[1].lower()
        arn = f"arn:aws:{service}:{get_region()}:{get_account_id()}:{physical_id}"
        return physical_id, {"Arn": arn}

    def update(physical_id: str, _old: Properties, new: Properties, _stack: str) -> Created:
        RECORDED[key(physical_id)] = new
        return physical_id, {}

    def delete(physical_id: str, _properties: Properties) -> None:
        RECORDED.pop(key(physical_id), None)

    return {"create": create, "update": update, "delete": delete}

"""Making and reading templates: intrinsic functions as plain text, resources, a role's grants."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aws_cdk import App

from app import build
from stacks.stage import Stage

ROOT = Path(__file__).parents[2]
Template = Mapping[str, Any]
NO_VALUE = {"Ref": "AWS::NoValue"}


def synthesized(folder: Path, stage: Stage) -> Path:
    """Synthesize `stage` as the CDK command line would, but without the built layer."""
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(outdir=str(folder), context=context, analytics_reporting=False)
    build(app, replace(stage, dependencies_layer=False)).synth()
    return folder


def plain(value: Any) -> str:
    """A value as a person would write it; what CloudFormation fills in is in `<>`."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::ImportValue": name}:
            return f"<{name}>"
        case {"Fn::Join": ["", parts]}:
            return "".join(plain(part) for part in parts)
        case {"Fn::Sub": text}:
            return str(text).replace("${", "<").replace("}", ">")
    raise AssertionError(f"no plain form of {value}")


def as_created(template: Template, **parameters: str) -> dict[str, Any]:
    """The template as CloudFormation sees it once `parameters` decide its conditions: resources
    that are not created are gone, and of every `Fn::If` one branch is left."""
    values = {
        name: parameters.get(name, declared.get("Default"))
        for name, declared in template["Parameters"].items()
    }

    def holds(expression: Any) -> bool:
        return _holds(expression, values, template["Conditions"])

    def decided(value: Any) -> Any:
        match value:
            case {"Fn::If": [name, yes, no]}:
                return decided(yes if holds(template["Conditions"][name]) else no)
            case {"Fn::Select": [0, [first, *_]]}:
                return decided(first)
            case dict():
                found = {key: decided(each) for key, each in value.items()}
                return {key: each for key, each in found.items() if each != NO_VALUE}
            case list():
                return [decided(each) for each in value]
        return value

    resources = {
        name: decided(resource)
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or holds(template["Conditions"][resource["Condition"]])
    }
    return {**template, "Resources": resources}


def _holds(expression: Any, values: Mapping[str, Any], conditions: Mapping[str, Any]) -> bool:
    """Whether a condition's expression is true for the parameters' `values`."""
    match expression:
        case {"Fn::Equals": [{"Ref": name}, value]}:
            return bool(values[name] == value)
        case {"Fn::Not": [negated]}:
            return not _holds(negated, values, conditions)
        case {"Fn::And": both}:
            return all(_holds(each, values, conditions) for each in both)
        case {"Condition": name}:
            return _holds(conditions[name], values, conditions)
    raise AssertionError(f"no value of {expression}")


def of_type(template: Template, kind: str) -> dict[str, Any]:
    """The properties of the resources of one type, by logical id."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def only(template: Template, kind: str) -> Any:
    """The properties of the only resource of a type."""
    (found,) = of_type(template, kind).values()
    return found


def grants(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each action with each resource that a policy document allows it on."""
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow"
        for action in as_list(statement["Action"]):
            for resource in as_list(statement["Resource"]):
                yield action, plain(resource)


def role_grants(template: Template, role: str) -> set[tuple[str, str]]:
    """What the role with this logical id may do, by all policies of its template."""
    found: set[tuple[str, str]] = set()
    for policy in of_type(template, "AWS::IAM::Policy").values():
        if {"Ref": role} in policy["Roles"]:
            found |= set(grants(policy["PolicyDocument"]))
    return found


def function_role(template: Template, name: str) -> str:
    """The logical id of a function's role, by the function's name."""
    for properties in of_type(template, "AWS::Lambda::Function").values():
        if properties["FunctionName"] == name:
            role: str = properties["Role"]["Fn::GetAtt"][0]
            return role
    raise AssertionError(f"there is no function {name}")


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

"""What AWS's published service models say of requests and answers, as a judgement.

A service that the local cloud adds is a fake, and a fake must take nothing and say nothing that AWS
would not. botocore checks structure, types and lower bounds; it leaves enumerations, patterns and
upper bounds to the service, so that these are checked here. Patterns are Java's, with classes and
flags that Python's own `re` does not know.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import regex
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

# Errors that every AWS service can answer with (AWS API reference, "Common Errors").
COMMON_ERRORS = frozenset(
    {
        "AccessDeniedException",
        "InternalFailure",
        "ServiceUnavailable",
        "ThrottlingException",
        "UnknownOperationException",
        "ValidationException",
    }
)


@cache
def service_model(service: str) -> ServiceModel:
    """botocore's model of `service` (botocore's name for it, e.g. `ce`)."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def request_problem(service: str, operation: str, value: object) -> str:
    """Why AWS would refuse the request, or nothing. Raises KeyError for an unknown operation."""
    return _problem(_operation(service, operation).input_shape, value)


def answer_problem(service: str, operation: str, value: object) -> str:
    """Why AWS would not give this answer, or nothing."""
    return _problem(_operation(service, operation).output_shape, value)


def error_problem(service: str, operation: str, code: str) -> str:
    """Why AWS would not answer `operation` with the error `code`, or nothing."""
    modelled = {shape.name for shape in _operation(service, operation).error_shapes}
    if code in modelled | COMMON_ERRORS:
        return ""
    return f"{code} is no error of {service}:{operation}"


def _operation(service: str, operation: str) -> OperationModel:
    model = service_model(service)
    if operation not in model.operation_names:
        raise KeyError(f"{service} has no operation {operation}")
    return model.operation_model(operation)


def _problem(shape: Shape | None, value: object) -> str:
    if shape is None:
        return "" if value in ({}, None) else "members where the model has none"
    if not isinstance(value, dict):
        return f"{value!r} where the model has a structure"
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        return str(report.generate_report())
    return "; ".join(_beyond_botocore(shape, value, shape.name))


def _beyond_botocore(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """Violations of enumerations, patterns and upper bounds, wherever they are in `value`."""
    if isinstance(shape, StructureShape):
        for name, member in value.items():
            yield from _beyond_botocore(shape.members[name], member, f"{path}.{name}")
    elif isinstance(shape, ListShape):
        yield from _too_large(shape, len(value), path)
        for index, member in enumerate(value):
            yield from _beyond_botocore(shape.member, member, f"{path}[{index}]")
    elif isinstance(shape, MapShape):
        for name, member in value.items():
            yield from _beyond_botocore(shape.value, member, f"{path}.{name}")
    elif shape.type_name == "string":
        yield from _wrong_text(shape, value, path)
    elif shape.type_name in {"integer", "long"}:
        yield from _too_large(shape, value, path)


def _wrong_text(shape: Shape, text: str, path: str) -> Iterator[str]:
    yield from _too_large(shape, len(text), path)
    allowed = shape.metadata.get("enum")
    if allowed and text not in allowed:
        yield f"{path}: {text!r} is none of {', '.join(allowed)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not regex.fullmatch(pattern, text):
        yield f"{path}: {text!r} does not match {pattern}"


def _too_large(shape: Shape, size: int, path: str) -> Iterator[str]:
    most = shape.metadata.get("max")
    if most is not None and size > most:
        yield f"{path}: {size} is more than {most}"

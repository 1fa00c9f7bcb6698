"""Cost Explorer's filter expressions (API reference, `Expression`)."""

from collections.abc import Callable, Mapping
from typing import Any

from local.services import ServiceError

Dimensions = Mapping[str, str]
Test = Callable[[Dimensions], bool]

# The dimensions by which a line item can be filtered and grouped.
DIMENSIONS = frozenset(
    {
        "LINKED_ACCOUNT",
        "OPERATION",
        "RECORD_TYPE",
        "REGION",
        "SERVICE",
        "SERVICE_CODE",
        "USAGE_TYPE",
    }
)


def known_dimension(key: str) -> str:
    """`key`, if line items have it. Raises ServiceError."""
    if key not in DIMENSIONS:
        raise ServiceError(
            "ValidationException",
            f"{key} is no dimension of the local Cost Explorer; it has {sorted(DIMENSIONS)}.",
        )
    return key


def compile_filter(expression: Mapping[str, Any] | None) -> Test:
    """The expression as a test of a line item. Raises ServiceError for what AWS refuses (not
    exactly one member, And/Or of less than two) and for what is not modelled (tags, categories)."""
    if expression is None:
        return lambda _: True
    if len(expression) != 1:
        raise ServiceError("ValidationException", "An expression has exactly one root.")
    ((kind, value),) = expression.items()
    if kind == "Dimensions":
        return _dimension(value)
    if kind == "Not":
        inner = compile_filter(value)
        return lambda item: not inner(item)
    if kind in {"And", "Or"}:
        return _combined(kind, value)
    raise ServiceError("ValidationException", f"The local Cost Explorer has no filter by {kind}.")


def _dimension(value: Mapping[str, Any]) -> Test:
    key = known_dimension(value.get("Key", ""))
    wanted = frozenset(value.get("Values", ()))
    options = set(value.get("MatchOptions", ()))
    if not wanted:
        raise ServiceError("ValidationException", f"The filter by {key} has no values.")
    if options - {"EQUALS", "CASE_SENSITIVE"}:
        raise ServiceError(
            "ValidationException", f"The local Cost Explorer has no match option {sorted(options)}."
        )
    return lambda item: item[key] in wanted


def _combined(kind: str, expressions: list[Mapping[str, Any]]) -> Test:
    if len(expressions) < 2:
        raise ServiceError("ValidationException", f"{kind} combines at least two expressions.")
    tests = [compile_filter(expression) for expression in expressions]
    combine = all if kind == "And" else any
    return lambda item: combine(test(item) for test in tests)

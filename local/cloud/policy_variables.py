"""Variables in the resources of a policy's statement, as `${aws:username}`, which ministack takes
for text (IAM user guide, "Policy variables"). A statement whose variable has no value in a request
does not match it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext, ParsedStatement

from local.cloud import seams

_VARIABLE = re.compile(r"\$\{(\w+:[^}]+)\}")


def install() -> None:
    seams.around(iam_evaluator, "_first_match", _first_match)


def _first_match(
    original: Callable[..., Any],
    context: EvalContext,
    statements: Sequence[ParsedStatement],
    effect: str,
) -> Any:
    return original(context, [_filled_in(one, context) for one in statements], effect)


def _filled_in(statement: ParsedStatement, context: EvalContext) -> ParsedStatement:
    if not any(_VARIABLE.search(resource) for resource in statement.resources):
        return statement

    def value(variable: re.Match[str]) -> str:
        found = iam_evaluator._resolve_condition_key(variable[1], context)
        return found if isinstance(found, str) else variable[0]

    resources = [_VARIABLE.sub(value, resource) for resource in statement.resources]
    return replace(statement, resources=resources)

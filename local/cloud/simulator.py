"""IAM's simulator for a role: what it says that the role may do, without doing it.

ministack's answers for the first resource alone, without what the caller says of the request (so
that a statement with a condition allows nothing), for roles without a path, and without boundaries.
IAM API reference, SimulatePrincipalPolicy and EvaluationResult: one result for each action, whose
decision is the most restrictive one of all resources.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam

from local import awsmodel
from local.cloud import seams

OPERATION = "SimulatePrincipalPolicy"
# From the most restrictive one on; as ministack's evaluator and as IAM name them.
DECISIONS = {"Deny": "explicitDeny", "ImplicitDeny": "implicitDeny", "Allow": "allowed"}

Parameters = Mapping[str, Any]
Policies = list[list[iam_evaluator.ParsedStatement]]
Result = dict[str, Any]


@dataclass(frozen=True)
class Role:
    """A role's policies, and the boundaries that limit what they allow."""

    arn: str
    policies: Policies
    limits: Sequence[Policies] = ()


@dataclass(frozen=True)
class Question:
    """What the simulator is asked: each action on each resource, and what the request is like."""

    actions: Sequence[str]
    resources: Sequence[str] = ("*",)
    context: Mapping[str, Any] = field(default_factory=dict)


def install() -> None:
    seams.around(iam, "_simulate_principal_policy", _answer)
    # The table of handlers was made before, so that it holds the original.
    iam._IAM_HANDLERS[OPERATION] = iam._simulate_principal_policy


def simulate(question: Question, role: Role) -> list[Result]:
    """The results as IAM's API has them."""
    return [_result(action, question, role) for action in question.actions]


def _result(action: str, question: Question, role: Role) -> Result:
    found = {
        resource: DECISIONS[_decision(action, resource, question.context, role)]
        for resource in question.resources
    }
    return {
        "EvalActionName": action,
        "EvalResourceName": question.resources[0],
        "EvalDecision": min(found.values(), key=list(DECISIONS.values()).index),
        "MissingContextValues": [],
        "ResourceSpecificResults": [
            {"EvalResourceName": resource, "EvalResourceDecision": decision}
            for resource, decision in found.items()
        ],
    }


def _decision(action: str, resource: str, context: Mapping[str, Any], role: Role) -> str:
    request = iam_evaluator.EvalContext(
        principal_arn=role.arn,
        principal_type="AssumedRole",
        principal_account=role.arn.split(":")[4],
        action=action,
        resource_arn=resource,
        region=get_region(),
        secure_transport=True,
        # The evaluator looks them up in lower case.
        service_context={key.lower(): values for key, values in context.items()},
    )
    return str(iam_evaluator.evaluate(request, role.policies, *role.limits).decision)


def _answer(original: Any, parameters: Parameters) -> Any:
    arn = _first(parameters, "PolicySourceArn")
    _, _, path = arn.partition(":role/")
    name = path.rpartition("/")[2]
    if not name:  # a user or a group
        return original(parameters)
    account = get_account_id()
    if iam._roles.get_scoped(account, None, name) is None:
        return iam._error(404, "NoSuchEntity", f"The role with name {name} cannot be found.")
    role = Role(
        arn,
        iam_evaluator._gather_role_policies(name, account),
        iam_evaluator._permissions_boundary(iam._roles, name, account),
    )
    results = simulate(_question(parameters), role)
    wrong = awsmodel.answer_problem("iam", OPERATION, {"EvaluationResults": results})
    if wrong:
        raise ValueError(wrong)
    return iam._xml(200, f"{OPERATION}Response", _xml(f"{OPERATION}Result", _body(results)))


def _question(parameters: Parameters) -> Question:
    entries = "ContextEntries.member"
    context = {
        _first(parameters, f"{entries}.{n}.ContextKeyName"): list(
            _members(parameters, f"{entries}.{n}.ContextKeyValues")
        )
        for n, _ in enumerate(_members(parameters, entries, ".ContextKeyName"), start=1)
    }
    return Question(
        list(_members(parameters, "ActionNames")),
        list(_members(parameters, "ResourceArns")) or ("*",),
        # One value is a value, several are a set.
        {key: values if len(values) > 1 else values[0] for key, values in context.items()},
    )


def _members(parameters: Parameters, name: str, rest: str = "") -> Iterator[str]:
    """The members of a list in AWS's query protocol, which counts them from 1."""
    stem = name if name.endswith(".member") else f"{name}.member"
    n = 1
    while value := _first(parameters, f"{stem}.{n}{rest}"):
        yield value
        n += 1


def _first(parameters: Parameters, name: str) -> str:
    value = parameters.get(name) or ""
    return str(value[0] if isinstance(value, list) else value)


def _body(results: Sequence[Result]) -> str:
    return _xml("EvaluationResults", _list(results)) + _xml("IsTruncated", "false")


def _list(values: Sequence[Any]) -> str:
    return "".join(_xml("member", _value(value)) for value in values)


def _value(value: Any) -> str:
    match value:
        case dict():
            return "".join(_xml(key, _value(one)) for key, one in value.items())
        case list():
            return _list(value)
    return escape(str(value))


def _xml(tag: str, inner: str) -> str:
    return f"<{tag}>{inner}</{tag}>"

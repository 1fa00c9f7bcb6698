"""Variables in the resources of a policy's statement."""

from typing import Any

import pytest
from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext, EvalResult, parse_policy_document

from local.cloud import policy_variables

USERS = "arn:aws:iam::111111111111:user"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    # Put back what `install` replaces.
    monkeypatch.setattr(iam_evaluator, "_first_match", iam_evaluator._first_match)
    policy_variables.install()


def judged(resource: str, granted: str, **keys: Any) -> str:
    context = EvalContext(
        principal_arn=f"{USERS}/one",
        principal_type="User",
        principal_account="111111111111",
        action="iam:ListAccessKeys",
        resource_arn=resource,
        region="us-east-1",
        principal_keys=keys,
    )
    allowed = {"Effect": "Allow", "Action": "iam:ListAccessKeys", "Resource": granted}
    document = {"Version": "2012-10-17", "Statement": [allowed]}
    result: EvalResult = iam_evaluator.evaluate(context, [parse_policy_document(document)])
    return str(result.decision)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("resource", "keys", "decision"),
    [
        (f"{USERS}/one", {"aws:username": "one"}, "Allow"),
        (f"{USERS}/two", {"aws:username": "one"}, "ImplicitDeny"),
        (f"{USERS}/one", {}, "ImplicitDeny"),
    ],
)
def test_a_variable_stands_for_what_the_request_has(
    resource: str, keys: dict[str, str], decision: str
) -> None:
    assert judged(resource, f"{USERS}/${{aws:username}}", **keys) == decision


@pytest.mark.usefixtures("installed")
def test_a_resource_without_variables_is_as_it_stands() -> None:
    assert judged(f"{USERS}/one", f"{USERS}/o*") == "Allow"

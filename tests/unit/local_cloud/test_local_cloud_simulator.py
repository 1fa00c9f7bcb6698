"""The simulator of IAM: what a role may do, by its statements, their conditions, its boundary."""

from typing import Any

import pytest
from ministack.core.iam_evaluator import parse_policy_document

from local import awsmodel
from local.cloud.simulator import OPERATION, Question, Role, simulate

BUCKET = "arn:aws:s3:::bills"
ROLE = "arn:aws:iam::111111111111:role/vendors/reader"
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{BUCKET}/in/*"}
LIST = {
    "Effect": "Allow",
    "Action": "s3:ListBucket",
    "Resource": BUCKET,
    "Condition": {"StringLike": {"s3:prefix": "in/*"}},
}
NEVER = {"Effect": "Deny", "Action": "s3:*", "Resource": f"{BUCKET}/in/secret/*"}


def parsed(*statements: dict[str, Any]) -> list[Any]:
    return [parse_policy_document({"Version": "2012-10-17", "Statement": list(statements)})]


def decided(question: Question, *statements: dict[str, Any], limits: Any = ()) -> list[str]:
    results = simulate(question, Role(ROLE, parsed(*statements), limits))
    assert awsmodel.answer_problem("iam", OPERATION, {"EvaluationResults": results}) == ""
    return [result["EvalDecision"] for result in results]


@pytest.mark.parametrize(
    ("resource", "decision"),
    [
        (f"{BUCKET}/in/a", "allowed"),
        (f"{BUCKET}/out/a", "implicitDeny"),
        (f"{BUCKET}/in/secret/a", "explicitDeny"),
    ],
)
def test_an_action_is_judged_on_its_resource(resource: str, decision: str) -> None:
    assert decided(Question(["s3:GetObject"], [resource]), READ, NEVER) == [decision]


@pytest.mark.parametrize(
    ("context", "decision"),
    [
        ({"s3:prefix": "in/2026"}, "allowed"),
        ({"S3:Prefix": "in/2026"}, "allowed"),
        ({"s3:prefix": "out/"}, "implicitDeny"),
        ({}, "implicitDeny"),
    ],
)
def test_a_condition_is_judged_by_what_is_said_of_the_request(
    context: dict[str, str], decision: str
) -> None:
    assert decided(Question(["s3:ListBucket"], [BUCKET], context), LIST) == [decision]


def test_there_is_one_decision_for_an_action_the_most_restrictive() -> None:
    resources = [f"{BUCKET}/in/a", f"{BUCKET}/out/a"]
    question = Question(["s3:GetObject", "s3:PutObject"], resources)
    assert decided(question, READ) == ["implicitDeny", "implicitDeny"]
    [first, _] = simulate(question, Role(ROLE, parsed(READ)))
    assert [one["EvalResourceDecision"] for one in first["ResourceSpecificResults"]] == [
        "allowed",
        "implicitDeny",
    ]


def test_a_boundary_limits_what_the_policies_allow() -> None:
    question = Question(["s3:GetObject"], [f"{BUCKET}/in/a"])
    assert decided(question, READ, limits=[parsed(LIST)]) == ["implicitDeny"]
    assert decided(question, READ, limits=[parsed(READ)]) == ["allowed"]

"""What requests are judged on that name a user without its ARN, as IAM's documents say."""

from typing import Any

import pytest
from ministack.core import iam_actions, iam_evaluator

from local.cloud import judged_on

ACCOUNT = "111111111111"


def asked(parameters: dict[str, Any], service: str = "sts") -> str:
    place: tuple[Any, ...] = ("POST", "/", {}, b"", parameters, "us-east-1", ACCOUNT)
    return str(iam_actions.extract_resource_arn(service, *place))


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    # Put back what `install` replaces.
    monkeypatch.setattr(iam_actions, "extract_resource_arn", iam_actions.extract_resource_arn)
    judged_on.install()


@pytest.mark.usefixtures("installed")
def test_a_federated_user_is_asked_about_by_name() -> None:
    named = f"arn:aws:sts::{ACCOUNT}:federated-user/cloudspend-verify"
    one = {"Action": "GetFederationToken", "Name": "cloudspend-verify"}
    assert asked(one) == named
    assert asked({key: [value] for key, value in one.items()}) == named


@pytest.mark.usefixtures("installed")
def test_who_asks_for_the_own_keys_is_asked_about_as_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caller, other = (f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("cloudspend", "other"))
    monkeypatch.setattr(iam_evaluator, "caller_arn", lambda: caller)
    assert asked({"Action": "ListAccessKeys"}, "iam") == caller
    assert asked({"Action": ["ListAccessKeys"], "UserName": ["other"]}, "iam") == other


@pytest.mark.usefixtures("installed")
def test_everything_else_is_asked_about_as_before() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/cloudspend-access"
    assert asked({"Action": ["AssumeRole"], "RoleArn": [role]}) == role
    assert asked({"Action": "GetCallerIdentity"}) == "*"

"""What a session of a key is asked about, as IAM's user guide says."""

from typing import Any

import pytest
from ministack.core import iam_actions

from local.cloud import federation

ACCOUNT = "111111111111"


def asked(parameters: dict[str, Any]) -> str:
    place: tuple[Any, ...] = ("POST", "/", {}, b"", parameters, "us-east-1", ACCOUNT)
    return str(iam_actions.extract_resource_arn("sts", *place))


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    # Put back what `install` replaces.
    monkeypatch.setattr(iam_actions, "extract_resource_arn", iam_actions.extract_resource_arn)
    federation.install()


@pytest.mark.usefixtures("installed")
def test_a_federated_user_is_asked_about_by_name() -> None:
    named = f"arn:aws:sts::{ACCOUNT}:federated-user/cloudspend-verify"
    one = {"Action": "GetFederationToken", "Name": "cloudspend-verify"}
    assert asked(one) == named
    assert asked({key: [value] for key, value in one.items()}) == named


@pytest.mark.usefixtures("installed")
def test_everything_else_is_asked_about_as_before() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/cloudspend-access"
    assert asked({"Action": ["AssumeRole"], "RoleArn": [role]}) == role
    assert asked({"Action": "GetCallerIdentity"}) == "*"

"""What a function takes off the call of a state machine, and who may see it then."""

from types import SimpleNamespace
from typing import Any

import pytest

from cloudspend import wiring
from cloudspend.settings import Settings
from cloudspend.wiring import Platform, entry, logger

CONTEXT = SimpleNamespace(
    function_name="f",
    memory_limit_in_mb=128,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:f",
    aws_request_id="request-1",
)
INGEST = "arn:aws:states:us-east-1:000000000000:execution:cloudspend-ingest:one"
CHILD = "arn:aws:states:us-east-1:000000000000:execution:cloudspend-ingest/Convert:two"


@entry
def handler(event: dict[str, Any], _context: Any) -> tuple[dict[str, Any], str]:
    return event, str(logger.get_current_keys()["execution"])


@pytest.mark.parametrize(
    ("event", "taken"),
    [
        ({"execution": INGEST, "state": {"a": 1}}, ({"a": 1}, "cloudspend-ingest:one")),
        ({"execution": CHILD, "state": {}}, ({}, "cloudspend-ingest/Convert:two")),
        ({"execution": INGEST, "state": {"state": 1}}, ({"state": 1}, "cloudspend-ingest:one")),
        # By hand, with what might be taken for a part of it.
        ({"a": 1}, ({"a": 1}, "")),
        ({"execution": "x"}, ({"execution": "x"}, "")),
        ({"execution": "x", "state": 1, "a": 1}, ({"execution": "x", "state": 1, "a": 1}, "")),
    ],
)
def test_a_function_gets_the_state_and_its_log_the_execution(event: Any, taken: Any) -> None:
    assert handler(event, CONTEXT) == taken


def test_the_next_call_of_a_warm_function_bears_nothing_of_the_last() -> None:
    handler({"execution": INGEST, "state": {}}, CONTEXT)
    assert handler({"a": 1}, CONTEXT) == ({"a": 1}, "")


def test_a_session_is_asked_for_in_the_name_of_the_execution(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[dict[str, Any]] = []

    def assume_role(**request: Any) -> dict[str, Any]:
        asked.append(request)
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        return {"Credentials": dict.fromkeys(names, "x")}

    sts = SimpleNamespace(assume_role=assume_role)
    monkeypatch.setattr(Platform, "_client", lambda *_: sts)
    settings = Settings(account_id="000000000000", region="us-east-1")
    platform = Platform(settings, SimpleNamespace(), "cloudspend-ingest-plan")  # type: ignore[arg-type]
    account = SimpleNamespace(
        account_id="111111111111",
        role_arn="arn:aws:iam::111111111111:role/cloudspend-access",
        external_id="external-id",
        connection="IAM_ROLE",
    )

    @wiring.entry
    def entering(_event: dict[str, Any], _context: Any) -> None:
        platform.customer_sessions.customer_session(account, "deliveries")  # type: ignore[arg-type]

    entering({"execution": INGEST, "state": {}}, CONTEXT)
    (request,) = asked
    assert request["RoleSessionName"] == "cloudspend-deliveries-one"
    assert {tag["Key"]: tag["Value"] for tag in request["Tags"]} == {
        "cloudspend-purpose": "deliveries",
        "cloudspend-by": "cloudspend-ingest-plan",
        "cloudspend-request": "request-1",
        "cloudspend-execution": "cloudspend-ingest:one",
    }

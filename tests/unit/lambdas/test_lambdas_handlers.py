"""The handlers that decide something themselves."""

from types import SimpleNamespace
from typing import Any

import pytest

import ingest_convert
import onboard_publish_template
from cloudspend import wiring
from cloudspend.errors import DeliveryError

CONTEXT = SimpleNamespace(
    function_name="f",
    memory_limit_in_mb=128,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:f",
    aws_request_id="1",
)
ACCOUNT = SimpleNamespace(
    account_id="111111111111",
    for_events=SimpleNamespace(id="111111111111", name="Acme", type="LINKED"),
)


class Recorder:
    """A platform whose every use is written down; `failing` raises instead of copying."""

    def __init__(self, failing: Exception | None = None) -> None:
        self.failing = failing
        self.events: list[Any] = []
        self.answers: list[dict[str, Any]] = []
        self.done: list[str] = []
        self.accounts = SimpleNamespace(get=lambda _: ACCOUNT)
        self.bus = SimpleNamespace(put=self.events.append)
        self.responder = SimpleNamespace(put=lambda _, body: self.answers.append(body))
        self.generations = None
        self.customer_bucket = self.executions = self.parquet_sink = None

    def source(self, *_: Any) -> None:
        return None

    def copy_template(self, name: str, bucket: str, key: str) -> None:
        self._do(f"copied {bucket}/{key} to {name}")

    def remove_template(self, name: str) -> None:
        self._do(f"removed {name}")

    def _do(self, what: str) -> None:
        if self.failing:
            raise self.failing
        self.done.append(what)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(wiring, "platform", lambda: recorder)
    return recorder


def raising(error: Exception) -> Any:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


def test_a_task_that_fails_leaves_its_reason_and_fails(
    platform: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[Any] = []
    damaged = DeliveryError("Line 3 is damaged.", line=3)
    monkeypatch.setattr(ingest_convert, "convert_task", raising(damaged))
    monkeypatch.setattr(ingest_convert, "note_failure", lambda *arguments: noted.append(arguments))
    monkeypatch.setattr(ingest_convert.ConversionTask, "from_payload", lambda _: None)
    event = {"account_id": "111111111111", "period": "2026-10", "generation": "g"}
    with pytest.raises(DeliveryError):
        ingest_convert.handler(event, CONTEXT)
    assert noted == [(event, damaged, None)]


REQUEST = {
    "RequestType": "Create",
    "ResponseURL": "https://example.org",
    "StackId": "stack",
    "RequestId": "request",
    "LogicalResourceId": "PublishedTemplate",
    "ResourceProperties": {"Template": "a.yaml", "Bucket": "assets", "Key": "abc.yaml"},
}


@pytest.mark.parametrize(
    ("kind", "done"),
    [
        ("Create", "copied assets/abc.yaml to a.yaml"),
        ("Update", "copied assets/abc.yaml to a.yaml"),
        ("Delete", "removed a.yaml"),
    ],
)
def test_the_template_is_published_and_taken_away(platform: Recorder, kind: str, done: str) -> None:
    onboard_publish_template.handler({**REQUEST, "RequestType": kind}, CONTEXT)
    assert platform.done == [done]
    assert [answer["Status"] for answer in platform.answers] == ["SUCCESS"]


def test_a_template_that_cannot_be_published_is_answered_too(platform: Recorder) -> None:
    platform.failing = wiring.AWS_ERRORS[1]({"Error": {"Code": "AccessDenied"}}, "CopyObject")
    onboard_publish_template.handler(REQUEST, CONTEXT)
    (answer,) = platform.answers
    assert answer["Status"] == "FAILED"
    assert "AccessDenied" in answer["Reason"]

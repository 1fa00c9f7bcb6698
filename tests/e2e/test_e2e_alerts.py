"""Who is notified of what, on the local cloud: filters, a try, and what could not be delivered."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.scene import Scene

ACCOUNT, KEPT, FILTERED = "282828282828", "kept-alerts", "filtered-alerts"
NOTIFY = "arn:aws:lambda:us-east-1:000000000000:function:cloudspend-alerts-notify"
DEAD = "cloudspend-alerts-dead-letters"


class Inbox:
    """A queue that somebody has subscribed."""

    def __init__(self, scene: Scene, name: str) -> None:
        self._sqs = scene.platform.session.client("sqs")
        self.arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
        self.url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": self.arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy})
        self.bodies: list[dict[str, Any]] = []

    def look(self) -> list[dict[str, Any]]:
        """Every alert so far, as JSON."""
        while page := self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get(
            "Messages", []
        ):
            for message in page:
                self.bodies.append(json.loads(json.loads(message["Body"])["Message"]))
                self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return self.bodies

    def kinds(self) -> list[str]:
        return [body["detail_type"] for body in self.look()]


@pytest.fixture(scope="module")
def inboxes(scene: Scene) -> Iterator[tuple[Inbox, Inbox]]:
    kept, filtered = Inbox(scene, KEPT), Inbox(scene, FILTERED)
    subscribe = ("alerts", "subscribe", "--sqs")
    (row,) = scene.command(*subscribe, kept.arn, "--severity", "info", "--severity", "warning")
    assert (row["confirmed"], row["dead_letters"], row["accounts"]) == ("yes", "yes", "all")
    scene.command(*subscribe, filtered.arn, "--severity", "info", "--kind", "PeriodDisputed")
    yield kept, filtered
    for inbox in (kept, filtered):
        assert scene.platform.run("alerts", "unsubscribe", inbox.arn).code == 0
    left = {row["endpoint"] for row in scene.command("alerts", "list")}
    assert not left & {kept.arn, filtered.arn}


def test_a_try_arrives_where_it_should_and_nowhere_else(
    scene: Scene, inboxes: tuple[Inbox, Inbox]
) -> None:
    kept, filtered = inboxes
    hearers = scene.command("alerts", "test", "--severity", "warning")
    assert kept.arn in {row["endpoint"] for row in hearers}
    assert filtered.arn not in {row["endpoint"] for row in hearers}
    scene.platform.wait_until("the alert", lambda: "TestAlert" in kept.kinds(), 60)
    (body,) = [each for each in kept.look() if each["detail_type"] == "TestAlert"]
    assert body["severity"] == "warning"
    assert body["text"].startswith("Alerts of CloudSpend (000000000000) arrive")
    assert filtered.look() == []


def test_a_second_choice_for_one_place_replaces_the_first(
    scene: Scene, inboxes: tuple[Inbox, Inbox]
) -> None:
    _, filtered = inboxes
    (row,) = scene.command("alerts", "subscribe", "--sqs", filtered.arn, "--kind", "IngestFailed")
    assert row["kinds"] == ["IngestFailed"]
    assert row["severities"] == ["warning", "critical"]


def test_what_the_function_did_not_take_is_sent_to_it_again(
    scene: Scene, inboxes: tuple[Inbox, Inbox]
) -> None:
    kept, _ = inboxes
    sqs = scene.platform.session.client("sqs")
    dead = sqs.get_queue_url(QueueName=DEAD)["QueueUrl"]
    (lost,) = [each for each in kept.look() if each["detail_type"] == "TestAlert"]
    detail = {name: lost[name] for name in lost if name not in ("detail_type", "subject", "text")}
    event = {"detail-type": "TestAlert", "source": "cloudspend", "detail": detail}
    said = {"TARGET_ARN": NOTIFY, "ERROR_MESSAGE": "Rate exceeded"}
    attributes = {n: {"DataType": "String", "StringValue": v} for n, v in said.items()}
    sqs.send_message(QueueUrl=dead, MessageBody=json.dumps(event), MessageAttributes=attributes)

    (row,) = scene.command("alerts", "redrive", DEAD)
    assert (row["what"], row["why"], row["outcome"]) == ("TestAlert", "Rate exceeded", "sent")
    scene.platform.wait_until("the alert again", lambda: kept.kinds().count("TestAlert") == 2, 60)
    assert scene.command("alerts", "redrive", DEAD) == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("subscribe",), "Give one of --email, --sqs, --https and --lambda."),
        (("subscribe", "--email", "finops"), "mail address"),
        (("subscribe", "--email", "a@example.com", "--account", ACCOUNT), ACCOUNT),
        (("unsubscribe", "unknown@example.com"), "alerts list"),
        (("redrive", "cloudspend-nothing"), DEAD),
    ],
)
def test_a_mistake_is_a_sentence(scene: Scene, command: tuple[str, ...], said: str) -> None:
    answer = scene.platform.run("alerts", *command)
    assert answer.code in {1, 2}
    assert said in answer.err
    assert "Traceback" not in answer.err

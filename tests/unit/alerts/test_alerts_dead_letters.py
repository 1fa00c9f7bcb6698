"""Each dead letter finds its way back, and leaves its queue only then."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cloudspend.alerts.dead_letters import (
    DeadLetter,
    Redelivery,
    Target,
    Waiting,
    redelivery,
    redrive,
)
from cloudspend.errors import UsageError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:cloudspend-ingest-start"
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:cloudspend-sweep"
QUEUE = "arn:aws:sqs:us-east-1:111111111111:alerts"
SUBSCRIPTION = "arn:aws:sns:us-east-1:000000000000:cloudspend-alerts-info:1"
EVENT = json.dumps({"detail-type": "Object Created", "detail": {}})
NOTIFICATION = json.dumps(
    {
        "Type": "Notification",
        "TopicArn": "arn:aws:sns:us-east-1:000000000000:cloudspend-alerts-info",
        "Subject": "INFO: PeriodPublished",
        "Message": "{}",
        "UnsubscribeURL": f"https://sns.example.com/?Action=Unsubscribe&SubscriptionArn={SUBSCRIPTION}",
    }
)
LETTER = DeadLetter("cloudspend-ingest-dead-letters", "1", EVENT, {}, NOW)


def letter(body: str = EVENT, **attributes: str) -> DeadLetter:
    return replace(LETTER, body=body, attributes=attributes)


@pytest.mark.parametrize(
    ("dead", "own", "endpoint", "way"),
    [
        (letter(TARGET_ARN=FUNCTION), "", None, (Target.FUNCTION, FUNCTION, EVENT)),
        (letter("{}", TARGET_ARN=MACHINE), "", None, (Target.MACHINE, MACHINE, "{}")),
        (letter(), FUNCTION, None, (Target.FUNCTION, FUNCTION, EVENT)),
        (letter(NOTIFICATION), "", ("sqs", QUEUE), (Target.QUEUE, QUEUE, NOTIFICATION)),
        (
            letter(NOTIFICATION),
            "",
            ("email", "finops@example.com"),
            (
                Target.TOPIC,
                "arn:aws:sns:us-east-1:000000000000:cloudspend-alerts-info",
                NOTIFICATION,
            ),
        ),
        (letter(NOTIFICATION), FUNCTION, None, None),
        (letter(), "", None, None),
        (letter("no json"), "", None, None),
        (letter("[1]"), "", None, None),
    ],
)
def test_the_way_back(
    dead: DeadLetter,
    own: str,
    endpoint: tuple[str, str] | None,
    way: tuple[Target, str, str] | None,
) -> None:
    asked: list[str] = []

    def known(arn: str) -> tuple[str, str] | None:
        asked.append(arn)
        return endpoint

    assert redelivery(dead, own, known) == (Redelivery(*way) if way else None)
    assert set(asked) <= {SUBSCRIPTION}


def test_a_function_gets_a_notification_as_sns_would_give_it() -> None:
    way = redelivery(letter(NOTIFICATION), "", lambda _: ("lambda", FUNCTION))
    assert way is not None
    (record,) = json.loads(way.body)["Records"]
    assert record["EventSource"] == "aws:sns"
    assert record["EventSubscriptionArn"] == SUBSCRIPTION
    assert record["Sns"] == json.loads(NOTIFICATION)


def test_a_letter_says_what_it_is_and_what_went_wrong() -> None:
    assert letter(ERROR_CODE="NO_PERMISSIONS", ERROR_MESSAGE="not allowed").why == "not allowed"
    assert letter(ErrorCode="200").why == "200"
    assert letter().what == "Object Created"
    assert letter(NOTIFICATION).what == "INFO: PeriodPublished"
    assert letter("no json").what == letter("no json").why == ""


class Queues:
    """Two queues; `refused` is what a target does not take."""

    def __init__(self) -> None:
        self.held = {
            "a": [replace(LETTER, queue="a", handle=str(n)) for n in range(2)],
            "b": [replace(LETTER, queue="b", handle="2")],
        }
        self.sent: list[Redelivery] = []
        self.refused = False

    def waiting(self) -> list[Waiting]:
        own = {"a": FUNCTION, "b": ""}
        return [Waiting(name, len(held), own[name]) for name, held in self.held.items()]

    def letters(self, queue: str, until: datetime) -> Iterator[DeadLetter]:
        yield from [each for each in self.held[queue] if each.sent_at <= until]

    def endpoint(self, subscription_arn: str) -> tuple[str, str] | None:
        raise AssertionError(subscription_arn)

    def deliver(self, redelivery: Redelivery) -> None:
        if self.refused:
            raise UsageError("It is not there.")
        self.sent.append(redelivery)

    def done(self, letter: DeadLetter) -> None:
        self.held[letter.queue].remove(letter)


def test_what_was_sent_leaves_its_queue_and_what_nobody_takes_stays() -> None:
    queues = Queues()
    outcomes = list(redrive(queues, NOW))
    assert [(each.to, bool(each.wrong)) for each in outcomes] == [
        (FUNCTION, False),
        (FUNCTION, False),
        ("", True),
    ]
    assert queues.sent == [Redelivery(Target.FUNCTION, FUNCTION, EVENT)] * 2
    assert {name: len(held) for name, held in queues.held.items()} == {"a": 0, "b": 1}


def test_what_its_target_refuses_stays() -> None:
    queues = Queues()
    queues.refused = True
    outcomes = list(redrive(queues, NOW, "a"))
    assert [each.wrong for each in outcomes] == ["It is not there."] * 2
    assert len(queues.held["a"]) == 2


def test_a_dry_run_sends_nothing() -> None:
    queues = Queues()
    assert [each.to for each in redrive(queues, NOW, "a", dry_run=True)] == [FUNCTION] * 2
    assert queues.sent == []
    assert len(queues.held["a"]) == 2


def test_a_queue_that_is_not_there_is_said() -> None:
    with pytest.raises(UsageError, match="Choose from a, b"):
        list(redrive(Queues(), NOW, "c"))

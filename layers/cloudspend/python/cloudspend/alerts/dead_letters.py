"""What lies in the dead letter queues, and the way back to where it should have gone.

SQS moves dead letters back only to a queue that they came from, which those of EventBridge, Lambda
and SNS have not (Amazon SQS Developer Guide, "Dead-letter queue redrive"). So each one is read for
whom it was meant for, and sent there again.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from cloudspend.errors import CloudSpendError, UsageError


class Target(StrEnum):
    """What a dead letter can be sent to again."""

    FUNCTION = "function"
    MACHINE = "state machine"
    QUEUE = "queue"
    TOPIC = "topic"


@dataclass(frozen=True)
class DeadLetter:
    """A message of a dead letter queue; `handle` is SQS's receipt for it."""

    queue: str
    handle: str
    body: str
    attributes: Mapping[str, str]
    sent_at: datetime

    @property
    def why(self) -> str:
        """What the sender says went wrong, as far as it says so."""
        names = ("ERROR_MESSAGE", "ErrorMessage", "ERROR_CODE", "ErrorCode")
        return next((self.attributes[name] for name in names if name in self.attributes), "")

    @property
    def what(self) -> str:
        """The kind of event, or the subject of the alert."""
        said = _object(self.body)
        return str(said.get("detail-type") or said.get("Subject") or "")


@dataclass(frozen=True)
class Redelivery:
    """To whom a dead letter is sent again, and what."""

    target: Target
    arn: str
    body: str


@dataclass(frozen=True)
class Waiting:
    """A dead letter queue, its number of messages, and the function whose letters they are, if it
    is a function's own."""

    queue: str
    messages: int
    function: str = ""


# Protocol and endpoint of a subscription; None when it is no more.
Endpoint = Callable[[str], tuple[str, str] | None]


class DeadLetterQueues(Protocol):
    """The platform's dead letter queues."""

    def waiting(self) -> list[Waiting]:
        """Every queue, by name."""

    def letters(self, queue: str, until: datetime) -> Iterator[DeadLetter]:
        """What came into a queue before `until`; others do not get it for a minute."""

    def endpoint(self, subscription_arn: str) -> tuple[str, str] | None:
        """Protocol and endpoint of a subscription; None when it is no more."""

    def deliver(self, redelivery: Redelivery) -> None:
        """Send it. Raises UsageError where the target does not take it, TransientError."""

    def done(self, letter: DeadLetter) -> None:
        """Take a letter out of its queue."""


def redelivery(letter: DeadLetter, function: str, endpoint: Endpoint) -> Redelivery | None:
    """The way back of a letter; None when nobody is left to whom it can be sent.

    EventBridge names the target in an attribute. What SNS could not deliver bears the subscription
    in its link for unsubscribing; a subscriber that only SNS can reach gets it through the topic,
    with all others, by the same event number. What is left is a function's own.
    """
    if arn := letter.attributes.get("TARGET_ARN", ""):
        target = Target.MACHINE if ":states:" in arn else Target.FUNCTION
        return Redelivery(target, arn, letter.body)
    said = _object(letter.body)
    if said.get("Type") == "Notification" and "TopicArn" in said:
        return _to_subscriber(letter.body, said, endpoint)
    return Redelivery(Target.FUNCTION, function, letter.body) if function else None


def _to_subscriber(body: str, said: Mapping[str, Any], endpoint: Endpoint) -> Redelivery | None:
    asked = parse_qs(urlsplit(str(said.get("UnsubscribeURL", ""))).query)
    subscription = (asked.get("SubscriptionArn") or [""])[0]
    found = endpoint(subscription) if subscription else None
    if found is None:
        return None
    protocol, arn = found
    if protocol == "sqs":
        return Redelivery(Target.QUEUE, arn, body)
    if protocol == "lambda":
        record = {
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription,
            "Sns": dict(said),
        }
        return Redelivery(Target.FUNCTION, arn, json.dumps({"Records": [record]}))
    return Redelivery(Target.TOPIC, str(said["TopicArn"]), body)


def _object(text: str) -> dict[str, Any]:
    """A JSON object; empty for any other text, which a dead letter may well be."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Outcome:
    """What was done with a letter: `to` is where it was sent, `wrong` why it lies there still."""

    letter: DeadLetter
    to: str
    wrong: str = ""


def redrive(
    queues: DeadLetterQueues, now: datetime, only: str = "", *, dry_run: bool = False
) -> Iterator[Outcome]:
    """Send again what lies in the queues (or in `only`), each letter once.

    A letter leaves its queue once its target has it; one that nobody takes stays. What fails again
    comes back as a new letter, later than `now`, and is left for the next time. With `dry_run`
    nothing is sent. Raises UsageError when there is no queue `only`.
    """
    waiting = queues.waiting()
    if only and only not in {each.queue for each in waiting}:
        known = ", ".join(each.queue for each in waiting)
        raise UsageError(f"There is no dead letter queue {only}.", remedy=f"Choose from {known}.")
    for each in waiting:
        if each.queue == only or not only:
            for letter in queues.letters(each.queue, now):
                yield _sent(queues, letter, each.function, dry_run)


def _sent(queues: DeadLetterQueues, letter: DeadLetter, function: str, dry_run: bool) -> Outcome:
    way = redelivery(letter, function, queues.endpoint)
    if way is None:
        return Outcome(letter, "", "Whom it was meant for is gone, or not named in it.")
    if dry_run:
        return Outcome(letter, way.arn)
    try:
        queues.deliver(way)
    except CloudSpendError as error:
        return Outcome(letter, way.arn, error.sentence)
    queues.done(letter)
    return Outcome(letter, way.arn)

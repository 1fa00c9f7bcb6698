"""Dead letter queues, and redelivery of their messages to the original targets.

SQS redrives only messages that came from another SQS queue, not those of EventBridge, Lambda and
SNS (Amazon SQS Developer Guide, "Dead-letter queue redrive"). CloudSpend therefore reads the target
of each message from its attributes or body, and sends it there again.
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
    """Type of target that a dead letter can be redelivered to."""

    FUNCTION = "function"
    MACHINE = "state machine"
    QUEUE = "queue"
    TOPIC = "topic"


@dataclass(frozen=True)
class DeadLetter:
    """Message in a dead letter queue."""

    queue: str
    # Receipt handle of SQS.
    handle: str
    body: str
    attributes: Mapping[str, str]
    sent_at: datetime

    @property
    def why(self) -> str:
        """Return the error that the sender recorded; empty if it recorded none."""
        names = ("ERROR_MESSAGE", "ErrorMessage", "ERROR_CODE", "ErrorCode")
        return next((self.attributes[name] for name in names if name in self.attributes), "")

    @property
    def what(self) -> str:
        """Return the event's detail type, or the alert's subject."""
        said = _object(self.body)
        return str(said.get("detail-type") or said.get("Subject") or "")


@dataclass(frozen=True)
class Redelivery:
    """Target and body of a message to send again."""

    target: Target
    arn: str
    body: str


@dataclass(frozen=True)
class Waiting:
    """Dead letter queue with its number of messages."""

    queue: str
    messages: int
    # ARN of the function that owns the queue; empty if several or none do.
    function: str = ""


# Looks up the protocol and endpoint of a subscription; None if it no longer exists.
Endpoint = Callable[[str], tuple[str, str] | None]


class DeadLetterQueues(Protocol):
    """The platform's dead letter queues."""

    def waiting(self) -> list[Waiting]:
        """Return all queues, sorted by name."""

    def letters(self, queue: str, until: datetime) -> Iterator[DeadLetter]:
        """Receive the messages sent before `until`, and hide them from others for a minute."""

    def endpoint(self, subscription_arn: str) -> tuple[str, str] | None:
        """Return the protocol and endpoint of a subscription; None if it no longer exists."""

    def deliver(self, redelivery: Redelivery) -> None:
        """Send a message. Raises UsageError when the target rejects it, and TransientError."""

    def done(self, letter: DeadLetter) -> None:
        """Delete a message from its queue."""


def redelivery(letter: DeadLetter, function: str, endpoint: Endpoint) -> Redelivery | None:
    """Return where to send a message again; None when its target is gone or unknown.

    EventBridge names the target in an attribute. A message from SNS has the subscription in its
    unsubscribe link; email and HTTPS subscribers can be reached only through the topic, where all
    other subscribers receive the same event id again. Anything else belongs to the function.
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
    """Parse a JSON object; return an empty one for any other text."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Outcome:
    """Result of redelivering one message."""

    letter: DeadLetter
    # ARN of the target; empty if there is none.
    to: str
    # Why the message is still in its queue; empty if it was sent.
    wrong: str = ""


def redrive(
    queues: DeadLetterQueues, now: datetime, only: str = "", *, dry_run: bool = False
) -> Iterator[Outcome]:
    """Send each message in all queues (or in `only`) to its target once.

    A message is deleted from its queue after its target accepts it. One that fails again comes back
    as a new message, later than `now`, and waits for the next redrive. With `dry_run`, nothing is
    sent. Raises UsageError when the queue `only` does not exist.
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
    message = redelivery(letter, function, queues.endpoint)
    if message is None:
        return Outcome(letter, "", "Whom it was meant for is gone, or not named in it.")
    if dry_run:
        return Outcome(letter, message.arn)
    try:
        queues.deliver(message)
    except CloudSpendError as error:
        return Outcome(letter, message.arn, error.sentence)
    queues.done(letter)
    return Outcome(letter, message.arn)

"""Dead letter queues in SQS, and the services that receive their messages again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from cloudspend.alerts.dead_letters import DeadLetter, Redelivery, Target, Waiting
from cloudspend.aws.errors import call
from cloudspend.errors import UsageError
from cloudspend.settings import DEAD_LETTERS, PREFIX

VISIBLE_AGAIN_SECONDS = 60
COUNTED = "ApproximateNumberOfMessages"
GONE = {"NotFound", "NotFoundException", "InvalidParameter"}


@dataclass(frozen=True)
class Clients:
    """boto3 clients."""

    sqs: Any
    sns: Any
    functions: Any
    machines: Any


class SqsDeadLetterQueues:
    """`DeadLetterQueues` in SQS: all queues of the platform with the dead letter suffix."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._urls: dict[str, str] = {}

    def waiting(self) -> list[Waiting]:
        owners = self._owners()
        found = []
        for name, url in sorted(self._found().items()):
            attributes = self._sqs("get_queue_attributes", url, AttributeNames=["All"])
            arn = attributes["Attributes"]["QueueArn"]
            count = int(attributes["Attributes"][COUNTED])
            # Messages in a queue of several functions do not name their function.
            functions = owners.get(arn, [])
            own = functions[0] if len(functions) == 1 else ""
            found.append(Waiting(name, count, own))
        return found

    def letters(self, queue: str, until: datetime) -> Iterator[DeadLetter]:
        seen: set[str] = set()
        while True:
            page = self._sqs(
                "receive_message",
                self._found()[queue],
                MaxNumberOfMessages=10,
                VisibilityTimeout=VISIBLE_AGAIN_SECONDS,
                MessageAttributeNames=["All"],
                AttributeNames=["SentTimestamp"],
            )
            new = [m for m in page.get("Messages", []) if m["MessageId"] not in seen]
            if not new:
                return
            for message in new:
                seen.add(message["MessageId"])
                letter = _letter(queue, message)
                if letter.sent_at < until:
                    yield letter

    def endpoint(self, subscription_arn: str) -> tuple[str, str] | None:
        what = "The alert topic"
        try:
            found = call(
                self._clients.sns.get_subscription_attributes,
                what,
                SubscriptionArn=subscription_arn,
            )["Attributes"]
        except ClientError as error:
            if error.response["Error"]["Code"] in GONE:
                return None
            raise
        listed = self._clients.sns.get_paginator("list_subscriptions_by_topic")
        pages = call(lambda: list(listed.paginate(TopicArn=found["TopicArn"])), what)
        return next(
            (
                (item["Protocol"], item["Endpoint"])
                for page in pages
                for item in page["Subscriptions"]
                if item["SubscriptionArn"] == subscription_arn
            ),
            None,
        )

    def deliver(self, redelivery: Redelivery) -> None:
        send = {
            Target.FUNCTION: self._invoke,
            Target.MACHINE: self._start,
            Target.QUEUE: self._send,
            Target.TOPIC: self._publish,
        }[redelivery.target]
        try:
            send(redelivery.arn, redelivery.body)
        except ClientError as error:
            raise UsageError(
                f"{redelivery.arn} does not take it: {error.response['Error']['Message']}",
                remedy="See that it is still there, and that you may send to it.",
            ) from error

    def done(self, letter: DeadLetter) -> None:
        self._sqs("delete_message", self._found()[letter.queue], ReceiptHandle=letter.handle)

    def _invoke(self, arn: str, body: str) -> None:
        call(
            self._clients.functions.invoke,
            "The function",
            FunctionName=arn,
            InvocationType="Event",
            Payload=body.encode(),
        )

    def _start(self, arn: str, body: str) -> None:
        call(
            self._clients.machines.start_execution,
            "The state machine",
            stateMachineArn=arn,
            input=body,
        )

    def _send(self, arn: str, body: str) -> None:
        *_, account, name = arn.split(":")
        url = call(
            self._clients.sqs.get_queue_url,
            "The queue",
            QueueName=name,
            QueueOwnerAWSAccountId=account,
        )["QueueUrl"]
        self._sqs("send_message", url, MessageBody=body)

    def _publish(self, arn: str, body: str) -> None:
        """Publish the alert again, unchanged."""
        said = json.loads(body)
        call(
            self._clients.sns.publish,
            "The alert topic",
            TopicArn=arn,
            Subject=said["Subject"],
            Message=said["Message"],
            MessageAttributes={
                name: {"DataType": given["Type"], "StringValue": given["Value"]}
                for name, given in said.get("MessageAttributes", {}).items()
            },
        )

    def _owners(self) -> dict[str, list[str]]:
        """Return the ARNs of the functions of each dead letter queue."""
        owners: dict[str, list[str]] = {}
        pages = self._clients.functions.get_paginator("list_functions").paginate()
        for page in call(lambda: list(pages), "AWS Lambda"):
            for function in page["Functions"]:
                queue = function.get("DeadLetterConfig", {}).get("TargetArn")
                if queue:
                    owners.setdefault(queue, []).append(function["FunctionArn"])
        return owners

    def _found(self) -> dict[str, str]:
        if not self._urls:
            pages = self._clients.sqs.get_paginator("list_queues").paginate(
                QueueNamePrefix=f"{PREFIX}-"
            )
            for page in call(lambda: list(pages), "The queues"):
                for url in page.get("QueueUrls", []):
                    name = url.rpartition("/")[2]
                    if name.endswith(f"-{DEAD_LETTERS}"):
                        self._urls[name] = url
        return self._urls

    def _sqs(self, operation: str, url: str, **arguments: Any) -> Any:
        return call(getattr(self._clients.sqs, operation), "The queue", QueueUrl=url, **arguments)


def _letter(queue: str, message: Any) -> DeadLetter:
    attributes = {
        name: value["StringValue"]
        for name, value in message.get("MessageAttributes", {}).items()
        if "StringValue" in value
    }
    sent = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    return DeadLetter(queue, message["ReceiptHandle"], message["Body"], attributes, sent)

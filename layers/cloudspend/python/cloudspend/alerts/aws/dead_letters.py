"""Dead letter queues in SQS, and the services that receive their messages again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cloudspend.alerts.dead_letters import DeadLetter, Redelivery, Target, Waiting
from cloudspend.aws.errors import call, code, message
from cloudspend.aws.executions import start_execution
from cloudspend.aws.paging import elements
from cloudspend.errors import UsageError
from cloudspend.settings import DEAD_LETTERS, PREFIX

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

VISIBLE_AGAIN_SECONDS = 60
COUNTED = "ApproximateNumberOfMessages"
GONE = {"NotFound", "NotFoundException", "InvalidParameter"}


@dataclass(frozen=True)
class Clients:
    """boto3 clients."""

    sqs: "SQSClient"
    sns: "SNSClient"
    functions: "LambdaClient"
    machines: "SFNClient"


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
            for received in new:
                seen.add(received["MessageId"])
                letter = _letter(queue, received)
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
            if code(error) in GONE:
                return None
            raise
        subscriptions = elements(
            self._clients.sns,
            "list_subscriptions_by_topic",
            "Subscriptions",
            what,
            TopicArn=found["TopicArn"],
        )
        return next(
            (
                (item["Protocol"], item["Endpoint"])
                for item in subscriptions
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
                f"{redelivery.arn} does not take it: {message(error)}",
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
        start_execution(self._clients.machines, arn, body)

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
        functions = elements(self._clients.functions, "list_functions", "Functions", "AWS Lambda")
        for function in functions:
            queue = function.get("DeadLetterConfig", {}).get("TargetArn")
            if queue:
                owners.setdefault(queue, []).append(function["FunctionArn"])
        return owners

    def _found(self) -> dict[str, str]:
        if not self._urls:
            urls = elements(
                self._clients.sqs,
                "list_queues",
                "QueueUrls",
                "The queues",
                QueueNamePrefix=f"{PREFIX}-",
            )
            for url in urls:
                name = url.rpartition("/")[2]
                if name.endswith(f"-{DEAD_LETTERS}"):
                    self._urls[name] = url
        return self._urls

    def _sqs(self, operation: str, url: str, **arguments: Any) -> Any:
        return call(getattr(self._clients.sqs, operation), "The queue", QueueUrl=url, **arguments)


def _letter(queue: str, received: Any) -> DeadLetter:
    attributes = {
        name: value["StringValue"]
        for name, value in received.get("MessageAttributes", {}).items()
        if "StringValue" in value
    }
    sent = datetime.fromtimestamp(int(received["Attributes"]["SentTimestamp"]) / 1000, UTC)
    return DeadLetter(queue, received["ReceiptHandle"], received["Body"], attributes, sent)

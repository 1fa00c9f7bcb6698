"""Subscriptions and dead letters, held against what SNS, SQS and Lambda take (moto)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from cloudspend.alerts.aws.dead_letters import Clients, SqsDeadLetterQueues
from cloudspend.alerts.aws.publish import SnsTopics
from cloudspend.alerts.aws.subscriptions import SnsSubscriptions
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.accounts import AccountConnected
from cloudspend.alerts.catalog.event_type import EventDetails
from cloudspend.alerts.catalog.platform import TestAlert
from cloudspend.alerts.dead_letters import Redelivery, Target, redrive
from cloudspend.alerts.event import EventAccount, Severity
from cloudspend.alerts.message import message_of
from cloudspend.alerts.subscription import DeliveryProtocol, subscription_request
from cloudspend.errors import UsageError
from cloudspend.settings import Settings

SETTINGS = Settings("123456789012", "us-east-1")
SUBSCRIBER = "arn:aws:sqs:us-east-1:123456789012:subscriber"
DEAD = "cloudspend-subscriptions-dead-letters"
MAIL = "finops@example.com"
LATER = timedelta(minutes=1)


class Services:
    def __init__(self) -> None:
        self.sns, self.sqs = boto3.client("sns"), boto3.client("sqs")
        for severity in Severity:
            self.sns.create_topic(Name=f"cloudspend-alerts-{severity}")
        self.sns.create_topic(Name="cloudspend-events")
        self.queue = self.sqs.create_queue(QueueName="subscriber")["QueueUrl"]
        self.dead = self.sqs.create_queue(QueueName=DEAD)["QueueUrl"]
        self.sqs.create_queue(QueueName="cloudspend-something-else")
        self.subscriptions = SnsSubscriptions(self.sns, SETTINGS)
        clients = Clients(self.sqs, self.sns, boto3.client("lambda"), boto3.client("stepfunctions"))
        self.letters = SqsDeadLetterQueues(clients)

    def publish(self, account_id: str = "111111111111", kind: str = "AccountConnected") -> None:
        account = EventAccount(account_id, "Acme", "LINKED")
        details: EventDetails = AccountConnected(
            role_arn="arn:aws:iam::111111111111:role/cloudspend-access"
        )
        if kind == "TestAlert":
            details = TestAlert(sender="somebody", sent_at=datetime.now(UTC))
        made = event(details, account, "once", severity=Severity.INFO)
        SnsTopics(self.sns, SETTINGS).publish(message_of(kind, made.detail))

    def received(self) -> list[dict[str, Any]]:
        page = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in page.get("Messages", [])]


@pytest.fixture
def services() -> Iterator[Services]:
    with mock_aws():
        yield Services()


def test_a_queue_gets_json_of_what_it_asked_for(services: Services) -> None:
    wanted = subscription_request(
        DeliveryProtocol.SQS, SUBSCRIBER, ["info"], ["111111111111"], ["AccountConnected"]
    )
    services.subscriptions.add(wanted)
    services.publish()
    services.publish(account_id="222222222222")
    services.publish(kind="TestAlert")
    (arrived,) = services.received()
    body = json.loads(arrived["Message"])
    assert (body["detail_type"], body["account"]["id"]) == ("AccountConnected", "111111111111")
    assert body["text"].startswith("The customer's stack in Acme")
    (found,) = services.subscriptions.all()
    assert (found.accounts, found.kinds) == (("111111111111",), ("AccountConnected",))
    assert found.has_dead_letters
    assert found.is_confirmed


def test_a_second_request_replaces_the_first(services: Services) -> None:
    for accounts in (["111111111111"], ["222222222222"], []):
        services.subscriptions.add(
            subscription_request(DeliveryProtocol.SQS, SUBSCRIBER, ["info"], accounts)
        )
    (found,) = services.subscriptions.all()
    assert found.accounts == ()
    services.publish()
    assert len(services.received()) == 1


def test_a_deleted_subscription_receives_nothing(services: Services) -> None:
    services.subscriptions.add(subscription_request(DeliveryProtocol.SQS, SUBSCRIBER, ["info"]))
    (found,) = services.subscriptions.all()
    services.subscriptions.remove(found)
    services.publish()
    assert services.subscriptions.all() == []
    assert services.received() == []


def test_mail_is_filtered_by_attributes_at_the_topic_of_each_severity(services: Services) -> None:
    services.subscriptions.add(
        subscription_request(DeliveryProtocol.EMAIL, MAIL, ["info", "warning"], ["111111111111"])
    )
    services.subscriptions.add(
        subscription_request(
            DeliveryProtocol.EMAIL, MAIL, ["critical", "warning"], ["111111111111"]
        )
    )
    found = {item["TopicArn"]: item for item in services.sns.list_subscriptions()["Subscriptions"]}
    assert set(found) == {SETTINGS.alert_topic_arn(each) for each in ("warning", "critical")}
    for item in found.values():
        arn = item["SubscriptionArn"]
        attributes = services.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        assert attributes["FilterPolicyScope"] == "MessageAttributes"
        assert json.loads(attributes["FilterPolicy"]) == {"account_id": ["111111111111"]}


def test_what_sns_does_not_take_is_a_sentence() -> None:
    sns = boto3.client("sns")
    with Stubber(sns) as stub:
        stub.add_response("list_subscriptions_by_topic", {"Subscriptions": []})
        stub.add_client_error("subscribe", "InvalidParameter", "Unreachable Endpoint")
        with pytest.raises(UsageError, match="Unreachable Endpoint"):
            SnsSubscriptions(sns, SETTINGS).add(
                subscription_request(DeliveryProtocol.SQS, SUBSCRIBER)
            )


def letter(services: Services) -> dict[str, Any]:
    """What SNS puts into a dead letter queue: the notification as the subscriber would get it."""
    services.subscriptions.add(subscription_request(DeliveryProtocol.SQS, SUBSCRIBER, ["info"]))
    services.publish()
    (arrived,) = services.received()
    # The link of moto has the same ARN for all subscriptions
    (own,) = services.subscriptions.all()
    arrived["UnsubscribeURL"] = f"https://sns.example.com/?SubscriptionArn={own.arn}"
    services.sqs.purge_queue(QueueUrl=services.queue)
    services.sqs.send_message(QueueUrl=services.dead, MessageBody=json.dumps(arrived))
    return arrived


def test_a_dead_letter_goes_to_its_subscriber_alone(services: Services) -> None:
    arrived = letter(services)
    (waiting,) = services.letters.waiting()
    assert (waiting.queue, waiting.messages) == (DEAD, 1)
    (outcome,) = redrive(services.letters, datetime.now(UTC) + LATER)
    assert (outcome.to, outcome.wrong) == (SUBSCRIBER, "")
    assert services.received() == [arrived]
    assert services.letters.waiting()[0].messages == 0


def test_what_comes_after_the_start_is_left_for_the_next_time(services: Services) -> None:
    letter(services)
    assert list(redrive(services.letters, datetime.now(UTC) - LATER)) == []


def test_without_its_subscription_a_letter_stays(services: Services) -> None:
    letter(services)
    services.subscriptions.remove(services.subscriptions.all()[0])
    (outcome,) = redrive(services.letters, datetime.now(UTC) + LATER)
    assert "is gone" in outcome.wrong
    assert services.received() == []


def test_through_the_topic_everybody_gets_it_again(services: Services) -> None:
    arrived = letter(services)
    topic = SETTINGS.event_topic_arn
    services.letters.deliver(Redelivery(Target.TOPIC, topic, json.dumps(arrived)))
    (again,) = services.received()
    for key in ("Subject", "Message", "MessageAttributes"):
        assert again[key] == arrived[key]


@pytest.mark.parametrize(
    ("target", "arn"),
    [
        (Target.FUNCTION, "arn:aws:lambda:us-east-1:123456789012:function:gone"),
        (Target.QUEUE, "arn:aws:sqs:us-east-1:123456789012:gone"),
        (Target.MACHINE, "arn:aws:states:us-east-1:123456789012:stateMachine:gone"),
    ],
)
def test_a_target_that_is_gone_is_a_sentence(services: Services, target: Target, arn: str) -> None:
    with pytest.raises(UsageError, match="does not take it"):
        services.letters.deliver(Redelivery(target, arn, "{}"))

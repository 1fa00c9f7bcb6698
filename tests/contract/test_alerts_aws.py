"""The bus and the topics, held against what EventBridge and SNS take (moto, botocore's models)."""

import json
from dataclasses import replace

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from cloudspend.alerts.aws.publish import EventBridgeBus, SnsTopics
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.accounts import AccountConnected
from cloudspend.alerts.event import Bus, EventAccount
from cloudspend.alerts.message import message_of
from cloudspend.errors import TransientError
from cloudspend.settings import Settings
from tests.fakes.alerts import FakeBus

SETTINGS = Settings("123456789012", "us-east-1")
EVENT = event(
    AccountConnected(role_arn="arn:aws:iam::111111111111:role/cloudspend-access"),
    EventAccount("111111111111", "Acme", "LINKED"),
    "request",
)


def test_an_event_reaches_a_rule_s_target() -> None:
    with mock_aws():
        events, logs = boto3.client("events"), boto3.client("sqs")
        queue = logs.create_queue(QueueName="target")["QueueUrl"]
        events.create_event_bus(Name="cloudspend")
        pattern = {"source": ["cloudspend"], "detail": {"severity": ["info"]}}
        events.put_rule(Name="all", EventBusName="cloudspend", EventPattern=json.dumps(pattern))
        arn = "arn:aws:sqs:us-east-1:123456789012:target"
        events.put_targets(Rule="all", EventBusName="cloudspend", Targets=[{"Id": "t", "Arn": arn}])
        EventBridgeBus(events, "cloudspend").put(EVENT)
        [message] = logs.receive_message(QueueUrl=queue)["Messages"]
    arrived = json.loads(message["Body"])
    assert arrived["detail-type"] == "AccountConnected"
    assert arrived["detail"] == EVENT.detail


def broken_buses() -> list[Bus]:
    fake = FakeBus()
    fake.broken = True
    refusing, throttled = boto3.client("events"), boto3.client("events")
    answer = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}
    stub = Stubber(refusing)
    stub.add_response("put_events", answer)
    stub.activate()
    stub = Stubber(throttled)
    stub.add_client_error("put_events", "ThrottlingException")
    stub.activate()
    return [fake, EventBridgeBus(refusing, "cloudspend"), EventBridgeBus(throttled, "cloudspend")]


@pytest.mark.parametrize("kind", range(3))
def test_an_event_that_is_not_taken_is_an_error(kind: int) -> None:
    with pytest.raises(TransientError):
        broken_buses()[kind].put(EVENT)


def test_a_message_reaches_the_topic_of_its_severity_with_its_attributes() -> None:
    with mock_aws():
        sns, sqs = boto3.client("sns"), boto3.client("sqs")
        queue = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
        for topic in ("alerts-info", "alerts-critical", "chat", "events"):
            sns.create_topic(Name=f"cloudspend-{topic}")
        sns.subscribe(
            TopicArn=SETTINGS.alert_topic_arn("info"),
            Protocol="sqs",
            Endpoint="arn:aws:sqs:us-east-1:123456789012:subscriber",
            Attributes={"FilterPolicy": json.dumps({"account_id": ["111111111111"]})},
        )
        message = message_of("AccountConnected", EVENT.detail)
        topics = SnsTopics(sns, SETTINGS)
        topics.publish(message)
        topics.publish(replace(message, account_id="222222222222"))
        topics.publish(replace(message, severity="critical"))
        [arrived] = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    body = json.loads(arrived["Body"])
    assert body["Subject"] == message.subject
    assert body["Message"] == message.text
    assert {name: value["Value"] for name, value in body["MessageAttributes"].items()} == {
        "severity": "info",
        "account_id": "111111111111",
        "detail_type": "AccountConnected",
    }


def test_a_throttled_topic_passes_by_itself() -> None:
    sns = boto3.client("sns")
    message = message_of("AccountConnected", EVENT.detail)
    with Stubber(sns) as stub:
        stub.add_client_error("publish", "Throttled")
        with pytest.raises(TransientError):
            SnsTopics(sns, SETTINGS).publish(message)


def test_channels_are_told_what_somebody_has_to_act_on() -> None:
    with mock_aws():
        sns, sqs = boto3.client("sns"), boto3.client("sqs")
        queue = sqs.create_queue(QueueName="channel")["QueueUrl"]
        for topic in ("alerts-info", "alerts-critical", "chat", "events"):
            sns.create_topic(Name=f"cloudspend-{topic}")
        sns.subscribe(
            TopicArn=SETTINGS.chat_topic_arn,
            Protocol="sqs",
            Endpoint="arn:aws:sqs:us-east-1:123456789012:channel",
        )
        message = message_of("AccountConnected", EVENT.detail)
        topics = SnsTopics(sns, SETTINGS)
        topics.publish(message)
        topics.publish(replace(message, severity="critical"))
        [arrived] = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    notification = json.loads(json.loads(arrived["Body"])["Message"])
    assert notification["source"] == "custom"
    assert notification["content"]["description"] == EVENT.summary

"""Event bus in EventBridge and alert topics in SNS."""

import json
from typing import TYPE_CHECKING

from cloudspend.alerts.chat import is_for_chat, notification_of
from cloudspend.alerts.event import Event
from cloudspend.alerts.ports import Message
from cloudspend.aws.errors import call
from cloudspend.errors import TransientError
from cloudspend.settings import EVENT_SOURCE, Settings

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef
    from mypy_boto3_sns import SNSClient


class EventBridgeBus:
    """`Bus` on the event bus `bus_name`."""

    def __init__(self, events: "EventBridgeClient", bus_name: str) -> None:
        self._events = events
        self._bus_name = bus_name

    def put(self, event: Event) -> None:
        entry: PutEventsRequestEntryTypeDef = {
            "EventBusName": self._bus_name,
            "Source": EVENT_SOURCE,
            "DetailType": event.detail_type,
            "Detail": json.dumps(event.detail),
        }
        answer = call(self._events.put_events, "The event bus", Entries=[entry])
        # PutEvents succeeds as a call even when it takes none of the entries.
        if answer["FailedEntryCount"]:
            raise TransientError(
                f"The event bus did not take the event {event.detail_type}.",
                event_id=event.event_id,
                cause=answer["Entries"],
            )


class SnsTopics:
    """`Topics` in SNS: a text topic for each severity, one JSON topic, and one chat topic.

    A filter policy on the body needs a JSON body, which is unreadable as email. SNS does not
    document which body it filters by when a message has several, so each body is published as a
    message of its own.
    """

    def __init__(self, sns: "SNSClient", settings: Settings) -> None:
        self._sns = sns
        self._settings = settings

    def publish(self, message: Message) -> None:
        text = self._settings.alert_topic_arn(message.severity)
        self._publish(text, message, message.text)
        self._publish(self._settings.event_topic_arn, message, json.dumps(message.body))
        if is_for_chat(message):
            notification = json.dumps(notification_of(message))
            self._publish(self._settings.chat_topic_arn, message, notification)

    def _publish(self, topic_arn: str, message: Message, body: str) -> None:
        attributes = {
            "severity": message.severity,
            "account_id": message.account_id,
            "detail_type": message.detail_type,
        }
        call(
            self._sns.publish,
            "The alert topic",
            TopicArn=topic_arn,
            Subject=message.subject,
            Message=body,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in attributes.items()
            },
        )

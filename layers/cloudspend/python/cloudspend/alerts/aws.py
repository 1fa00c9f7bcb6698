"""The bus in EventBridge and the topics in SNS."""

import json
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError

from cloudspend.alerts.event import Event
from cloudspend.alerts.ports import Message
from cloudspend.errors import TransientError
from cloudspend.settings import EVENT_SOURCE, Settings

# Amazon SNS and Amazon EventBridge API references, "Common errors".
TRANSIENT = frozenset(
    {
        "InternalError",
        "InternalException",
        "InternalFailure",
        "ServiceUnavailable",
        "Throttled",
        "Throttling",
        "ThrottlingException",
    }
)


class EventBridgeBus:
    """`Bus` on the event bus `bus_name`."""

    def __init__(self, events: Any, bus_name: str) -> None:
        self._events = events
        self._bus_name = bus_name

    def put(self, event: Event) -> None:
        entry = {
            "EventBusName": self._bus_name,
            "Source": EVENT_SOURCE,
            "DetailType": event.detail_type,
            "Detail": json.dumps(event.detail),
        }
        answer = _call(self._events.put_events, "The event bus", Entries=[entry])
        # PutEvents succeeds as a call even when it takes none of the entries.
        if answer["FailedEntryCount"]:
            raise TransientError(
                f"The event bus did not take the event {event.detail_type}.",
                event_id=event.event_id,
                cause=answer["Entries"],
            )


class SnsTopics:
    """`Topics`, one of SNS for each severity. Attributes are there for filter policies."""

    def __init__(self, sns: Any, settings: Settings) -> None:
        self._sns = sns
        self._settings = settings

    def publish(self, message: Message) -> None:
        attributes = {
            "severity": message.severity,
            "account_id": message.account_id,
            "detail_type": message.detail_type,
        }
        _call(
            self._sns.publish,
            "The alert topic",
            TopicArn=self._settings.alert_topic_arn(message.severity),
            Subject=message.subject,
            Message=message.text,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in attributes.items()
            },
        )


def _call(function: Any, what: str, **arguments: Any) -> Any:
    try:
        return function(**arguments)
    except HTTPClientError as error:
        raise TransientError(f"{what} could not be reached.", cause=str(error)) from error
    except ClientError as error:
        if error.response["Error"]["Code"] not in TRANSIENT:
            raise
        raise TransientError(f"{what} asks to try later.", cause=str(error)) from error

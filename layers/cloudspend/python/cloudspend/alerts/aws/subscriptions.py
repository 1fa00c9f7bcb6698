"""Subscriptions in SNS."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cloudspend.alerts.event import Severity
from cloudspend.alerts.subscription import (
    SUBSCRIPTIONS,
    DeliveryProtocol,
    Subscription,
    SubscriptionRequest,
)
from cloudspend.aws.errors import call, code, message
from cloudspend.aws.paging import elements
from cloudspend.errors import UsageError
from cloudspend.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

SERVICE = "The alert topic"
PENDING = "PendingConfirmation"
DELETED = "Deleted"
REFUSED = {"InvalidParameter", "NotFound"}


class SnsSubscriptions:
    """`Subscriptions` in SNS.

    Email subscribes to the topic of each severity, all other protocols to the JSON topic.
    """

    def __init__(self, sns: "SNSClient", settings: Settings) -> None:
        self._sns = sns
        self._settings = settings
        self._texts = {settings.alert_topic_arn(each): str(each) for each in Severity}

    def all(self) -> list[Subscription]:
        return [
            self._read(topic, item)
            for topic in (*self._texts, self._settings.event_topic_arn)
            for item in self._list(topic)
            if item["SubscriptionArn"] != DELETED
        ]

    def add(self, request: SubscriptionRequest) -> None:
        if request.protocol is not DeliveryProtocol.EMAIL:
            self._subscribe(self._settings.event_topic_arn, request)
            return
        for topic, severity in self._texts.items():
            if severity in request.severities:
                self._subscribe(topic, request)
            elif old := self._confirmed(topic, request):
                self._unsubscribe(old)

    def remove(self, subscription: Subscription) -> None:
        self._unsubscribe(subscription.arn)

    def _unsubscribe(self, arn: str) -> None:
        call(self._sns.unsubscribe, SERVICE, SubscriptionArn=arn)

    def _subscribe(self, topic: str, request: SubscriptionRequest) -> None:
        queue = self._settings.dead_letters_arn(SUBSCRIPTIONS)
        attributes = {
            "FilterPolicyScope": request.scope,
            "FilterPolicy": json.dumps(request.policy),
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": queue}),
        }
        if old := self._confirmed(topic, request):
            self._change(old, attributes)
            return
        try:
            call(
                self._sns.subscribe,
                SERVICE,
                TopicArn=topic,
                Protocol=str(request.protocol),
                Endpoint=request.endpoint,
                Attributes=attributes,
            )
        except ClientError as error:
            if code(error) not in REFUSED:
                raise
            raise UsageError(
                f"SNS does not take {request.endpoint}: {message(error)}",
                remedy="See that it exists and is spelled as its owner spells it.",
            ) from error

    def _confirmed(self, topic: str, request: SubscriptionRequest) -> str:
        """Return the ARN of the endpoint's confirmed subscription; empty if it has none."""
        same = (str(request.protocol), request.endpoint)
        return next(
            (
                item["SubscriptionArn"]
                for item in self._list(topic)
                if (item["Protocol"], item["Endpoint"]) == same
                and item["SubscriptionArn"].startswith("arn:")
            ),
            "",
        )

    def _change(self, arn: str, attributes: Mapping[str, str]) -> None:
        for name, value in attributes.items():
            call(
                self._sns.set_subscription_attributes,
                SERVICE,
                SubscriptionArn=arn,
                AttributeName=name,
                AttributeValue=value,
            )

    def _list(self, topic: str) -> list[dict[str, Any]]:
        return list(
            elements(
                self._sns, "list_subscriptions_by_topic", "Subscriptions", SERVICE, TopicArn=topic
            )
        )

    def _read(self, topic: str, item: Mapping[str, str]) -> Subscription:
        arn, protocol, endpoint = item["SubscriptionArn"], item["Protocol"], item["Endpoint"]
        of_topic = (self._texts[topic],) if topic in self._texts else tuple(map(str, Severity))
        if not arn.startswith("arn:"):
            return Subscription("", protocol, endpoint, of_topic)
        attributes = call(self._sns.get_subscription_attributes, SERVICE, SubscriptionArn=arn)[
            "Attributes"
        ]
        policy = json.loads(attributes.get("FilterPolicy") or "{}")
        return Subscription(
            "" if attributes.get(PENDING) == "true" else arn,
            protocol,
            endpoint,
            tuple(policy.get("severity") or of_topic),
            accounts=tuple(policy.get("account_id") or policy.get("account", {}).get("id") or ()),
            kinds=tuple(policy.get("detail_type") or ()),
            has_dead_letters=bool(attributes.get("RedrivePolicy")),
        )

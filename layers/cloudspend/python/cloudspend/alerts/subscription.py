"""Subscriptions to alerts."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import urlsplit

from cloudspend.alerts.catalog import CATALOG
from cloudspend.alerts.event import Severity
from cloudspend.errors import UsageError

# Owner of the dead letter queue for messages that SNS could not deliver to a subscriber.
SUBSCRIPTIONS = "subscriptions"
# The default: info needs no action.
USUAL = (Severity.WARNING, Severity.CRITICAL)
_MAIL = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")
_ARN = re.compile(r"arn:(aws|aws-cn|aws-us-gov):([a-z]+):([a-z0-9-]+):(\d{12}):(.+)")


class DeliveryProtocol(StrEnum):
    """Protocol of a subscription, as SNS names it."""

    EMAIL = "email"
    SQS = "sqs"
    HTTPS = "https"
    LAMBDA = "lambda"


@dataclass(frozen=True)
class SubscriptionRequest:
    """Messages that a subscriber asks for."""

    protocol: DeliveryProtocol
    endpoint: str
    severities: tuple[Severity, ...]
    # Account ids; empty for all accounts.
    accounts: tuple[str, ...] = ()
    # Detail types; empty for all events.
    kinds: tuple[str, ...] = ()

    @property
    def policy(self) -> dict[str, Any]:
        """Return the SNS filter policy; empty to receive everything.

        It filters by the message body, which is JSON, or for email by the message attributes
        (Amazon SNS Developer Guide, "Subscription filter policy scope").
        """
        if self.protocol is DeliveryProtocol.EMAIL:
            attributes = {"account_id": list(self.accounts), "detail_type": list(self.kinds)}
            return {name: values for name, values in attributes.items() if values}
        policy: dict[str, Any] = {"severity": [str(severity) for severity in self.severities]}
        if self.accounts:
            policy["account"] = {"id": list(self.accounts)}
        if self.kinds:
            policy["detail_type"] = list(self.kinds)
        return policy

    @property
    def scope(self) -> str:
        """Return the part of a message that `policy` filters by."""
        return "MessageAttributes" if self.protocol is DeliveryProtocol.EMAIL else "MessageBody"


@dataclass(frozen=True)
class Subscription:
    """Subscription to one topic. An email endpoint has one subscription for each severity."""

    # Empty until the subscriber confirms; until then SNS does not return the filter policy.
    arn: str
    protocol: str
    endpoint: str
    severities: tuple[str, ...]
    accounts: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    has_dead_letters: bool = False

    @property
    def is_confirmed(self) -> bool:
        return bool(self.arn)

    def receives(self, severity: Severity, account_id: str, kind: str) -> bool:
        """Decide whether SNS sends such a message to this endpoint."""
        return (
            self.is_confirmed
            and severity in self.severities
            and (not self.accounts or account_id in self.accounts)
            and (not self.kinds or kind in self.kinds)
        )


class Subscriptions(Protocol):
    """Subscriptions to all topics."""

    def all(self) -> list[Subscription]:
        """Return every subscription, including those that wait for confirmation."""

    def add(self, request: SubscriptionRequest) -> None:
        """Subscribe an endpoint, with a dead letter queue, or change its subscription.

        Raises UsageError when SNS rejects the endpoint.
        """

    def remove(self, subscription: Subscription) -> None:
        """Delete a confirmed subscription."""


def subscription_request(
    protocol: DeliveryProtocol,
    endpoint: str,
    severities: Sequence[str] = (),
    accounts: Sequence[str] = (),
    kinds: Sequence[str] = (),
) -> SubscriptionRequest:
    """Return a validated request. Raises UsageError that names the invalid argument."""
    _check_endpoint(protocol, endpoint)
    chosen = [_severity(text) for text in dict.fromkeys(severities)]
    for account_id in accounts:
        if not re.fullmatch(r"\d{12}", account_id):
            raise UsageError(
                f"--account {account_id} is not an account id.", remedy="Give its 12 digits."
            )
    for kind in kinds:
        if kind not in CATALOG:
            raise UsageError(
                f"--kind {kind} is no event of CloudSpend.",
                remedy=f"Choose from {', '.join(sorted(CATALOG))}.",
            )
    return SubscriptionRequest(
        protocol, endpoint, tuple(chosen) or USUAL, tuple(accounts), tuple(kinds)
    )


def confirmed_subscriptions(
    subscriptions: Iterable[Subscription], endpoint: str
) -> list[Subscription]:
    """Return the confirmed subscriptions of an endpoint. Raises UsageError when it has none."""
    matches = [item for item in subscriptions if item.endpoint == endpoint]
    if not matches:
        raise UsageError(
            f"Nothing is subscribed as {endpoint}.",
            remedy="See what there is: cloudspend alerts list.",
        )
    confirmed = [item for item in matches if item.is_confirmed]
    if not confirmed:
        raise UsageError(
            f"{endpoint} has not confirmed its subscription, and SNS ends only what is confirmed.",
            remedy="Wait: SNS forgets it by itself after 48 hours.",
        )
    return confirmed


def _severity(text: str) -> Severity:
    try:
        return Severity(text)
    except ValueError as error:
        raise UsageError(
            f"--severity {text} is no severity.", remedy=f"Choose from {', '.join(Severity)}."
        ) from error


def _check_endpoint(protocol: DeliveryProtocol, endpoint: str) -> None:
    if protocol is DeliveryProtocol.EMAIL:
        wrong = _mail_is_wrong(endpoint)
    elif protocol is DeliveryProtocol.HTTPS:
        wrong = _address_is_wrong(endpoint)
    else:
        wrong = _arn_is_wrong(endpoint, protocol)
    if wrong:
        raise UsageError(f"--{protocol} {endpoint} cannot be subscribed.", remedy=wrong)


def _mail_is_wrong(text: str) -> str:
    return "" if _MAIL.fullmatch(text) else "Give a mail address, such as finops@example.com."


def _address_is_wrong(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname:
        return "Give an address that begins with https://."
    if parts.username or parts.password:
        return (
            "Give it without a user or password: everyone who can list subscriptions can read them."
        )
    return ""


def _arn_is_wrong(text: str, protocol: DeliveryProtocol) -> str:
    found = _ARN.fullmatch(text)
    if not found or found[2] != protocol:
        name = "function:NAME" if protocol is DeliveryProtocol.LAMBDA else "NAME"
        return f"Give its ARN, in the form arn:aws:{protocol}:REGION:ACCOUNT:{name}."
    if found[5].endswith(".fifo"):
        return "Give a standard queue: standard topics do not send to FIFO queues."
    return ""

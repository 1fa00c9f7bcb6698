"""Who is told of what: subscriptions to the alerts."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import urlsplit

from cloudspend.alerts.catalog import CATALOG
from cloudspend.alerts.event import Severity
from cloudspend.errors import UsageError

# Whose dead letter queue what no subscriber took goes to.
SUBSCRIPTIONS = "subscriptions"
# Nothing has to be done about what is merely info.
USUAL = (Severity.WARNING, Severity.CRITICAL)
_MAIL = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")
_ARN = re.compile(r"arn:(aws|aws-cn|aws-us-gov):([a-z]+):([a-z0-9-]+):(\d{12}):(.+)")


class DeliveryProtocol(StrEnum):
    """How a subscriber is reached, in SNS's names for it."""

    EMAIL = "email"
    SQS = "sqs"
    HTTPS = "https"
    LAMBDA = "lambda"


@dataclass(frozen=True)
class SubscriptionRequest:
    """What one subscriber wants to be told of; without `accounts` or `kinds`, of all of them."""

    way: DeliveryProtocol
    endpoint: str
    severities: tuple[Severity, ...]
    accounts: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    @property
    def policy(self) -> dict[str, Any]:
        """SNS's filter policy, empty for everything: over the body, which is JSON for all but
        mail, and for mail over the attributes (Amazon SNS Developer Guide, "Subscription filter
        policy scope")."""
        if self.way is DeliveryProtocol.EMAIL:
            asked = {"account_id": list(self.accounts), "detail_type": list(self.kinds)}
            return {name: values for name, values in asked.items() if values}
        policy: dict[str, Any] = {"severity": [str(each) for each in self.severities]}
        if self.accounts:
            policy["account"] = {"id": list(self.accounts)}
        if self.kinds:
            policy["detail_type"] = list(self.kinds)
        return policy

    @property
    def scope(self) -> str:
        return "MessageAttributes" if self.way is DeliveryProtocol.EMAIL else "MessageBody"


@dataclass(frozen=True)
class Subscription:
    """A subscription as SNS has it, one for each severity in the case of mail. `arn` is empty as
    long as nobody has confirmed it; then SNS does not say what it filters by."""

    arn: str
    way: str
    endpoint: str
    severities: tuple[str, ...]
    accounts: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    has_dead_letters: bool = False

    @property
    def is_confirmed(self) -> bool:
        return bool(self.arn)

    def hears(self, severity: Severity, account_id: str, kind: str) -> bool:
        """Whether such a message is sent here."""
        return (
            self.is_confirmed
            and severity in self.severities
            and (not self.accounts or account_id in self.accounts)
            and (not self.kinds or kind in self.kinds)
        )


class Subscriptions(Protocol):
    """The subscriptions to all topics."""

    def all(self) -> list[Subscription]:
        """Every subscription, those that wait for confirmation among them."""

    def add(self, wish: SubscriptionRequest) -> None:
        """Subscribe, with dead letters. An endpoint that is subscribed gets the new choice.

        Raises UsageError where SNS does not take the endpoint.
        """

    def remove(self, subscription: Subscription) -> None:
        """End a confirmed subscription."""


def wish(
    way: DeliveryProtocol,
    endpoint: str,
    severities: Sequence[str] = (),
    accounts: Sequence[str] = (),
    kinds: Sequence[str] = (),
) -> SubscriptionRequest:
    """What is asked for, once it makes sense. Raises UsageError that names what does not."""
    _check_endpoint(way, endpoint)
    weights = [_severity(each) for each in dict.fromkeys(severities)]
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
        way, endpoint, tuple(weights) or USUAL, tuple(accounts), tuple(kinds)
    )


def ended(found: Iterable[Subscription], endpoint: str) -> list[Subscription]:
    """The confirmed subscriptions of an endpoint. Raises UsageError where there is none to end."""
    own = [each for each in found if each.endpoint == endpoint]
    if not own:
        raise UsageError(
            f"Nothing is subscribed as {endpoint}.",
            remedy="See what there is: cloudspend alerts list.",
        )
    confirmed = [each for each in own if each.is_confirmed]
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


def _check_endpoint(way: DeliveryProtocol, endpoint: str) -> None:
    if way is DeliveryProtocol.EMAIL:
        wrong = _mail_is_wrong(endpoint)
    elif way is DeliveryProtocol.HTTPS:
        wrong = _address_is_wrong(endpoint)
    else:
        wrong = _arn_is_wrong(endpoint, way)
    if wrong:
        raise UsageError(f"--{way} {endpoint} cannot be subscribed.", remedy=wrong)


def _mail_is_wrong(text: str) -> str:
    return "" if _MAIL.fullmatch(text) else "Give a mail address, such as finops@example.com."


def _address_is_wrong(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname:
        return "Give an address that begins with https://."
    if parts.username or parts.password:
        return "Give it without a user and a password: whoever may list subscriptions reads them."
    return ""


def _arn_is_wrong(text: str, way: DeliveryProtocol) -> str:
    found = _ARN.fullmatch(text)
    if not found or found[2] != way:
        name = "function:NAME" if way is DeliveryProtocol.LAMBDA else "NAME"
        return f"Give its ARN, in the form arn:aws:{way}:REGION:ACCOUNT:{name}."
    if found[5].endswith(".fifo"):
        return "Give a standard queue: standard topics do not send to FIFO queues."
    return ""

"""Valid endpoints, filter policies, and subscriptions that cannot be deleted."""

import pytest

from cloudspend.alerts.event import Severity
from cloudspend.alerts.subscription import (
    USUAL,
    DeliveryProtocol,
    Subscription,
    confirmed_subscriptions,
    subscription_request,
)
from cloudspend.errors import UsageError

MAIL = "finops@example.com"
QUEUE = "arn:aws:sqs:eu-central-1:111111111111:alerts"
FUNCTION = "arn:aws:lambda:us-east-1:111111111111:function:alerts"
ADDRESS = "https://hooks.example.com/cost"


@pytest.mark.parametrize(
    ("protocol", "endpoint"),
    [
        (DeliveryProtocol.EMAIL, MAIL),
        (DeliveryProtocol.SQS, QUEUE),
        (DeliveryProtocol.SQS, QUEUE.replace("arn:aws:", "arn:aws-cn:")),
        (DeliveryProtocol.LAMBDA, FUNCTION),
        (DeliveryProtocol.HTTPS, ADDRESS),
    ],
)
def test_what_is_worth_waking_for_is_the_default_request(
    protocol: DeliveryProtocol, endpoint: str
) -> None:
    wanted = subscription_request(protocol, endpoint)
    assert (wanted.protocol, wanted.endpoint, wanted.severities) == (protocol, endpoint, USUAL)
    everything = {} if protocol is DeliveryProtocol.EMAIL else {"severity": ["warning", "critical"]}
    assert wanted.policy == everything


@pytest.mark.parametrize(
    ("protocol", "endpoint", "said"),
    [
        (DeliveryProtocol.EMAIL, "finops", "mail address"),
        (DeliveryProtocol.EMAIL, "a@b@example.com", "mail address"),
        (DeliveryProtocol.EMAIL, "a b@example.com", "mail address"),
        (DeliveryProtocol.HTTPS, "http://hooks.example.com", "begins with https://"),
        (DeliveryProtocol.HTTPS, "https://", "begins with https://"),
        (DeliveryProtocol.HTTPS, "https://me:secret@hooks.example.com", "without a user"),
        (DeliveryProtocol.SQS, FUNCTION, "arn:aws:sqs:REGION:ACCOUNT:NAME"),
        (DeliveryProtocol.SQS, f"{QUEUE}.fifo", "standard queue"),
        (DeliveryProtocol.LAMBDA, QUEUE, "arn:aws:lambda:REGION:ACCOUNT:function:NAME"),
        (DeliveryProtocol.LAMBDA, "alerts", "arn:aws:lambda"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused_with_what_can(
    protocol: DeliveryProtocol, endpoint: str, said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        subscription_request(protocol, endpoint)
    assert f"--{protocol} {endpoint}" in refused.value.sentence
    assert said in refused.value.sentence


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"severities": ["severe"]}, "info, warning, critical"),
        ({"accounts": ["1111"]}, "12 digits"),
        ({"kinds": ["PeriodDisputd"]}, "PeriodDisputed"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(choice: dict[str, list[str]], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        subscription_request(DeliveryProtocol.EMAIL, MAIL, **choice)


def test_json_is_filtered_by_its_body_and_mail_by_the_attributes() -> None:
    chosen = {"accounts": ["111111111111"], "kinds": ["PeriodDisputed", "IngestFailed"]}
    machine, person = (
        subscription_request(DeliveryProtocol.SQS, QUEUE, **chosen),
        subscription_request(DeliveryProtocol.EMAIL, MAIL, **chosen),
    )
    assert machine.scope == "MessageBody"
    assert machine.policy == {
        "severity": ["warning", "critical"],
        "account": {"id": ["111111111111"]},
        "detail_type": ["PeriodDisputed", "IngestFailed"],
    }
    assert person.scope == "MessageAttributes"
    assert person.policy == {
        "account_id": ["111111111111"],
        "detail_type": ["PeriodDisputed", "IngestFailed"],
    }


def test_a_severity_said_twice_is_one() -> None:
    assert subscription_request(DeliveryProtocol.SQS, QUEUE, ["info", "info"]).severities == (
        Severity.INFO,
    )


@pytest.mark.parametrize(
    ("change", "receives"),
    [
        ({}, True),
        ({"arn": ""}, False),
        ({"severities": ("info",)}, False),
        ({"severities": ("info", "warning")}, True),
        ({"accounts": ("222222222222",)}, False),
        ({"accounts": ("111111111111", "222222222222")}, True),
        ({"kinds": ("IngestFailed",)}, False),
        ({"kinds": ("TestAlert",)}, True),
    ],
)
def test_which_subscriptions_receive_a_message(change: dict[str, object], receives: bool) -> None:
    own: dict[str, object] = {"arn": "arn:1", "severities": ("warning",)}
    subscription = Subscription(protocol="sqs", endpoint=QUEUE, **{**own, **change})  # type: ignore[arg-type]
    assert subscription.receives(Severity.WARNING, "111111111111", "TestAlert") is receives


def test_only_what_is_confirmed_can_be_ended() -> None:
    waiting = Subscription("", "email", MAIL, ("info",))
    confirmed = Subscription("arn:1", "email", MAIL, ("warning",))
    assert confirmed_subscriptions([waiting, confirmed], MAIL) == [confirmed]
    with pytest.raises(UsageError, match="48 hours"):
        confirmed_subscriptions([waiting], MAIL)
    with pytest.raises(UsageError, match="alerts list"):
        confirmed_subscriptions([waiting, confirmed], QUEUE)

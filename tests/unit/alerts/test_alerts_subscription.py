"""What may be subscribed, what its filter says, and what cannot be ended."""

import pytest

from cloudspend.alerts.event import Severity
from cloudspend.alerts.subscription import USUAL, DeliveryProtocol, Subscription, ended, wish
from cloudspend.errors import UsageError

MAIL = "finops@example.com"
QUEUE = "arn:aws:sqs:eu-central-1:111111111111:alerts"
FUNCTION = "arn:aws:lambda:us-east-1:111111111111:function:alerts"
ADDRESS = "https://hooks.example.com/cost"


@pytest.mark.parametrize(
    ("way", "endpoint"),
    [
        (DeliveryProtocol.EMAIL, MAIL),
        (DeliveryProtocol.SQS, QUEUE),
        (DeliveryProtocol.SQS, QUEUE.replace("arn:aws:", "arn:aws-cn:")),
        (DeliveryProtocol.LAMBDA, FUNCTION),
        (DeliveryProtocol.HTTPS, ADDRESS),
    ],
)
def test_what_is_worth_waking_for_is_the_usual_wish(way: DeliveryProtocol, endpoint: str) -> None:
    wanted = wish(way, endpoint)
    assert (wanted.way, wanted.endpoint, wanted.severities) == (way, endpoint, USUAL)
    everything = {} if way is DeliveryProtocol.EMAIL else {"severity": ["warning", "critical"]}
    assert wanted.policy == everything


@pytest.mark.parametrize(
    ("way", "endpoint", "said"),
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
    way: DeliveryProtocol, endpoint: str, said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        wish(way, endpoint)
    assert f"--{way} {endpoint}" in refused.value.sentence
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
        wish(DeliveryProtocol.EMAIL, MAIL, **choice)


def test_json_is_filtered_by_its_body_and_mail_by_the_attributes() -> None:
    chosen = {"accounts": ["111111111111"], "kinds": ["PeriodDisputed", "IngestFailed"]}
    machine, person = (
        wish(DeliveryProtocol.SQS, QUEUE, **chosen),
        wish(DeliveryProtocol.EMAIL, MAIL, **chosen),
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
    assert wish(DeliveryProtocol.SQS, QUEUE, ["info", "info"]).severities == (Severity.INFO,)


@pytest.mark.parametrize(
    ("change", "hears"),
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
def test_who_hears_a_message(change: dict[str, object], hears: bool) -> None:
    own: dict[str, object] = {"arn": "arn:1", "severities": ("warning",)}
    subscription = Subscription(way="sqs", endpoint=QUEUE, **{**own, **change})  # type: ignore[arg-type]
    assert subscription.hears(Severity.WARNING, "111111111111", "TestAlert") is hears


def test_only_what_is_confirmed_can_be_ended() -> None:
    waiting = Subscription("", "email", MAIL, ("info",))
    confirmed = Subscription("arn:1", "email", MAIL, ("warning",))
    assert ended([waiting, confirmed], MAIL) == [confirmed]
    with pytest.raises(UsageError, match="48 hours"):
        ended([waiting], MAIL)
    with pytest.raises(UsageError, match="alerts list"):
        ended([waiting, confirmed], QUEUE)

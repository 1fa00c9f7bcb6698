"""The first door: what a stranger, a customer and CloudFormation may send, and what comes of it."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudspend.accounts.invite import token_digest
from cloudspend.accounts.model import Account, AccountState
from cloudspend.accounts.ports import AccountChanged, Registration
from cloudspend.errors import Defect, TransientError
from cloudspend.onboarding.custom_resource import MAX_MESSAGE, Status, acceptable
from cloudspend.onboarding.registration import (
    FLOODED,
    INTERNAL,
    REFUSALS_ANSWERED,
    Answer,
    register,
)
from cloudspend.settings import Settings
from tests.fakes.accounts import NOW, FakeAccounts, FakeOnboarding, FakeResponder, an_account
from tests.fakes.alerts import FakeBus

HOSTS = (
    r"https://cloudformation-custom-resource-response-[a-z0-9]+\.s3(\.[a-z0-9-]+)?\.amazonaws\.com"
)
SETTINGS = Settings("000000000000", "us-east-1", response_hosts=HOSTS)
SIGNATURE = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Date": "20261103T040506Z",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Expires": "7199",
    "X-Amz-Credential": "AKIAIOSFODNN7EXAMPLE/20261103/us-east-1/s3/aws4_request",
    "X-Amz-Signature": "0f" * 32,
}
OBJECT = "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/a%7Cb"
URL = f"{OBJECT}?{urlencode(SIGNATURE)}"
STACK = "arn:aws:cloudformation:us-east-1:111111111111:stack/cloudspend/1"
TOKEN = "the-token"
INVITED = an_account(token_sha256=token_digest(TOKEN), role_arn=None)


class Desk:
    """A platform with one invited account, and what reached it."""

    def __init__(self, registry: FakeAccounts | None = None) -> None:
        self.registry = registry or FakeAccounts(INVITED)
        self.bus, self.onboarding, self.responder = FakeBus(), FakeOnboarding(), FakeResponder()

    def send(self, message: str | dict[str, Any], now: datetime = NOW) -> Answer:
        text = message if isinstance(message, str) else json.dumps(message)
        return register(
            text, self.registry, self.bus, self.onboarding, self.responder, SETTINGS, now
        )

    @property
    def account(self) -> Account:
        return self.registry.get("111111111111")

    @property
    def untouched(self) -> bool:
        return (self.account, self.bus.events, self.onboarding.started) == (INVITED, [], {})


def request(kind: str = "Create", **changes: Any) -> dict[str, Any]:
    """A message as CloudFormation sends it; what `changes` name in the properties goes there."""
    properties = {
        "ServiceToken": "arn:aws:sns:us-east-1:000000000000:cloudspend-registration",
        "RegistrationToken": TOKEN,
        "AccountId": "111111111111",
        "RoleArn": "arn:aws:iam::111111111111:role/cloudspend-access",
        "ExportBucketName": "chosen-bucket",
        "ExportPrefix": "chosen/prefix",
        "ExportName": "chosen",
        "ExportKind": "CUR_LEGACY",
        "Region": "us-east-1",
        "TemplateVersion": "1",
    }
    message: dict[str, Any] = {
        "RequestType": kind,
        "ResponseURL": URL,
        "StackId": STACK,
        "RequestId": f"request-{kind}",
        "LogicalResourceId": "Registration",
        "ResourceType": "Custom::CloudSpendRegistration",
    }
    for name, value in changes.items():
        (properties if name in properties else message)[name] = value
    return message | {"ResourceProperties": properties}


def test_a_create_connects_the_account_and_starts_onboarding() -> None:
    desk = Desk()
    assert desk.send(request()).status is Status.SUCCESS
    assert desk.account.state is AccountState.CONNECTED
    assert desk.account.role_arn == "arn:aws:iam::111111111111:role/cloudspend-access"
    assert desk.account.export.bucket == "chosen-bucket"
    assert desk.account.token_sha256 is None
    assert desk.bus.kinds == ["AccountStateChanged", "AccountConnected"]
    [step] = desk.registry.history("111111111111")
    assert (step.by, step.after) == (STACK, AccountState.CONNECTED)
    assert list(desk.onboarding.started.values()) == ["111111111111"]


def test_the_answer_is_what_cloudformation_waits_for() -> None:
    desk = Desk()
    desk.send(request())
    [(url, answer)] = desk.responder.answers
    body = dict(answer)
    assert url == URL
    assert body.pop("PhysicalResourceId").startswith("cloudspend-registration-")
    assert body.pop("Reason")
    assert body == {
        "Status": "SUCCESS",
        "StackId": STACK,
        "RequestId": "request-Create",
        "LogicalResourceId": "Registration",
    }


def test_a_repeat_is_answered_the_same_and_changes_nothing() -> None:
    desk = Desk()
    desk.send(request())
    after = desk.account
    desk.send(request())
    assert desk.responder.answers[0] == desk.responder.answers[1]
    assert desk.account == after
    assert len(desk.onboarding.started) == 1
    assert len({event.event_id for event in desk.bus.events}) == 2


def test_two_at_once_connect_once() -> None:
    class Raced(FakeAccounts):
        raced = False

        def register(self, before: Account, after: Account, registration: Registration) -> None:
            super().register(before, after, registration)
            if not self.raced:
                self.raced = True
                raise AccountChanged("The other delivery of the same message was quicker.")

    desk = Desk(Raced(INVITED))
    assert desk.send(request()).status is Status.SUCCESS
    assert desk.account.state is AccountState.CONNECTED


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (request(RegistrationToken="guessed"), "not made for the account 111111111111"),
        (request(AccountId="222222222222"), "RoleArn"),
        (
            request(
                AccountId="222222222222",
                RoleArn="arn:aws:iam::222222222222:role/cloudspend-access",
            ),
            "not made for the account 222222222222",
        ),
        (request(RoleArn="arn:aws:iam::222222222222:role/cloudspend-access"), "RoleArn"),
        (request(RoleArn="arn:aws:iam::111111111111:role/admin"), "RoleArn"),
        (request(AccountId="1"), "account id"),
        (request(AccountId=None), "AccountId"),
        (request(RegistrationToken=""), "RegistrationToken"),
        (request(RegistrationToken="x" * 200), "RegistrationToken"),
        (request(ExportBucketName={"a": 1}), "ExportBucketName"),
        (request(ExportPrefix="a/../b"), "export prefix"),
        (request(ExportKind="ANY"), "ExportKind"),
        (request() | {"ResourceProperties": "none"}, "AccountId"),
    ],
)
def test_a_wrong_claim_is_answered_and_changes_nothing(message: dict[str, Any], says: str) -> None:
    desk = Desk()
    answer = desk.send(message)
    assert answer.status is Status.FAILED
    assert says in answer.reason
    assert desk.responder.statuses == ["FAILED"]
    assert desk.untouched


def test_a_stranger_cannot_tell_an_unknown_account_from_a_known_one() -> None:
    known = Desk().send(request(RegistrationToken="guessed")).reason
    unknown = Desk(FakeAccounts()).send(request(RegistrationToken="guessed")).reason
    assert known == unknown


def test_an_expired_link_is_refused() -> None:
    desk = Desk()
    answer = desk.send(request(), NOW + timedelta(days=7))
    assert answer.status is Status.FAILED
    assert "expired at 2026-11-30 10:00 UTC" in answer.reason
    assert desk.untouched


def test_a_token_works_once() -> None:
    desk = Desk()
    desk.send(request())
    after = desk.account
    for other in (
        request(StackId=STACK + "2"),
        request(RequestId="another"),
        request("Update", StackId=STACK + "2"),
    ):
        answer = desk.send(other)
        assert answer.status is Status.FAILED
        assert "used already" in answer.reason
    assert desk.account == after
    assert len(desk.onboarding.started) == 1


def test_an_update_of_the_same_stack_is_verified_again() -> None:
    desk = Desk()
    desk.send(request())
    desk.registry.save(desk.account, replace(desk.account, state=AccountState.FAILED))
    assert desk.send(request("Update", ExportPrefix="new")).status is Status.SUCCESS
    assert (desk.account.state, desk.account.export.prefix) == (AccountState.CONNECTED, "new")
    assert len(desk.onboarding.started) == 2


def test_a_deleted_stack_is_seen_and_answered() -> None:
    desk = Desk()
    desk.send(request())
    active = replace(desk.account, state=AccountState.ACTIVE, activated_at=NOW)
    desk.registry.save(desk.account, active)
    for _ in range(2):
        assert desk.send(request("Delete")).status is Status.SUCCESS
    assert desk.account.state is AccountState.DEGRADED
    assert "deleted the CloudSpend stack" in desk.account.state_reason
    stated = [event for event in desk.bus.events if event.detail_type == "AccountDegraded"]
    assert len({event.event_id for event in stated}) == 1
    assert len(desk.registry.history("111111111111")) == 2


def test_a_stack_that_is_deleted_before_its_account_was_active_has_failed() -> None:
    desk = Desk()
    desk.send(request())
    desk.send(request("Delete"))
    assert desk.account.state is AccountState.FAILED
    assert "OnboardingFailed" in desk.bus.kinds


def test_a_suspended_account_keeps_its_new_connection_and_stays_suspended() -> None:
    desk = Desk()
    desk.send(request())
    rests = replace(desk.account, state=AccountState.SUSPENDED, state_reason="They asked for it.")
    desk.registry.save(desk.account, rests)
    assert desk.send(request("Update", ExportPrefix="new")).status is Status.SUCCESS
    assert (desk.account.state, desk.account.export.prefix) == (AccountState.SUSPENDED, "new")
    assert desk.account.state_reason == "They asked for it."
    assert len(desk.onboarding.started) == 1


@pytest.mark.parametrize(
    "message",
    [
        request("Delete", RegistrationToken="guessed"),
        request("Delete", StackId=STACK + "2"),
        request("Delete", AccountId="222222222222"),
        request("Delete") | {"ResourceProperties": None},
    ],
)
def test_another_s_deletion_is_answered_and_changes_nothing(message: dict[str, Any]) -> None:
    desk = Desk()
    desk.send(request())
    after = desk.account
    assert desk.send(message).status is Status.SUCCESS
    assert desk.account == after


@pytest.mark.parametrize(
    "late",
    [
        request("Update"),
        request("Delete"),
        # the earlier token with the later stack's id, which is no secret
        request("Update", StackId=STACK + "2"),
        request("Delete", StackId=STACK + "2"),
    ],
)
def test_an_earlier_stack_has_no_say_once_a_later_one_is_connected(late: dict[str, Any]) -> None:
    desk = Desk()
    desk.send(request())
    second = replace(INVITED, token_sha256=token_digest("later"), stack_id=STACK)
    desk.registry.save(desk.account, second)
    desk.send(request(RegistrationToken="later", StackId=STACK + "2"))
    after = desk.account
    assert after.stack_id == STACK + "2"
    desk.send(late)
    assert desk.account == after
    assert len(desk.onboarding.started) == 2


@pytest.mark.parametrize(
    "message",
    [
        "",
        "[]",
        "null",
        "{",
        "[" * 30_000,
        json.dumps(request() | {"padding": "x" * MAX_MESSAGE}),
        json.dumps(request("Destroy")),
        json.dumps(request(RequestType=["Create"])),
        json.dumps(request(StackId="")),
        json.dumps(request(RequestId=7)),
        json.dumps(request(LogicalResourceId="x" * 3000)),
        json.dumps(request(ResponseURL="http://169.254.169.254/latest/meta-data")),
    ],
)
def test_what_is_no_request_is_not_answered(message: str) -> None:
    desk = Desk()
    assert desk.send(message).status is None
    assert desk.responder.answers == []
    assert desk.untouched


@pytest.mark.parametrize(
    "url",
    [
        URL.replace("https", "http"),
        URL.replace("https", "file"),
        URL.replace(".com/", ".com.evil.example/"),
        URL.replace(".com/", ".com@evil.example/"),
        URL.replace(".com/", ".com:8443/"),
        URL.replace(".com/", ".com\\@evil.example/"),
        URL.replace("https://", "https://evil.example/#"),
        URL.replace("https://", "https://user@"),
        URL.replace("https://", "https:// "),
        URL.replace(".com/", ".com\n/"),
        URL.replace("s3.amazonaws", "s3xamazonaws"),
        "https://[::1",
        "",
    ],
)
def test_a_response_url_elsewhere_is_not_acceptable(url: str) -> None:
    assert acceptable(URL, HOSTS)
    assert not acceptable(url, HOSTS)
    assert not acceptable(URL, "")


@pytest.mark.parametrize(
    "changes",
    [
        {"X-Amz-Algorithm": "AWS4-HMAC-SHA1"},
        {"X-Amz-Credential": "AKIAIOSFODNN7EXAMPLE/20261103/us-east-1/sts/aws4_request"},
        {"X-Amz-Date": "yesterday"},
        {"X-Amz-Expires": "7201"},
        {"X-Amz-Expires": "604800"},
        {"X-Amz-Expires": "0"},
        {"X-Amz-Expires": "-1"},
        {"X-Amz-Expires": "\u0667"},
        {"X-Amz-SignedHeaders": "host;x-amz-acl"},
        {"X-Amz-Signature": "0f" * 31},
        {"X-Amz-Security-Token": ""},
        {"x-amz-acl": "public-read"},
        {"uploads": ""},
        {"x-id": "PutObject"},
        *({name: None} for name in SIGNATURE),
    ],
)
def test_a_response_url_of_another_form_is_not_called(changes: dict[str, str | None]) -> None:
    query = {name: value for name, value in (SIGNATURE | changes).items() if value is not None}
    desk = Desk()
    assert desk.send(request(ResponseURL=f"{OBJECT}?{urlencode(query)}")).status is None
    assert desk.responder.answers == []
    assert desk.untouched


@pytest.mark.parametrize(
    "url",
    [
        OBJECT,
        f"{OBJECT}?",
        f"{URL}&X-Amz-Expires=60",
        f"{URL}#fragment",
        f"{URL}#",
        URL.replace("/a%7Cb?", "/?"),
        URL.replace("/a%7Cb?", "?"),
        f"{OBJECT}?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1793678706&Signature=c2ln",
        f"{URL}&{'&'.join(f'a{number}=b' for number in range(100))}",
    ],
)
def test_a_response_url_that_is_not_presigned_is_not_acceptable(url: str) -> None:
    assert not acceptable(url, HOSTS)


def test_a_response_url_may_be_signed_by_a_session() -> None:
    token = urlencode({"X-Amz-Security-Token": "IQoJb3JpZ2luX2VjE/+=" * 30})
    assert acceptable(f"{URL}&{token}", HOSTS)


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
        "https://10.0.0.1/",
        "https://[fd00:ec2::254]/latest/meta-data",
        "https://2130706433/",
        "https://localhost/",
        "file:///proc/self/environ",
    ],
)
def test_no_internal_address_is_called(address: str) -> None:
    for url in (address, f"{address}?{urlencode(SIGNATURE)}"):
        desk = Desk()
        assert desk.send(request(ResponseURL=url)).status is None
        assert desk.responder.answers == []
        assert desk.untouched


def test_a_flood_of_forged_registrations_changes_nothing() -> None:
    """Those that are answered get the same answer, and the one whose token is right gets in."""
    desk = Desk()
    before = desk.account
    for number in range(300):
        forged = request(
            StackId=STACK.replace("111111111111", f"{number:012d}"),
            RequestId=f"request-{number}",
            RegistrationToken=f"token-{number}",
        )
        assert desk.send(forged).status is not Status.SUCCESS
    assert (desk.account, desk.bus.kinds) == (before, ["RegistrationsRefused"])
    assert desk.onboarding.started == {}
    reasons = {answer["Reason"] for _, answer in desk.responder.answers}
    assert len(reasons) == 1
    assert desk.send(request()).status is Status.SUCCESS


def test_a_forged_stack_id_gives_nothing_without_the_token() -> None:
    """Nor does the owner's own stack id, once the token is spent, with another token."""
    desk = Desk()
    desk.send(request())
    after, events = desk.account, list(desk.bus.events)
    forged = request("Update", RegistrationToken="guessed")
    assert desk.send(forged).status is Status.FAILED
    assert desk.send(request("Delete", RegistrationToken="guessed")).status is Status.SUCCESS
    other = STACK.replace("111111111111", "222222222222")
    assert desk.send(request("Update", StackId=other)).status is Status.FAILED
    assert desk.send(request("Delete", StackId=other)).status is Status.SUCCESS
    assert (desk.account, desk.bus.events) == (after, events)


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_no_message_raises_or_is_believed(message: str) -> None:
    desk = Desk()
    assert desk.send(message).status is None
    assert desk.untouched


def test_a_broken_follow_up_is_done_when_the_message_comes_again() -> None:
    desk = Desk()
    desk.onboarding.broken = True
    with pytest.raises(TransientError):
        desk.send(request())
    assert desk.responder.statuses == ["SUCCESS"]
    desk.onboarding.broken = False
    desk.send(request())
    assert list(desk.onboarding.started.values()) == ["111111111111"]


def test_a_deletion_that_fails_on_our_side_is_answered_and_done_later() -> None:
    desk = Desk()
    desk.send(request())
    desk.bus.broken = True
    with pytest.raises(TransientError):
        desk.send(request("Delete"))
    assert desk.responder.statuses[-1] == "SUCCESS"
    desk.bus.broken = False
    desk.send(request("Delete"))
    assert desk.account.state is AccountState.FAILED


@pytest.mark.parametrize(
    ("error", "raised"), [(TransientError("Busy."), False), (Defect("x"), True), (KeyError(), True)]
)
def test_whatever_happens_the_stack_is_answered(error: Exception, raised: bool) -> None:
    class Broken(FakeAccounts):
        def find(self, account_id: str) -> Account | None:
            assert account_id == "111111111111"
            raise error

    desk = Desk(Broken())
    if raised:
        with pytest.raises(type(error)):
            desk.send(request())
        assert desk.responder.answers[0][1]["Reason"] == INTERNAL
    else:
        assert desk.send(request()).reason == "Busy."
    assert desk.responder.statuses == ["FAILED"]


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_a_flood_is_told_once_and_answered_no_more_while_the_right_token_gets_in(kind: str) -> None:
    desk = Desk()
    guessed = request(kind, RegistrationToken="guessed")
    for _ in range(REFUSALS_ANSWERED):
        assert desk.send(guessed).status is not None
    assert desk.bus.kinds == ["RegistrationsRefused"]
    assert desk.bus.events[0].details["refused"] == REFUSALS_ANSWERED
    for _ in range(50):
        assert desk.send(guessed).reason == FLOODED
    assert len(desk.responder.answers) == REFUSALS_ANSWERED
    assert desk.bus.kinds == ["RegistrationsRefused"]
    assert desk.send(request()).status is Status.SUCCESS
    # the next hour begins again
    assert desk.send(guessed, NOW + timedelta(hours=1)).status is not None


def test_what_cannot_be_answered_is_counted_as_well() -> None:
    desk = Desk()
    for _ in range(REFUSALS_ANSWERED + 5):
        desk.send("no request")
    assert desk.bus.kinds == ["RegistrationsRefused"]
    assert desk.responder.answers == []
    assert desk.send(request(RegistrationToken="guessed")).reason == FLOODED


def test_our_own_fault_counts_for_no_flood() -> None:
    class Busy(FakeAccounts):
        def find(self, account_id: str) -> Account | None:
            raise TransientError("Busy.", account_id=account_id)

    desk = Desk(Busy())
    desk.send(request())
    assert desk.registry.refusals == {}

"""The way in: what STS, IAM and Secrets Manager are asked for, and that a key leaves no trace."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from moto import mock_aws

from cloudspend.access.aws.inspection import HARMFUL_ACTIONS, KeyInspector
from cloudspend.access.aws.key_store import SecretsManagerKeyStore, reading_policy
from cloudspend.access.aws.sessions import SessionIdentity, StsCustomerSessions, session_name
from cloudspend.access.keys import AccessKey, Identity
from cloudspend.access.ports import CURRENT, PREVIOUS, AccessKeyStore
from cloudspend.accounts.model import KeyFacts
from cloudspend.errors import ConnectionRefused, PermissionDenied, TransientError
from tests.fakes.access import FakeVault, a_trust_policy
from tests.fakes.accounts import NOW, an_account

ACCOUNT = an_account()
FACTS = KeyFacts("arn:aws:iam::111111111111:user/u", "ZZZZ", NOW, True, NOW)
BY_KEY = an_account(role_arn=None, key=FACTS)
KEY, SECOND = AccessKey("AKIA" + "Z" * 16, "s" * 40), AccessKey("AKIA" + "Y" * 16, "t" * 40)
VISITOR = SessionIdentity("000000000000", "cloudspend-ingest-convert", "request-1")
TAGS = [
    {"Key": "cloudspend-purpose", "Value": "111111111111_2026-10"},
    {"Key": "cloudspend-by", "Value": "cloudspend-ingest-convert"},
    {"Key": "cloudspend-request", "Value": "request-1"},
]
CREDENTIALS = {
    "AccessKeyId": "A" * 20,
    "SecretAccessKey": "s",
    "SessionToken": "t",
    "Expiration": NOW,
}
PLAIN = {
    "RoleArn": ACCOUNT.role_arn,
    "RoleSessionName": "cloudspend-111111111111-2026-10",
    "DurationSeconds": 3600,
    "ExternalId": ACCOUNT.external_id,
}
MARKED = {**PLAIN, "Tags": TAGS, "SourceIdentity": "cloudspend-ingest-convert"}


def a_door(
    sts: Any = None, key_store: AccessKeyStore | None = None, region: str = "us-east-1"
) -> StsCustomerSessions:
    client = sts or boto3.client("sts", region_name=region)
    return StsCustomerSessions(client, region, key_store or FakeVault(), lambda: VISITOR)


@pytest.fixture
def sts() -> Iterator[Stubber]:
    with Stubber(boto3.client("sts")) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("external_id", ["external-id-of-the-account", "wrong", None])
def test_the_door_asks_sts_with_exactly_this_external_id(
    sts: Stubber, external_id: str | None
) -> None:
    expected = {
        "RoleArn": ACCOUNT.role_arn,
        "RoleSessionName": "cloudspend-verify",
        "DurationSeconds": 3600,
    } | ({"ExternalId": external_id} if external_id else {})
    sts.add_client_error("assume_role", "AccessDenied", expected_params=expected)
    assert a_door(sts.client).enter(ACCOUNT, external_id) is None


def test_an_open_door_says_where_it_leads() -> None:
    with mock_aws():
        assert a_door().enter(ACCOUNT, ACCOUNT.external_id) == "111111111111"


def test_a_throttled_door_is_not_a_closed_one(sts: Stubber) -> None:
    sts.add_client_error("assume_role", "Throttling")
    with pytest.raises(TransientError):
        a_door(sts.client).enter(ACCOUNT, None)


def test_a_session_lasts_an_hour_and_says_who_comes_and_what_for(sts: Stubber) -> None:
    sts.add_response("assume_role", {"Credentials": CREDENTIALS}, MARKED)
    customer_sessions = a_door(sts.client, region="eu-central-1")
    session = customer_sessions.customer_session(ACCOUNT, "111111111111_2026-10")
    found = session.get_credentials()
    assert found is not None
    assert (found.access_key, found.token, session.region_name) == ("A" * 20, "t", "eu-central-1")


def test_a_session_in_an_execution_says_which(sts: Stubber) -> None:
    """Its name as far as there is room, a tag as a whole."""
    run = f"111111111111_2026-10_{'a' * 32}"
    visitor = replace(VISITOR, execution=f"cloudspend-ingest:{run}")
    tag = {"Key": "cloudspend-execution", "Value": f"cloudspend-ingest:{run}"}
    named = {"RoleSessionName": f"cloudspend-reconcile-111111111111-2026-10-{'a' * 22}"}
    purpose = {"Key": "cloudspend-purpose", "Value": "reconcile"}
    expected = {**MARKED, **named, "Tags": [purpose, *TAGS[1:], tag]}
    sts.add_response("assume_role", {"Credentials": CREDENTIALS}, expected)
    StsCustomerSessions(sts.client, "us-east-1", FakeVault(), lambda: visitor).customer_session(
        ACCOUNT, "reconcile"
    )


def test_a_role_that_takes_no_marks_is_entered_without_and_asked_once(sts: Stubber) -> None:
    sts.add_client_error("assume_role", "AccessDenied", expected_params=MARKED)
    sts.add_response("assume_role", {"Credentials": CREDENTIALS}, PLAIN)
    sts.add_response("assume_role", {"Credentials": CREDENTIALS}, PLAIN)
    customer_sessions = a_door(sts.client)
    customer_sessions.customer_session(ACCOUNT, "111111111111_2026-10")
    customer_sessions.customer_session(ACCOUNT, "111111111111_2026-10")


@pytest.mark.parametrize("taken", [True, False])
def test_whether_marks_are_taken_is_tried(sts: Stubber, taken: bool) -> None:
    if taken:
        sts.add_response("assume_role", {"Credentials": CREDENTIALS})
    else:
        sts.add_client_error("assume_role", "AccessDenied")
    assert a_door(sts.client).accepts_session_tags(ACCOUNT) is taken


def test_a_refused_session_is_the_customer_s_to_mend(sts: Stubber) -> None:
    sts.add_client_error("assume_role", "AccessDenied")
    sts.add_client_error("assume_role", "AccessDenied")
    with pytest.raises(ConnectionRefused, match="cannot be assumed"):
        a_door(sts.client).customer_session(ACCOUNT, "ingest")


def test_an_account_without_a_role_is_said_before_anybody_is_asked(sts: Stubber) -> None:
    with pytest.raises(ConnectionRefused, match="no one has followed its link"):
        a_door(sts.client).customer_session(replace(ACCOUNT, role_arn=None), "ingest")


def test_a_session_name_is_what_sts_takes() -> None:
    name = session_name("111111111111_2026-10_20261103T000000Z-aaaaaaaa ü" + "x" * 50)
    assert len(name) == 64
    assert name.startswith("cloudspend-111111111111-2026-10-20261103T000000Z-aaaaaaaa")


@pytest.mark.parametrize("region", ["us-east-1", "eu-south-1"])
def test_sessions_come_from_the_region_s_own_sts(region: str) -> None:
    with mock_aws():
        session = a_door(region=region).customer_session(ACCOUNT, "x")
    regional = f"https://sts.{region}.amazonaws.com"
    assert session.client("sts").meta.endpoint_url == regional
    assert a_door(region=region).long_term(KEY).client("sts").meta.endpoint_url == regional


def test_a_role_s_trust_policy_is_read_with_the_role_itself() -> None:
    with mock_aws():
        iam = boto3.client("iam")
        iam.create_role(
            RoleName="cloudspend-access",
            AssumeRolePolicyDocument=json.dumps(a_trust_policy()),
        )
        # moto keeps roles by account: here the customer's own
        account = replace(ACCOUNT, role_arn="arn:aws:iam::123456789012:role/cloudspend-access")
        assert a_door().trust_policy(account) == a_trust_policy()
        missing = replace(ACCOUNT, role_arn="arn:aws:iam::123456789012:role/other")
        with pytest.raises(PermissionDenied):
            a_door().trust_policy(missing)


@pytest.fixture(params=["fake", "secretsmanager"])
def key_store(request: pytest.FixtureRequest) -> Iterator[AccessKeyStore]:
    if request.param == "fake":
        yield FakeVault()
        return
    with mock_aws():
        boto3.client("kms").create_alias(
            AliasName="alias/cloudspend",
            TargetKeyId=boto3.client("kms").create_key()["KeyMetadata"]["KeyId"],
        )
        yield SecretsManagerKeyStore(boto3.client("secretsmanager"))


def test_a_vault_keeps_the_new_key_and_the_one_before(key_store: AccessKeyStore) -> None:
    assert key_store.read("111111111111", CURRENT) is None
    key_store.put("111111111111", KEY)
    assert key_store.read("111111111111", CURRENT) == KEY
    assert key_store.read("111111111111", PREVIOUS) is None
    key_store.put("111111111111", SECOND)
    assert key_store.read("111111111111", CURRENT) == SECOND
    assert key_store.read("111111111111", PREVIOUS) == KEY
    assert key_store.read("222222222222", CURRENT) is None


def test_what_is_forgotten_is_gone_and_may_be_forgotten_again(key_store: AccessKeyStore) -> None:
    key_store.put("111111111111", KEY)
    key_store.forget("111111111111")
    key_store.forget("111111111111")
    assert key_store.read("111111111111", CURRENT) is None
    key_store.put("111111111111", SECOND)
    assert key_store.read("111111111111", PREVIOUS) is None


def test_a_secret_is_closed_before_it_holds_anything_and_under_the_platform_s_key() -> None:
    secrets = boto3.client("secretsmanager")
    name = {"SecretId": "cloudspend/access-key/111111111111"}
    closed = {**name, "ResourcePolicy": json.dumps(reading_policy()), "BlockPublicPolicy": True}
    created = {
        "Name": name["SecretId"],
        "KmsKeyId": "alias/cloudspend",
        "Description": ANY,
        "Tags": [{"Key": "cloudspend", "Value": "111111111111"}],
    }
    with Stubber(secrets) as stub:
        stub.add_client_error(
            "put_resource_policy", "ResourceNotFoundException", expected_params=closed
        )
        stub.add_response("create_secret", {}, created)
        stub.add_response("put_resource_policy", {}, closed)
        stub.add_response("put_secret_value", {}, {**name, "SecretString": KEY.to_text()})
        SecretsManagerKeyStore(secrets).put("111111111111", KEY)
        stub.assert_no_pending_responses()


def test_only_marked_roles_may_read_a_secret() -> None:
    (statement,) = reading_policy()["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Action"] == "secretsmanager:GetSecretValue"
    assert statement["Condition"] == {
        "StringNotEquals": {"aws:PrincipalTag/cloudspend-enters-customers": "yes"}
    }


class ByKey(StsCustomerSessions):
    """A door whose keys' own STS answers from a script: each key's session or error, by its id."""

    def __init__(self, key_store: AccessKeyStore, refused: dict[str, str]) -> None:
        super().__init__(boto3.client("sts"), "us-east-1", key_store, lambda: VISITOR)
        self.refused = refused
        self.asked: list[dict[str, Any]] = []

    def long_term(self, key: AccessKey) -> Any:
        customer_sessions = self

        class Session:
            def client(self, *_: Any, **__: Any) -> Any:
                sts = boto3.client("sts")
                stub = Stubber(sts)
                code = customer_sessions.refused.get(key.id)
                if code:
                    stub.add_client_error("get_federation_token", code, "It says why.", 403)
                else:
                    expected = {
                        "Name": "cloudspend-ingest",
                        "Policy": ANY,
                        "DurationSeconds": 3600,
                    }
                    answer = {"Credentials": CREDENTIALS}
                    stub.add_response("get_federation_token", answer, expected)
                stub.activate()
                return sts

        return Session()


def test_a_key_is_used_for_a_session_that_can_do_no_more_than_is_needed() -> None:
    key_store = FakeVault()
    key_store.put("111111111111", KEY)
    session = ByKey(key_store, {}).customer_session(BY_KEY, "ingest")
    credentials = session.get_credentials()
    assert credentials is not None
    assert credentials.access_key == "A" * 20


def test_while_aws_does_not_know_a_new_key_everywhere_the_one_before_serves() -> None:
    key_store = FakeVault()
    key_store.put("111111111111", KEY)
    key_store.put("111111111111", SECOND)
    customer_sessions = ByKey(key_store, {SECOND.id: "InvalidClientTokenId"})
    assert customer_sessions.customer_session(BY_KEY, "ingest").get_credentials() is not None
    customer_sessions.refused[KEY.id] = "InvalidClientTokenId"
    with pytest.raises(ConnectionRefused, match=f"ending in {SECOND.ending}"):
        customer_sessions.customer_session(BY_KEY, "ingest")


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("InvalidClientTokenId", "rotate-key"),
        ("SignatureDoesNotMatch", "rotate-key"),
        ("AccessDenied", "sts:GetFederationToken"),
    ],
)
def test_a_refused_key_is_told_by_its_ending_and_shown_nowhere(
    code: str, remedy: str, caplog: pytest.LogCaptureFixture
) -> None:
    key_store = FakeVault()
    key_store.put("111111111111", KEY)
    with caplog.at_level(logging.INFO), pytest.raises(ConnectionRefused) as caught:
        ByKey(key_store, {KEY.id: code}).customer_session(BY_KEY, "ingest")
    assert remedy in caught.value.remedy
    shown = f"{caught.value!r}{caught.value.__cause__!r}{caught.value.details}{caplog.text}"
    assert KEY.secret not in shown
    assert KEY.id not in shown


def test_an_account_without_a_stored_key_says_so() -> None:
    with pytest.raises(ConnectionRefused, match="has no access key"):
        a_door().customer_session(BY_KEY, "ingest")


def test_an_account_on_the_move_is_served_by_its_key_and_proved_by_its_role(sts: Stubber) -> None:
    key_store = FakeVault()
    key_store.put("111111111111", KEY)
    moving = replace(BY_KEY, role_arn=ACCOUNT.role_arn)
    assert ByKey(key_store, {}).customer_session(moving, "ingest").get_credentials() is not None
    sts.add_response("assume_role", {"Credentials": CREDENTIALS})
    a_door(sts.client, key_store).pending_session(moving)


@pytest.fixture
def inspector() -> Iterator[KeyInspector]:
    with mock_aws():
        yield KeyInspector(a_door(), "aws")


def made_key(iam: Any) -> AccessKey:
    iam.create_user(UserName="cloudspend")
    made = iam.create_access_key(UserName="cloudspend")["AccessKey"]
    return AccessKey(made["AccessKeyId"], made["SecretAccessKey"])


def test_a_key_is_asked_whose_it_is_and_when_it_was_made(inspector: KeyInspector) -> None:
    key = made_key(boto3.client("iam"))
    found = inspector.identity(key)
    assert found == Identity("123456789012", "arn:aws:iam::123456789012:user/cloudspend")
    made = inspector.created_at(key)
    assert made is not None
    assert made.tzinfo is not None


class Refusing(StsCustomerSessions):
    """Keys whose every question is refused, or answered by the scripts."""

    def __init__(self, **scripts: Stubber) -> None:
        super().__init__(boto3.client("sts"), "us-east-1", FakeVault(), lambda: VISITOR)
        self.scripts = scripts

    def long_term(self, key: AccessKey) -> Any:  # noqa: ARG002 - the port's
        scripts = self.scripts

        class Session:
            def client(self, service: str, **_: Any) -> Any:
                scripts[service].activate()
                return scripts[service].client

        return Session()


def refusing(service: str, operation: str, code: str = "AccessDenied") -> Stubber:
    stub = Stubber(boto3.client(service))
    stub.add_client_error(operation, code, http_status_code=403)
    return stub


USER = Identity("111111111111", "arn:aws:iam::111111111111:user/u")


def test_iam_is_asked_what_a_key_may_do_too_much() -> None:
    iam = Stubber(boto3.client("iam"))
    answers = [
        {"EvalActionName": action, "EvalDecision": "allowed" if "Put" in action else "implicitDeny"}
        for action in HARMFUL_ACTIONS
    ]
    expected = {"PolicySourceArn": USER.arn, "ActionNames": list(HARMFUL_ACTIONS)}
    iam.add_response("simulate_principal_policy", {"EvaluationResults": answers}, expected)
    found = KeyInspector(Refusing(iam=iam), "aws").excess(KEY, USER)
    assert found.complete
    assert found.actions == ("iam:PutUserPolicy", "s3:PutBucketPolicy", "s3:PutObject")


def test_where_iam_cannot_be_asked_calls_that_only_read_show_a_part() -> None:
    iam = refusing("iam", "simulate_principal_policy")
    iam.add_client_error("list_users", "AccessDenied", http_status_code=403)
    s3 = Stubber(boto3.client("s3"))
    s3.add_response("list_buckets", {"Buckets": []})
    secrets = refusing("secretsmanager", "list_secrets", "AccessDeniedException")
    customer_sessions = Refusing(iam=iam, s3=s3, secretsmanager=secrets)
    found = KeyInspector(customer_sessions, "aws").excess(KEY, USER)
    assert (found.complete, found.actions) == (False, ("s3:ListAllMyBuckets",))


def test_a_key_that_may_not_tell_its_age_does_not() -> None:
    iam = refusing("iam", "list_access_keys")
    assert KeyInspector(Refusing(iam=iam), "aws").created_at(KEY) is None


def test_a_key_that_aws_does_not_know_is_refused_by_its_ending() -> None:
    sts = refusing("sts", "get_caller_identity", "InvalidClientTokenId")
    with pytest.raises(ConnectionRefused, match=f"ending in {KEY.ending}") as caught:
        KeyInspector(Refusing(sts=sts), "aws").identity(KEY)
    assert KEY.secret not in str(caught.value)

"""Sessions, key store and key inspection: the requests to AWS, and that no key is ever shown."""

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
from tests.fakes.access import FakeKeyStore, a_trust_policy
from tests.fakes.accounts import NOW, an_account

ACCOUNT = an_account()
FACTS = KeyFacts("arn:aws:iam::111111111111:user/u", "ZZZZ", NOW, True, NOW)
BY_KEY = an_account(role_arn=None, key=FACTS)
KEY, SECOND = AccessKey("AKIA" + "Z" * 16, "s" * 40), AccessKey("AKIA" + "Y" * 16, "t" * 40)
IDENTITY = SessionIdentity("000000000000", "cloudspend-ingest-convert", "request-1")
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
UNTAGGED = {
    "RoleArn": ACCOUNT.role_arn,
    "RoleSessionName": "cloudspend-111111111111-2026-10",
    "DurationSeconds": 3600,
    "ExternalId": ACCOUNT.external_id,
}
TAGGED = {**UNTAGGED, "Tags": TAGS, "SourceIdentity": "cloudspend-ingest-convert"}


def some_sessions(
    sts: Any = None, key_store: AccessKeyStore | None = None, region: str = "us-east-1"
) -> StsCustomerSessions:
    client = sts or boto3.client("sts", region_name=region)
    return StsCustomerSessions(client, region, key_store or FakeKeyStore(), lambda: IDENTITY)


@pytest.fixture
def sts() -> Iterator[Stubber]:
    with Stubber(boto3.client("sts")) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("external_id", ["external-id-of-the-account", "wrong", None])
def test_a_role_is_assumed_with_exactly_this_external_id(
    sts: Stubber, external_id: str | None
) -> None:
    expected = {
        "RoleArn": ACCOUNT.role_arn,
        "RoleSessionName": "cloudspend-verify",
        "DurationSeconds": 3600,
    } | ({"ExternalId": external_id} if external_id else {})
    sts.add_client_error("assume_role", "AccessDenied", expected_params=expected)
    assert some_sessions(sts.client).enter(ACCOUNT, external_id) is None


def test_the_account_of_an_assumed_role_is_returned() -> None:
    with mock_aws():
        assert some_sessions().enter(ACCOUNT, ACCOUNT.external_id) == "111111111111"


def test_throttling_is_not_a_denial(sts: Stubber) -> None:
    sts.add_client_error("assume_role", "Throttling")
    with pytest.raises(TransientError):
        some_sessions(sts.client).enter(ACCOUNT, None)


def test_a_session_lasts_an_hour_and_is_tagged_with_identity_and_purpose(sts: Stubber) -> None:
    sts.add_response("assume_role", {"Credentials": CREDENTIALS}, TAGGED)
    customer_sessions = some_sessions(sts.client, region="eu-central-1")
    session = customer_sessions.customer_session(ACCOUNT, "111111111111_2026-10")
    credentials = session.get_credentials()
    assert credentials is not None
    assert (credentials.access_key, credentials.token, session.region_name) == (
        "A" * 20,
        "t",
        "eu-central-1",
    )


def test_a_session_names_its_execution(sts: Stubber) -> None:
    """The session name has as much of it as fits, the tag has all of it."""
    execution_name = f"111111111111_2026-10_{'a' * 32}"
    identity = replace(IDENTITY, execution=f"cloudspend-ingest:{execution_name}")
    tag = {"Key": "cloudspend-execution", "Value": f"cloudspend-ingest:{execution_name}"}
    named = {"RoleSessionName": f"cloudspend-reconcile-111111111111-2026-10-{'a' * 22}"}
    purpose = {"Key": "cloudspend-purpose", "Value": "reconcile"}
    expected = {**TAGGED, **named, "Tags": [purpose, *TAGS[1:], tag]}
    sts.add_response("assume_role", {"Credentials": CREDENTIALS}, expected)
    StsCustomerSessions(sts.client, "us-east-1", FakeKeyStore(), lambda: identity).customer_session(
        ACCOUNT, "reconcile"
    )


def test_a_role_that_refuses_session_tags_is_entered_without_them_and_tried_once(
    sts: Stubber,
) -> None:
    sts.add_client_error("assume_role", "AccessDenied", expected_params=TAGGED)
    sts.add_response("assume_role", {"Credentials": CREDENTIALS}, UNTAGGED)
    sts.add_response("assume_role", {"Credentials": CREDENTIALS}, UNTAGGED)
    customer_sessions = some_sessions(sts.client)
    customer_sessions.customer_session(ACCOUNT, "111111111111_2026-10")
    customer_sessions.customer_session(ACCOUNT, "111111111111_2026-10")


@pytest.mark.parametrize("accepted", [True, False])
def test_session_tags_are_tried(sts: Stubber, accepted: bool) -> None:
    if accepted:
        sts.add_response("assume_role", {"Credentials": CREDENTIALS})
    else:
        sts.add_client_error("assume_role", "AccessDenied")
    assert some_sessions(sts.client).accepts_session_tags(ACCOUNT) is accepted


def test_a_refused_session_is_for_the_customer_to_solve(sts: Stubber) -> None:
    sts.add_client_error("assume_role", "AccessDenied")
    sts.add_client_error("assume_role", "AccessDenied")
    with pytest.raises(ConnectionRefused, match="cannot be assumed"):
        some_sessions(sts.client).customer_session(ACCOUNT, "ingest")


def test_an_account_without_a_role_is_refused_without_a_request(sts: Stubber) -> None:
    with pytest.raises(ConnectionRefused, match="no one has followed its link"):
        some_sessions(sts.client).customer_session(replace(ACCOUNT, role_arn=None), "ingest")


def test_an_account_without_a_role_cannot_be_entered(sts: Stubber) -> None:
    without_role = replace(ACCOUNT, role_arn=None)
    assert some_sessions(sts.client).enter(without_role, ACCOUNT.external_id) is None
    assert not some_sessions(sts.client).accepts_session_tags(without_role)


def test_a_session_name_is_valid_for_sts() -> None:
    name = session_name("111111111111_2026-10_20261103T000000Z-aaaaaaaa ü" + "x" * 50)
    assert len(name) == 64
    assert name.startswith("cloudspend-111111111111-2026-10-20261103T000000Z-aaaaaaaa")


@pytest.mark.parametrize("region", ["us-east-1", "eu-south-1"])
def test_sessions_are_created_by_the_regional_endpoint_of_sts(region: str) -> None:
    with mock_aws():
        session = some_sessions(region=region).customer_session(ACCOUNT, "x")
    regional = f"https://sts.{region}.amazonaws.com"
    assert session.client("sts").meta.endpoint_url == regional
    assert some_sessions(region=region).long_term(KEY).client("sts").meta.endpoint_url == regional


def test_a_role_s_trust_policy_is_read_with_the_role_itself() -> None:
    with mock_aws():
        iam = boto3.client("iam")
        iam.create_role(
            RoleName="cloudspend-access",
            AssumeRolePolicyDocument=json.dumps(a_trust_policy()),
        )
        # moto has one store of roles for each account; this is the account of its credentials.
        account = replace(ACCOUNT, role_arn="arn:aws:iam::123456789012:role/cloudspend-access")
        assert some_sessions().trust_policy(account) == a_trust_policy()
        missing = replace(ACCOUNT, role_arn="arn:aws:iam::123456789012:role/other")
        with pytest.raises(PermissionDenied):
            some_sessions().trust_policy(missing)


@pytest.fixture(params=["fake", "secretsmanager"])
def key_store(request: pytest.FixtureRequest) -> Iterator[AccessKeyStore]:
    if request.param == "fake":
        yield FakeKeyStore()
        return
    with mock_aws():
        boto3.client("kms").create_alias(
            AliasName="alias/cloudspend",
            TargetKeyId=boto3.client("kms").create_key()["KeyMetadata"]["KeyId"],
        )
        yield SecretsManagerKeyStore(boto3.client("secretsmanager"))


def test_a_store_keeps_the_new_key_and_the_previous_one(key_store: AccessKeyStore) -> None:
    assert key_store.read("111111111111", CURRENT) is None
    key_store.put("111111111111", KEY)
    assert key_store.read("111111111111", CURRENT) == KEY
    assert key_store.read("111111111111", PREVIOUS) is None
    key_store.put("111111111111", SECOND)
    assert key_store.read("111111111111", CURRENT) == SECOND
    assert key_store.read("111111111111", PREVIOUS) == KEY
    assert key_store.read("222222222222", CURRENT) is None


def test_keys_are_deleted_permanently_and_a_deletion_can_be_repeated(
    key_store: AccessKeyStore,
) -> None:
    key_store.put("111111111111", KEY)
    key_store.forget("111111111111")
    key_store.forget("111111111111")
    assert key_store.read("111111111111", CURRENT) is None
    key_store.put("111111111111", SECOND)
    assert key_store.read("111111111111", PREVIOUS) is None


def test_a_secret_has_its_policy_and_the_platform_s_kms_key_before_it_has_a_value() -> None:
    secrets = boto3.client("secretsmanager")
    name = {"SecretId": "cloudspend/access-key/111111111111"}
    policy = {**name, "ResourcePolicy": json.dumps(reading_policy()), "BlockPublicPolicy": True}
    secret = {
        "Name": name["SecretId"],
        "KmsKeyId": "alias/cloudspend",
        "Description": ANY,
        "Tags": [{"Key": "cloudspend", "Value": "111111111111"}],
    }
    with Stubber(secrets) as stub:
        stub.add_client_error(
            "put_resource_policy", "ResourceNotFoundException", expected_params=policy
        )
        stub.add_response("create_secret", {}, secret)
        stub.add_response("put_resource_policy", {}, policy)
        stub.add_response("put_secret_value", {}, {**name, "SecretString": KEY.to_text()})
        SecretsManagerKeyStore(secrets).put("111111111111", KEY)
        stub.assert_no_pending_responses()


def test_only_tagged_roles_may_read_a_secret() -> None:
    (statement,) = reading_policy()["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Action"] == "secretsmanager:GetSecretValue"
    assert statement["Condition"] == {
        "StringNotEquals": {"aws:PrincipalTag/cloudspend-enters-customers": "yes"}
    }


class KeySessions(StsCustomerSessions):
    """Sessions of keys, with an STS that refuses the keys in `refused` (key id to error code)."""

    def __init__(self, key_store: AccessKeyStore, refused: dict[str, str]) -> None:
        super().__init__(boto3.client("sts"), "us-east-1", key_store, lambda: IDENTITY)
        self.refused = refused

    def long_term(self, key: AccessKey) -> Any:
        customer_sessions = self

        class Session:
            def client(self, *_: Any, **__: Any) -> Any:
                sts = boto3.client("sts")
                stub = Stubber(sts)
                code = customer_sessions.refused.get(key.id)
                if code:
                    stub.add_client_error("get_federation_token", code, "A message.", 403)
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


def test_a_key_is_used_for_a_session_with_the_session_policy() -> None:
    key_store = FakeKeyStore()
    key_store.put("111111111111", KEY)
    session = KeySessions(key_store, {}).customer_session(BY_KEY, "ingest")
    credentials = session.get_credentials()
    assert credentials is not None
    assert credentials.access_key == "A" * 20


def test_the_previous_key_is_used_while_aws_does_not_know_the_new_one() -> None:
    key_store = FakeKeyStore()
    key_store.put("111111111111", KEY)
    key_store.put("111111111111", SECOND)
    customer_sessions = KeySessions(key_store, {SECOND.id: "InvalidClientTokenId"})
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
def test_a_refused_key_is_named_by_its_ending_only(
    code: str, remedy: str, caplog: pytest.LogCaptureFixture
) -> None:
    key_store = FakeKeyStore()
    key_store.put("111111111111", KEY)
    with caplog.at_level(logging.INFO), pytest.raises(ConnectionRefused) as caught:
        KeySessions(key_store, {KEY.id: code}).customer_session(BY_KEY, "ingest")
    assert remedy in caught.value.remedy
    shown = f"{caught.value!r}{caught.value.__cause__!r}{caught.value.details}{caplog.text}"
    assert KEY.secret not in shown
    assert KEY.id not in shown


def test_an_account_without_a_stored_key_is_refused() -> None:
    with pytest.raises(ConnectionRefused, match="has no access key"):
        some_sessions().customer_session(BY_KEY, "ingest")


def test_an_account_on_the_move_is_read_by_its_key_and_verified_by_its_role(sts: Stubber) -> None:
    key_store = FakeKeyStore()
    key_store.put("111111111111", KEY)
    moving = replace(BY_KEY, role_arn=ACCOUNT.role_arn)
    assert (
        KeySessions(key_store, {}).customer_session(moving, "ingest").get_credentials() is not None
    )
    sts.add_response("assume_role", {"Credentials": CREDENTIALS})
    some_sessions(sts.client, key_store).pending_session(moving)


@pytest.fixture
def inspector() -> Iterator[KeyInspector]:
    with mock_aws():
        yield KeyInspector(some_sessions(), "aws")


def create_key(iam: Any) -> AccessKey:
    iam.create_user(UserName="cloudspend")
    created = iam.create_access_key(UserName="cloudspend")["AccessKey"]
    return AccessKey(created["AccessKeyId"], created["SecretAccessKey"])


def test_owner_and_creation_time_of_a_key_are_queried(inspector: KeyInspector) -> None:
    key = create_key(boto3.client("iam"))
    owner = Identity("123456789012", "arn:aws:iam::123456789012:user/cloudspend")
    assert inspector.identity(key) == owner
    created_at = inspector.created_at(key)
    assert created_at is not None
    assert created_at.tzinfo is not None


class ScriptedSessions(StsCustomerSessions):
    """Sessions of keys, whose clients give scripted answers."""

    def __init__(self, **scripts: Stubber) -> None:
        super().__init__(boto3.client("sts"), "us-east-1", FakeKeyStore(), lambda: IDENTITY)
        self.scripts = scripts

    def long_term(self, key: AccessKey) -> Any:  # noqa: ARG002 - the port's
        scripts = self.scripts

        class Session:
            def client(self, service: str, **_: Any) -> Any:
                scripts[service].activate()
                return scripts[service].client

        return Session()


def denying(service: str, operation: str, code: str = "AccessDenied") -> Stubber:
    stub = Stubber(boto3.client(service))
    stub.add_client_error(operation, code, http_status_code=403)
    return stub


USER = Identity("111111111111", "arn:aws:iam::111111111111:user/u")


def test_excess_permissions_are_simulated_by_iam() -> None:
    iam = Stubber(boto3.client("iam"))
    answers = [
        {"EvalActionName": action, "EvalDecision": "allowed" if "Put" in action else "implicitDeny"}
        for action in HARMFUL_ACTIONS
    ]
    expected = {"PolicySourceArn": USER.arn, "ActionNames": list(HARMFUL_ACTIONS)}
    iam.add_response("simulate_principal_policy", {"EvaluationResults": answers}, expected)
    excess = KeyInspector(ScriptedSessions(iam=iam), "aws").excess(KEY, USER)
    assert excess.complete
    assert excess.actions == ("iam:PutUserPolicy", "s3:PutBucketPolicy", "s3:PutObject")


def test_without_simulation_read_only_calls_show_some_excess_permissions() -> None:
    iam = denying("iam", "simulate_principal_policy")
    iam.add_client_error("list_users", "AccessDenied", http_status_code=403)
    s3 = Stubber(boto3.client("s3"))
    s3.add_response("list_buckets", {"Buckets": []})
    secrets = denying("secretsmanager", "list_secrets", "AccessDeniedException")
    customer_sessions = ScriptedSessions(iam=iam, s3=s3, secretsmanager=secrets)
    excess = KeyInspector(customer_sessions, "aws").excess(KEY, USER)
    assert (excess.complete, excess.actions) == (False, ("s3:ListAllMyBuckets",))


def test_the_creation_time_is_unknown_if_the_key_may_not_query_it() -> None:
    iam = denying("iam", "list_access_keys")
    assert KeyInspector(ScriptedSessions(iam=iam), "aws").created_at(KEY) is None


def test_a_key_that_aws_does_not_know_is_refused() -> None:
    sts = denying("sts", "get_caller_identity", "InvalidClientTokenId")
    with pytest.raises(ConnectionRefused, match=f"ending in {KEY.ending}") as caught:
        KeyInspector(ScriptedSessions(sts=sts), "aws").identity(KEY)
    assert KEY.secret not in str(caught.value)

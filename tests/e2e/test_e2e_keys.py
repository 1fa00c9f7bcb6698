"""An account connected by an access key on the local cloud: taken in, read and collected, rotated
while months are read, and moved to a role. Nowhere but in its secret is there a trace of the key;
and with key and role alike all that is granted is used, and nothing else."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudspend.access.aws.inspection import READ_ONLY_CALLS
from cloudspend.access.connect_key import SIMULATE
from cloudspend.access.keys import AccessKey
from cloudspend.accounts.model import ExportKind
from cloudspend.collect.items import spend_key
from cloudspend.collect.sources import SOURCES
from cloudspend.settings import CUSTOMER_ROLE, KEY_SECRETS
from local.platform import Answer
from local.story import Story
from local.world.bill import Bill
from local.world.delivery import post_ledger, tell, write
from tests.e2e.scene import Customer, Scene, Totals, dearer, hours_for
from tests.e2e.test_e2e_onboarding import documents
from tests.e2e.written import Written
from tests.stacks.stacks_reading import grants

ACCOUNT, MEMBER = "484848484848", "484848484801"
USER = "cloudspend"
SECRET = f"{KEY_SECRETS}/{ACCOUNT}"
BY_USER = f"arn:aws:iam::{ACCOUNT}:user/{USER}"
BY_KEY = f"arn:aws:sts::{ACCOUNT}:federated-user/"
BY_ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/{CUSTOMER_ROLE}/"
Asked = Mapping[str, Any]


@dataclass
class Keyring:
    """The customer's administrator, the keys that were made, and the account's months."""

    customer: Customer
    bills: tuple[Bill, ...]
    kms_key: str
    policy: dict[str, Any]
    since: datetime
    keys: list[AccessKey] = field(default_factory=list)
    handed_over: dict[str, Any] = field(default_factory=dict)
    collected: dict[str, str] = field(default_factory=dict)

    @property
    def scene(self) -> Scene:
        return self.customer.scene

    def new_key(self, user: str = USER) -> AccessKey:
        made = self.customer.session.client("iam").create_access_key(UserName=user)["AccessKey"]
        self.keys.append(AccessKey(made["AccessKeyId"], made["SecretAccessKey"]))
        return self.keys[-1]

    def hand_over(self, command: str, key: AccessKey, *options: str) -> Answer:
        """What the command says of a key that the operator types in; never the key."""
        answer = self.scene.platform.run(
            *("accounts", command, ACCOUNT, "--from-file", "-", "--output", "json", *options),
            typed=key.to_text(),
        )
        assert key.secret not in answer.out + answer.err
        assert key.id not in answer.out + answer.err
        return answer

    def versions(self) -> dict[str, str]:
        """The secret's versions by their stage, whose contents no one here may read."""
        secrets = self.scene.platform.session.client("secretsmanager")
        return {
            stage: version["VersionId"]
            for version in secrets.list_secret_version_ids(SecretId=SECRET)["Versions"]
            for stage in version["VersionStages"]
        }

    def tell_execution(self, name: str, status: str, **reason: str) -> None:
        """AWS has delivered the export, or could not."""
        stated = {"account": ACCOUNT, "name": self.customer.report.name, "execution": name}
        endpoint = self.scene.platform.cloud.endpoint
        tell(endpoint, "executions", {**stated, "status": status, **reason})

    def load(self, number: int, bill: Bill) -> str:
        """AWS delivers, and an execution takes it in; returns its ARN."""
        post_ledger(bill, self.scene.platform.cloud.endpoint)
        assembly = self.customer.assembly(bill)
        write(assembly, self.customer.session)
        return self.scene.start(assembly, ACCOUNT, f"{ACCOUNT}_load-{number}")

    def collect(self) -> dict[str, str]:
        """What a round of Collect says of each source, on a day on which nothing was spent yet."""
        table: Any = self.scene.platform.session.resource("dynamodb").Table("cloudspend")
        table.delete_item(Key=spend_key(ACCOUNT, datetime.now(UTC).date()))
        return {row["source"]: row["status"] for row in self.scene.command("collect", ACCOUNT)}

    def totals(self) -> list[Totals]:
        return [self.scene.totals(ACCOUNT, bill.period) for bill in self.bills]

    def asked(self, *callers: str) -> list[Asked]:
        """What IAM was asked about callers whose ARN begins so."""
        kept: list[Asked] = self.scene.platform.cloud.control("asked")
        return [one for one in kept if one["caller"].startswith(callers)]


@pytest.fixture(scope="module")
def keyring(story: Story, scene: Scene) -> Iterator[Keyring]:
    """An active account without a role, whose export was there before with two months in it, and
    is encrypted with a key of the customer's."""
    since, cloud = datetime.now(UTC), scene.platform.cloud
    members = [
        {"id": ACCOUNT, "name": "Key Shop", "email": "root@shop.example.com"},
        {"id": MEMBER, "name": "Till", "email": "till@shop.example.com", "unit": "Tills"},
    ]
    tell(cloud.endpoint, "world", {"management": ACCOUNT, "members": members})
    cloud.control("asked", {"account": ACCOUNT})
    customer = Customer(scene, ACCOUNT, "Key Shop", ExportKind.CUR_2_0)
    scene.command(
        *("accounts", "invite", ACCOUNT, "--name", "Key Shop", "--type", "ORGANIZATION"),
        *("--start-date", "2020-01-01", "--export-setup", "USE_EXISTING"),
    )
    customer.bring_export()
    kms_key = encrypt(customer)
    # No one listens yet: a key has no rule. The stack that comes later has one.
    customer.session.client("s3").put_bucket_notification_configuration(
        Bucket=customer.report.bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    bills = tuple(hours_for(ACCOUNT, bill) for bill in story.world.bills()[:2])
    for bill in bills:
        customer.put(bill)

    iam = customer.session.client("iam")
    by_kms = ("--kms-key", kms_key)
    policy = scene.platform.run("accounts", "key-policy", ACCOUNT, *by_kms).json
    iam.create_user(UserName=USER)
    iam.put_user_policy(UserName=USER, PolicyName="cloudspend", PolicyDocument=json.dumps(policy))
    keyring = Keyring(customer, bills, kms_key, policy, since)
    keyring.tell_execution("first", "DELIVERY_SUCCESS")
    answer = keyring.hand_over("connect-key", keyring.new_key(), *by_kms)
    assert answer.code == 0, answer.err
    keyring.handed_over = answer.json
    shown = customer.wait_until_onboarded()
    assert shown["state"] == "active", shown
    scene.expect_success(*scene.wait_for_ingests(ACCOUNT, len(bills) - 1))
    keyring.collected = keyring.collect()
    yield keyring
    cloud.control("asked", method="DELETE")


@dataclass(frozen=True)
class Moved:
    """The same account with a role, and what it was like before."""

    keyring: Keyring
    template: dict[str, Any]
    totals: list[Totals]
    history: list[dict[str, Any]]
    periods: list[dict[str, Any]]


@pytest.fixture(scope="module")
def moved(keyring: Keyring) -> Moved:
    """The account has followed the link that moves it to a role."""
    scene, customer = keyring.scene, keyring.customer
    history = scene.look("accounts", "history", ACCOUNT)
    totals, periods = keyring.totals(), scene.look("periods", ACCOUNT)
    link = scene.command("accounts", "move-to-role", ACCOUNT)["link"]
    followed = customer.follow(link, KmsKeyArn=keyring.kms_key)
    assert followed == "CREATE_COMPLETE", customer.stack_reasons()
    scene.wait_for_event(ACCOUNT, "MovedToRole")
    scene.platform.wait_until(
        f"{ACCOUNT} to be active", lambda: customer.shown()["state"] == "active"
    )
    return Moved(keyring, customer.template(link), totals, history, periods)


@dataclass(frozen=True)
class Used:
    """What came of all that the platform does by the role."""

    keyring: Keyring
    template: dict[str, Any]
    execution: dict[str, Any]
    collected: dict[str, str]
    exports: list[dict[str, Any]]


@pytest.fixture(scope="module")
def used(moved: Moved) -> Used:
    keyring, customer = moved.keyring, moved.keyring.customer
    execution = customer.deliver(customer.assembly(keyring.bills[1]))
    keyring.tell_execution("last", "DELIVERY_FAILURE", reason="INSUFFICIENT_PERMISSION")
    exports = keyring.scene.look("exports", "list", ACCOUNT)
    return Used(keyring, moved.template, execution, keyring.collect(), exports)


def encrypt(customer: Customer) -> str:
    """Have all that comes into the account's bucket encrypted with a new key; returns its ARN."""
    key = str(customer.session.client("kms").create_key()["KeyMetadata"]["Arn"])
    rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    customer.session.client("s3").put_bucket_encryption(
        Bucket=customer.report.bucket,
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]},
    )
    return key


def test_an_account_is_taken_in_read_and_collected_by_its_key(keyring: Keyring) -> None:
    shown = keyring.handed_over
    assert shown["connection"] == "ACCESS_KEY"
    assert shown["key_ending"] == keyring.keys[0].ending
    statuses = {check["check"]: check["status"] for check in shown["checks"]}
    assert set(statuses.values()) == {"passed", "not_available"}
    for bill in keyring.bills:
        assert keyring.scene.period(ACCOUNT, bill.period)["certification"] == "certified"
    assert all(total.rows > 0 for total in keyring.totals())
    assert keyring.collected == dict.fromkeys(SOURCES, "collected")


def test_the_key_is_rotated_while_months_are_read(keyring: Keyring) -> None:
    scene, first, before = keyring.scene, keyring.keys[0], keyring.versions()
    iam = keyring.customer.session.client("iam")
    running = [keyring.load(number, dearer(bill)) for number, bill in enumerate(keyring.bills)]

    iam.create_user(UserName="stranger")
    second = keyring.new_key()
    for wrong, sentence in (
        (AccessKey(second.id, "x" * 40), "AWS does not accept the access key"),
        (keyring.new_key("stranger"), "may not create a session"),
    ):
        refused = keyring.hand_over("rotate-key", wrong)
        assert refused.code != 0
        assert sentence in refused.err
        assert keyring.versions() == before

    answer = keyring.hand_over("rotate-key", second)
    assert answer.code == 0, answer.err
    rotated_at = datetime.now(UTC)
    assert answer.json["key_ending"] == second.ending
    assert keyring.versions()["AWSPREVIOUS"] == before["AWSCURRENT"]

    ended = scene.wait_for_executions(running)
    scene.expect_success(*ended)
    iam.delete_access_key(UserName=USER, AccessKeyId=first.id)
    after = keyring.load(len(running), keyring.bills[0])
    scene.expect_success(*scene.wait_for_executions([after]))
    assert rotated_at > ended[0]["startDate"]
    assert scene.recorder.of(ACCOUNT, "AccessKeyRotated", ending=second.ending)
    assert not scene.recorder.of(ACCOUNT, "IngestFailed")


def test_moved_to_a_role_the_account_has_lost_nothing_but_its_key(moved: Moved) -> None:
    keyring, scene = moved.keyring, moved.keyring.scene
    shown = keyring.customer.shown()
    assert shown["connection"] == "IAM_ROLE"
    assert "key_ending" not in shown
    assert keyring.totals() == moved.totals
    assert scene.look("periods", ACCOUNT) == moved.periods
    history = scene.look("accounts", "history", ACCOUNT)
    assert history[: len(moved.history)] == moved.history
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        keyring.versions()
    secrets = scene.platform.session.client("secretsmanager")
    listed = secrets.list_secrets(IncludePlannedDeletion=True)["SecretList"]
    assert SECRET not in {secret["Name"] for secret in listed}


def test_by_the_role_it_is_read_and_collected_as_before(used: Used) -> None:
    used.keyring.scene.expect_success(used.execution)
    assert used.collected == dict.fromkeys(SOURCES, "collected")
    [listed] = used.exports
    assert listed["used"] is True
    assert "INSUFFICIENT_PERMISSION" in listed["wrong"]


def test_the_secret_is_nowhere_but_in_secrets_manager(used: Used) -> None:
    scene, keys = used.keyring.scene, used.keyring.keys
    written = Written(scene.platform, used.keyring.since)
    places = {
        "events": json.dumps(scene.recorder.all()),
        "logs": "\n".join(written.logs()),
        "functions": "\n".join(written.functions()),
        "executions": "\n".join(written.executions()),
        "registry": "\n".join(written.registry()),
        "objects": "\n".join(written.objects()),
        "mail": "\n".join(written.mail()),
    }
    # Each was searched: what must be there is found.
    there = {"logs": "handled an event", "functions": "cloudspend-ingest-convert"}
    assert [name for name in places if there.get(name, ACCOUNT) not in places[name]] == []
    parts = [part for key in keys for part in (key.secret, key.id)]
    assert {name for name, text in places.items() for part in parts if part in text} == set()


def unlike(granted: Collection[str], asked: Sequence[Asked]) -> tuple[set[str], set[str]]:
    """The actions that were asked for and are not granted, and those granted and not used."""
    used = {one["action"] for one in asked if one["allowed"]}
    return {one["action"] for one in asked} - set(granted), set(granted) - used


def of_role(template: Mapping[str, Any]) -> set[str]:
    """The actions of the role in the customer's template."""
    found = documents(dict(template))
    return {action for document in found for action, _ in grants(document)}


def test_by_the_role_all_that_is_granted_is_used_and_nothing_else(used: Used) -> None:
    asked = used.keyring.asked(BY_ROLE)
    granted = of_role(used.template)
    assert unlike(granted, asked) == (set(), set())
    assert [one for one in asked if not one["allowed"]] == []
    # Not by its own trial alone; but whom the role trusts is what verifying is about.
    working = [one for one in asked if not one["caller"].startswith(f"{BY_ROLE}cloudspend-verify")]
    assert unlike(granted, working) == (set(), {"iam:GetRole"})
    for action in granted:
        assert unlike(granted - {action}, asked) == ({action}, set())
    assert unlike(granted | {"s3:PutObject"}, asked) == (set(), {"s3:PutObject"})


def test_by_the_key_all_that_is_granted_is_used_and_nothing_else(used: Used) -> None:
    """Beyond that it is only tried whether the key may do too much, and that it may not."""
    asked = used.keyring.asked(BY_USER, BY_KEY)
    granted = {action for action, _ in grants(used.keyring.policy)}
    tried = {SIMULATE, *READ_ONLY_CALLS}
    assert unlike(granted, asked) == (tried, set())
    assert {one["action"] for one in asked if not one["allowed"]} == tried
    assert [one for one in used.keyring.asked(BY_KEY) if not one["allowed"]] == []


def test_a_session_says_what_it_is_for_and_which_execution_it_is(used: Used) -> None:
    names = {one["caller"].rpartition("/")[2] for one in used.keyring.asked(BY_ROLE)}
    # As STS takes it.
    run = re.sub(r"[^A-Za-z0-9=,.@-]", "-", used.execution["name"])
    for purpose in ("deliveries", "reconcile"):
        assert f"cloudspend-{purpose}-{run}"[:64] in names

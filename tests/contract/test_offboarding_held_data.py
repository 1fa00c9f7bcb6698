"""What the platform holds of an account, in each service (moto) and the fake, held to the same
promises."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cloudspend.accounts.aws import DynamoAccounts
from cloudspend.accounts.model import Check, CheckStatus, Member
from cloudspend.errors import TransientError
from cloudspend.offboarding.aws import Entries, Objects, Partitions, Runs, Secrets
from cloudspend.offboarding.ports import Holding
from cloudspend.settings import DATABASE, KEY_SECRETS
from tests.contract.test_accounts_registry import create_table
from tests.contract.test_lake_catalog import glue_catalog, glue_client
from tests.fakes.accounts import NOW, an_account
from tests.fakes.offboarding import FakeHolding

ID, OTHER, MEMBER = "111111111111", "111111111112", "222222222222"
BUCKET = "a-lake"


@dataclass(frozen=True)
class Held:
    """A holding, and the names that it lists of an account once there is something."""

    holding: Holding
    names: Callable[[str], set[str]]


def fake() -> Held:
    names = {account: [f"{account} {n}" for n in range(3)] for account in (ID, OTHER)}
    return Held(FakeHolding("things", names), lambda account: set(names[account]))


def runs() -> Held:
    states = boto3.client("stepfunctions")
    arns = []
    for name in ("cloudspend-ingest", "cloudspend-onboard"):
        machine = states.create_state_machine(
            name=name,
            definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
            roleArn="arn:aws:iam::000000000000:role/states",
        )["stateMachineArn"]
        arns.append(machine)
        for account in (ID, OTHER):
            states.start_execution(stateMachineArn=machine, name=f"{account}_2026-10")
    executions = [arn.replace(":stateMachine:", ":execution:") for arn in arns]
    return Held(
        Runs(states, arns), lambda account: {f"{each}:{account}_2026-10" for each in executions}
    )


def secrets() -> Held:
    client = boto3.client("secretsmanager")
    for account in (ID, OTHER):
        client.create_secret(Name=f"{KEY_SECRETS}/{account}", SecretString="{}")
    return Held(Secrets(client), lambda account: {f"{KEY_SECRETS}/{account}"})


def partitions() -> Held:
    glue = glue_client()
    glue.create_table(DatabaseName=DATABASE, TableInput={"Name": "of_nobody", "PartitionKeys": []})
    catalog = glue_catalog(glue)
    for account in (ID, OTHER):
        for month in range(1, 31):
            catalog.point("cost_and_usage", (account, f"20{month:02d}-10"), "s3://a-lake/one/")
        catalog.point("billing_detail_generations", (account, "2026-10", "g"), "s3://a-lake/two/")
    return Held(
        Partitions(glue, DATABASE),
        lambda account: (
            {f"cost_and_usage/{account}/20{month:02d}-10" for month in range(1, 31)}
            | {f"billing_detail_generations/{account}/2026-10/g"}
        ),
    )


def objects() -> Held:
    """Of each account: two versions of a file, a deleted one, and one of a folder no one knows."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=BUCKET, Key="sweeps/1/accounts.json", Body=b"[]")
    for account in (ID, OTHER):
        for key in keys(account):
            s3.put_object(Bucket=BUCKET, Key=key, Body=b"one")
        s3.put_object(Bucket=BUCKET, Key=keys(account)[0], Body=b"two")
        s3.delete_object(Bucket=BUCKET, Key=keys(account)[1])
    found = s3.list_object_versions(Bucket=BUCKET)
    all_of_them = [*found["Versions"], *found["DeleteMarkers"]]
    return Held(
        Objects(s3, BUCKET),
        lambda account: {
            f"{each['Key']} ({each['VersionId']})"
            for each in all_of_them
            if f"={account}/" in each["Key"]
        },
    )


def keys(account: str) -> list[str]:
    return [
        f"cost_and_usage/account_id={account}/billing_period=2026-10/generation=g/0.parquet",
        f"runs/account_id={account}/billing_period=2026-10/generation=g/plan.json",
        f"of_a_later_room/account_id={account}/0.parquet",
    ]


def entries() -> Held:
    table = create_table(boto3.resource("dynamodb"))
    registry = DynamoAccounts(table)
    for account in (ID, OTHER):
        registry.add(an_account(account, display_name=f"Account {account}"))
        for number in range(30):
            check = Check(f"{number:02d}", "s3:ListBucket", CheckStatus.PASSED, "", "", NOW)
            registry.put_check(account, check)
        registry.put_members(account, [Member(MEMBER, "A member", "ACTIVE", NOW, NOW)])
    return Held(
        Entries(table),
        lambda _: (
            {"PROFILE", "NAME", f"MEMBER#{MEMBER}"}
            | {f"CHECK#{number:02d}" for number in range(30)}
        ),
    )


@pytest.fixture(params=[fake, runs, secrets, partitions, objects, entries])
def held(request: pytest.FixtureRequest) -> Iterator[Held]:
    with mock_aws():
        yield request.param()


def test_all_of_an_account_is_listed_and_nothing_of_another(held: Held) -> None:
    for account in (ID, OTHER):
        found = list(held.holding.of(account))
        assert set(found) == held.names(account)
        assert len(found) == len(set(found))
    assert list(held.holding.of("999999999999")) == []


def test_it_is_taken_away_until_nothing_is_left_and_nothing_of_another(held: Held) -> None:
    names, removed = held.names(ID), 0
    while gone := held.holding.remove(ID):
        removed += gone
    assert removed == len(names)
    assert list(held.holding.of(ID)) == []
    assert held.holding.remove(ID) == 0
    assert set(held.holding.of(OTHER)) == held.names(OTHER)


def test_a_display_name_is_free_again_with_the_last_entry() -> None:
    with mock_aws():
        table = create_table(boto3.resource("dynamodb"))
        registry, holding = DynamoAccounts(table), Entries(table)
        registry.add(an_account(ID, display_name="Shop"))
        while holding.remove(ID):
            pass
        registry.add(an_account(OTHER, display_name="SHOP"))
        registry.add(an_account(ID, display_name="Shop again"))


@pytest.mark.parametrize("service", ["s3", "glue"])
def test_what_was_not_deleted_is_no_success(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both services answer a request that deleted nothing as if it had succeeded."""
    with mock_aws():
        held = objects() if service == "s3" else partitions()
        holding: Any = held.holding
        refused = {"Errors": [{"Key": "k", "ErrorDetail": {"ErrorCode": "InternalService"}}]}
        client = holding._s3 if service == "s3" else holding._glue
        name = "delete_objects" if service == "s3" else "batch_delete_partition"
        monkeypatch.setattr(client, name, lambda **_: refused)
        with pytest.raises(TransientError, match="did not delete every"):
            holding.remove(ID)

"""The registry in DynamoDB (moto) and the fake, held to the same promises."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cloudspend.accounts import items
from cloudspend.accounts.aws import DynamoAccounts, known_regions
from cloudspend.accounts.model import AccountState, Change, Check, CheckStatus, Member
from cloudspend.accounts.ports import AccountChanged, AccountRegistry, Registration
from cloudspend.errors import TransientError, UsageError
from tests.fakes.accounts import NOW, FakeAccounts, an_account

FIRST = an_account(
    token_sha256="f" * 64, retention_months=36, billing_detail=True, tag_columns=("Team",)
)
DESCRIBED = an_account(
    "333333333333",
    partition="aws-us-gov",
    contacts=("billing@example.com", "it@example.com"),
    owner="Cloud team",
    cost_centre="4711",
    fresh_hours=60,
    notes="Two lines,\nas typed.",
)
SECOND = an_account("222222222222")
CONNECTED = replace(FIRST, state=AccountState.CONNECTED, token_sha256=None, stack_id="s")
SPENT = Registration("111111111111", "f" * 64, "s", "request", NOW)


def create_table(dynamodb: Any) -> Any:
    """The table as the platform's stack makes it."""
    keys = {"pk": "HASH", "sk": "RANGE"}
    index = {"kind": "HASH", "pk": "RANGE"}
    return dynamodb.create_table(
        TableName="cloudspend",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "kind")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "kind",
                "KeySchema": [
                    {"AttributeName": name, "KeyType": kind} for name, kind in index.items()
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


@pytest.fixture(params=["fake", "dynamodb"])
def registry(request: pytest.FixtureRequest) -> Iterator[AccountRegistry]:
    if request.param == "fake":
        yield FakeAccounts()
        return
    with mock_aws():
        yield DynamoAccounts(create_table(boto3.resource("dynamodb")))


def test_what_is_added_is_read_back_whole(registry: AccountRegistry) -> None:
    registry.add(FIRST)
    assert registry.get("111111111111") == FIRST
    assert registry.find("111111111111") == FIRST


def test_what_is_said_of_an_account_is_read_back(registry: AccountRegistry) -> None:
    registry.add(DESCRIBED)
    assert registry.get(DESCRIBED.account_id) == DESCRIBED


def test_an_unknown_account(registry: AccountRegistry) -> None:
    assert registry.find("999999999999") is None
    with pytest.raises(UsageError, match="no account 999999999999"):
        registry.get("999999999999")


def test_accounts_are_listed_in_order(registry: AccountRegistry) -> None:
    registry.add(SECOND)
    registry.add(FIRST)
    registry.put_check("111111111111", a_check("a"))
    assert list(registry.list()) == [FIRST, SECOND]


def test_a_name_is_taken_whatever_its_case(registry: AccountRegistry) -> None:
    registry.add(FIRST)
    with pytest.raises(UsageError, match="another account's"):
        registry.add(replace(SECOND, display_name=FIRST.display_name.upper()))
    assert registry.find("222222222222") is None


def test_an_account_is_added_once(registry: AccountRegistry) -> None:
    registry.add(FIRST)
    with pytest.raises(AccountChanged):
        registry.add(replace(FIRST, display_name="Another name"))
    assert registry.get("111111111111") == FIRST


def test_a_save_replaces_what_was_read(registry: AccountRegistry) -> None:
    registry.add(FIRST)
    registry.save(FIRST, CONNECTED)
    assert registry.get("111111111111") == CONNECTED


def test_a_save_over_another_s_is_refused(registry: AccountRegistry) -> None:
    registry.add(FIRST)
    registry.save(FIRST, CONNECTED)
    with pytest.raises(AccountChanged):
        registry.save(FIRST, replace(FIRST, state_reason="late"))
    with pytest.raises(AccountChanged):
        registry.save(SECOND, SECOND)
    assert registry.get("111111111111") == CONNECTED


def test_a_new_name_is_taken_and_the_old_one_free(registry: AccountRegistry) -> None:
    registry.add(FIRST)
    registry.add(SECOND)
    with pytest.raises(UsageError):
        registry.save(FIRST, replace(FIRST, display_name=SECOND.display_name))
    registry.save(FIRST, replace(FIRST, display_name="New"))
    registry.save(SECOND, replace(SECOND, display_name=FIRST.display_name))
    assert [account.display_name for account in registry.list()] == ["New", FIRST.display_name]


def test_a_name_may_change_its_case(registry: AccountRegistry) -> None:
    registry.add(FIRST)
    upper = replace(FIRST, display_name=FIRST.display_name.upper())
    registry.save(FIRST, upper)
    assert registry.get("111111111111") == upper


def test_a_token_is_spent_with_the_connection(registry: AccountRegistry) -> None:
    registry.add(FIRST)
    assert registry.find_registration("111111111111", SPENT.token_sha256) is None
    registry.register(FIRST, CONNECTED, SPENT)
    assert registry.get("111111111111") == CONNECTED
    assert registry.find_registration("111111111111", SPENT.token_sha256) == SPENT
    assert registry.find_registration("222222222222", SPENT.token_sha256) is None


def test_the_same_stack_registers_again(registry: AccountRegistry) -> None:
    registry.add(FIRST)
    registry.register(FIRST, CONNECTED, SPENT)
    again = replace(CONNECTED, request_id="later")
    registry.register(CONNECTED, again, replace(SPENT, request_id="later"))
    assert registry.get("111111111111") == again


@pytest.mark.parametrize("stack", ["s", "other"])
def test_a_late_or_foreign_registration_writes_nothing(
    registry: AccountRegistry, stack: str
) -> None:
    registry.add(FIRST)
    registry.register(FIRST, CONNECTED, SPENT)
    before = FIRST if stack == "s" else CONNECTED
    late = replace(SPENT, stack_id=stack, request_id="late")
    with pytest.raises(AccountChanged):
        registry.register(before, replace(before, state=AccountState.CONNECTED), late)
    assert registry.get("111111111111") == CONNECTED
    assert registry.find_registration("111111111111", SPENT.token_sha256) == SPENT


def test_a_check_s_newest_result_counts(registry: AccountRegistry) -> None:
    registry.add(FIRST)
    newer = a_check("b", CheckStatus.DENIED)
    for check in (a_check("b"), a_check("a"), newer):
        registry.put_check("111111111111", check)
    assert list(registry.checks("111111111111")) == [a_check("a"), newer]
    assert list(registry.checks("222222222222")) == []


def a_check(name: str, status: CheckStatus = CheckStatus.PASSED) -> Check:
    return Check(name, "s3:ListBucket", status, "why", "what to do", NOW)


STEPS = [
    Change(1, None, AccountState.INVITED, NOW, "an operator", ""),
    Change(2, AccountState.INVITED, AccountState.CONNECTED, NOW, "a stack", "It registered."),
]


def test_refusals_are_counted_by_the_hour(registry: AccountRegistry) -> None:
    hour = datetime(2026, 11, 24, 10, tzinfo=UTC)
    assert [registry.increment_refusals(hour) for _ in range(3)] == [1, 2, 3]
    assert registry.increment_refusals(hour + timedelta(hours=1)) == 1


def test_a_step_is_kept_with_the_account_it_is_a_step_of(registry: AccountRegistry) -> None:
    invited = replace(FIRST, last_change=STEPS[0], activated_at=NOW)
    registry.add(invited)
    registry.save(invited, renamed := replace(invited, display_name="Another"))
    assert list(registry.history("111111111111")) == STEPS[:1]
    connected = replace(renamed, state=AccountState.CONNECTED, last_change=STEPS[1])
    registry.register(renamed, connected, SPENT)
    assert registry.get("111111111111") == connected
    assert list(registry.history("111111111111")) == STEPS
    assert list(registry.history("222222222222")) == []


def test_a_write_that_is_refused_leaves_no_step(registry: AccountRegistry) -> None:
    registry.add(FIRST)
    registry.save(FIRST, CONNECTED)
    with pytest.raises(AccountChanged):
        registry.save(FIRST, replace(FIRST, last_change=STEPS[1]))
    assert list(registry.history("111111111111")) == []


def test_members_are_kept_by_organization_and_found_by_account(registry: AccountRegistry) -> None:
    first = Member("333333333333", "Shop", "ACTIVE", NOW, NOW)
    second = Member("444444444444", "Bank", "SUSPENDED", NOW, NOW)
    registry.put_members("222222222222", [second, first])
    registry.put_members("111111111111", [first])
    assert list(registry.members("222222222222")) == [first, second]
    assert list(registry.organizations_of("333333333333")) == ["111111111111", "222222222222"]
    registry.put_members("222222222222", [replace(first, left_at=NOW)])
    assert list(registry.members("222222222222")) == [replace(first, left_at=NOW), second]
    assert list(registry.organizations_of("333333333333")) == ["111111111111"]
    assert list(registry.organizations_of("555555555555")) == []


def test_the_sdk_knows_the_regions_of_each_partition() -> None:
    assert {"us-east-1", "eu-central-2"} <= known_regions("aws")
    assert known_regions("aws-us-gov") == {"us-gov-east-1", "us-gov-west-1"}
    assert known_regions("aws-cn") == {"cn-north-1", "cn-northwest-1"}


def test_the_sdk_s_list_is_read_once_however_many_accounts_are_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = []

    class Counted:
        def get_available_regions(self, service: str, partition_name: str) -> list[str]:
            read.append((service, partition_name))
            return ["us-east-1"]

    known_regions.cache_clear()
    monkeypatch.setattr("cloudspend.accounts.aws.Session", Counted)
    try:
        assert [known_regions("aws") for _ in range(3)] == [{"us-east-1"}] * 3
        assert read == [("ec2", "aws")]
    finally:
        known_regions.cache_clear()


def test_an_item_of_before_there_was_a_history_is_read_and_written() -> None:
    with mock_aws():
        table = create_table(boto3.resource("dynamodb"))
        registry = DynamoAccounts(table)
        registry.add(FIRST)
        for name in ("last_change", "activated_at", "contacts", *items.ITEM_DEFAULTS):
            table.update_item(
                Key={"pk": "ACCOUNT#111111111111", "sk": "PROFILE"},
                UpdateExpression="REMOVE #name",
                ExpressionAttributeNames={"#name": name},
            )
        assert registry.get("111111111111") == FIRST
        registry.save(FIRST, CONNECTED)
        assert registry.get("111111111111") == CONNECTED


def test_more_accounts_than_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    with mock_aws():
        table = create_table(boto3.resource("dynamodb"))
        registry = DynamoAccounts(table)
        accounts = [an_account(f"{n:012d}", display_name=f"Account {n}") for n in range(5)]
        for account in accounts:
            registry.add(account)
        client, pages = table.meta.client, []
        query = client.query

        def limited(**arguments: Any) -> Any:
            pages.append(query(Limit=2, **arguments))
            return pages[-1]

        monkeypatch.setattr(client, "query", limited)
        assert list(registry.list()) == accounts
        assert len(pages) == 3


def test_throttling_passes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    with mock_aws():
        table = create_table(boto3.resource("dynamodb"))

        def throttled(**_: Any) -> None:
            raise table.meta.client.exceptions.ProvisionedThroughputExceededException(
                {"Error": {"Code": "ProvisionedThroughputExceededException"}}, "GetItem"
            )

        monkeypatch.setattr(table, "get_item", throttled)
        with pytest.raises(TransientError, match="try later"):
            DynamoAccounts(table).find("111111111111")

"""A DynamoDB table (moto): consistent reads, conditional writes and transactions."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from cloudspend.aws.dynamodb import (
    EXISTS,
    NEW,
    ConditionFailed,
    DynamoTable,
    Expression,
    assignments,
    check_write,
    delete_write,
    is_written,
    items_under,
    put_write,
    update_write,
)
from cloudspend.errors import Defect, TransientError
from tests.contract.test_accounts_registry import create_table

KEY = {"pk": "ACCOUNT#1", "sk": "PROFILE"}
OTHER = {"pk": "ACCOUNT#1", "sk": "NAME"}
ITEM = {**KEY, "kind": "PROFILE", "state": "ACTIVE"}
ACTIVE = Expression("#state = :state", {":state": "ACTIVE"}, {"#state": "state"})


@pytest.fixture
def boto_table() -> Iterator[Any]:
    with mock_aws():
        yield create_table(boto3.resource("dynamodb"))


@pytest.fixture
def table(boto_table: Any) -> DynamoTable:
    return DynamoTable(boto_table)


def test_an_item_is_read_back(table: DynamoTable) -> None:
    assert table.get(KEY) is None
    table.put(ITEM)
    assert table.get(KEY) == ITEM


def test_a_write_whose_condition_fails_changes_nothing(table: DynamoTable) -> None:
    table.put(ITEM, NEW)
    changed = {**ITEM, "state": "SUSPENDED"}
    assert not is_written(lambda: table.put(changed, NEW))
    assert not is_written(lambda: table.update(OTHER, assignments({"a": 1}), EXISTS))
    assert not is_written(lambda: table.delete(OTHER, ACTIVE))
    assert table.get(KEY) == ITEM
    assert is_written(lambda: table.delete(KEY, ACTIVE))
    assert table.get(KEY) is None


def test_an_update_returns_the_new_values(table: DynamoTable) -> None:
    add = Expression("ADD pages :one", {":one": 1})
    assert table.update(KEY, add)["pages"] == 1
    assert table.update(KEY, add)["pages"] == 2


def test_initial_values_do_not_replace_existing_ones(table: DynamoTable) -> None:
    table.update(KEY, assignments({"a": 1}, initial={"state": "PLANNED"}))
    table.update(KEY, assignments({"a": 2}, initial={"state": "FAILED"}))
    assert table.get(KEY) == {**KEY, "a": 2, "state": "PLANNED"}


def test_items_are_queried_by_prefix_and_by_index(table: DynamoTable) -> None:
    checks = [{"pk": "ACCOUNT#1", "sk": f"CHECK#{n:02d}", "kind": "CHECK"} for n in range(30)]
    table.put_all([ITEM, *checks])
    assert list(table.query(items_under("ACCOUNT#1", "CHECK#"))) == checks
    assert list(table.query(Key("kind").eq("PROFILE"), index="kind")) == [ITEM]
    keys = table.query(Key("pk").eq("ACCOUNT#1"), attributes="sk")
    assert {"sk": "PROFILE"} in list(keys)
    table.delete_all({"pk": check["pk"], "sk": check["sk"]} for check in checks)
    assert list(table.query(Key("pk").eq("ACCOUNT#1"))) == [ITEM]


def test_a_transaction_writes_everything(table: DynamoTable) -> None:
    table.put(ITEM)
    table.put({**OTHER, "name": "Shop"})
    table.transact(
        update_write(KEY, assignments({"state": "OFFBOARDED"}), ACTIVE),
        delete_write(OTHER, EXISTS),
        put_write({"pk": "ACCOUNT#1", "sk": "HISTORY"}, NEW),
        check_write({"pk": "ACCOUNT#2", "sk": "PROFILE"}, NEW),
    )
    items = list(table.query(Key("pk").eq("ACCOUNT#1")))
    assert [item["sk"] for item in items] == ["HISTORY", "PROFILE"]
    assert items[1]["state"] == "OFFBOARDED"


def test_a_transaction_whose_condition_fails_changes_nothing(table: DynamoTable) -> None:
    table.put(ITEM)
    with pytest.raises(ConditionFailed) as caught:
        table.transact(put_write({**OTHER, "name": "Shop"}, NEW), put_write(ITEM, NEW))
    assert caught.value.position == 1
    assert table.get(OTHER) is None


@pytest.mark.parametrize(
    "reason", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]
)
def test_a_transaction_in_conflict_is_tried_again(boto_table: Any, reason: str) -> None:
    with _canceled(boto_table, reason), pytest.raises(TransientError, match="try later"):
        DynamoTable(boto_table).transact(delete_write(KEY), delete_write(OTHER))


def test_a_malformed_transaction_is_a_defect(boto_table: Any) -> None:
    with _canceled(boto_table, "ValidationError"), pytest.raises(Defect, match="malformed"):
        DynamoTable(boto_table).transact(delete_write(KEY), delete_write(OTHER))


def test_a_malformed_request_is_for_the_room_to_interpret(table: DynamoTable) -> None:
    with pytest.raises(ClientError):
        table.put({"pk": "ACCOUNT#1"})


def _canceled(boto_table: Any, reason: str) -> Stubber:
    """Stub a transaction that DynamoDB cancels for `reason`."""
    stub = Stubber(boto_table.meta.client)
    stub.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        modeled_fields={"CancellationReasons": [{"Code": "None"}, {"Code": reason}]},
    )
    return stub

"""AWS adapters of the accounts room: the DynamoDB registry, Onboard executions, and HTTP
answers.
"""

import hashlib
import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from boto3.dynamodb.conditions import Key
from botocore.session import Session

from cloudspend.accounts import items
from cloudspend.accounts.model import Account, Change, Check, Member
from cloudspend.accounts.ports import AccountChanged, Registration
from cloudspend.aws.errors import aws_errors
from cloudspend.errors import TransientError, UsageError
from cloudspend.settings import KIND_INDEX

Write = dict[str, Any]
Writes = list[Write]

CHANGED = "ConditionalCheckFailed"
NEW = "attribute_not_exists(pk)"
ANSWER_SECONDS = 10


@cache
def known_regions(partition: str) -> frozenset[str]:
    """Return the regions of `partition` by the SDK's list (the regions of Amazon EC2).

    Cached, because reading the list takes a quarter of a second, and an import needs it for every
    field.
    """
    return frozenset(Session().get_available_regions("ec2", partition_name=partition))


class DynamoAccounts:
    """`AccountRegistry` on the table `cloudspend` (a boto3 Table resource)."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def get(self, account_id: str) -> Account:
        account = self.find(account_id)
        if account is None:
            raise UsageError(
                f"There is no account {account_id} in CloudSpend.",
                remedy="See the accounts: cloudspend accounts list.",
            )
        return account

    def find(self, account_id: str) -> Account | None:
        item = self._item(items.account_key(account_id, items.PROFILE))
        return items.to_account(item) if item else None

    def list(self) -> Sequence[Account]:
        found = self._query(
            IndexName=KIND_INDEX, KeyConditionExpression=Key("kind").eq(items.PROFILE)
        )
        return [items.to_account(item) for item in found]

    def add(self, account: Account) -> None:
        writes = [self._name(account), self._profile(account, None)]
        self._transact([*writes, *self._step(None, account)], account)

    def save(self, before: Account, after: Account) -> None:
        self._transact(self._replacement(before, after), after)

    def register(self, before: Account, after: Account, registration: Registration) -> None:
        spent = self._put(
            items.from_registration(registration),
            "attribute_not_exists(pk) OR stack_id = :stack",
            {":stack": registration.stack_id},
        )
        self._transact([*self._replacement(before, after), spent], after)

    def find_registration(self, account_id: str, token_sha256: str) -> Registration | None:
        item = self._item(items.account_key(account_id, items.REGISTRATION + token_sha256))
        return items.to_registration(item) if item else None

    def increment_refusals(self, hour: datetime) -> int:
        with aws_errors("The registry"):
            counted = self._table.update_item(
                Key=items.refusals_key(hour),
                UpdateExpression="ADD refused :one SET #late = :late",
                ExpressionAttributeNames={"#late": items.DELETE_AFTER},
                ExpressionAttributeValues={
                    ":one": 1,
                    ":late": int((hour + items.REFUSALS_KEPT).timestamp()),
                },
                ReturnValues="UPDATED_NEW",
            )
        return int(counted["Attributes"]["refused"])

    def put_check(self, account_id: str, check: Check) -> None:
        with aws_errors("The registry"):
            self._table.put_item(Item=items.from_check(account_id, check))

    def checks(self, account_id: str) -> Sequence[Check]:
        return [items.to_check(item) for item in self._of(account_id, items.CHECK)]

    def history(self, account_id: str) -> Sequence[Change]:
        return [items.to_change(item) for item in self._of(account_id, items.HISTORY)]

    def put_members(self, organization_id: str, members: Sequence[Member]) -> None:
        with aws_errors("The registry"), self._table.batch_writer() as batch:
            for member in members:
                batch.put_item(Item=items.from_member(organization_id, member))

    def members(self, organization_id: str) -> Sequence[Member]:
        return [items.to_member(item) for item in self._of(organization_id, items.MEMBER)]

    def organizations_of(self, account_id: str) -> Sequence[str]:
        found = self._query(
            IndexName=KIND_INDEX,
            KeyConditionExpression=Key("kind").eq(items.MEMBER + account_id),
        )
        return [items.organization_of(item) for item in found if item["left_at"] is None]

    def _of(self, account_id: str, kind: str) -> Iterator[dict[str, Any]]:
        """Yield the account's items whose sort keys begin with `kind`, in order."""
        partition = items.account_key(account_id, items.PROFILE)["pk"]
        condition = Key("pk").eq(partition) & Key("sk").begins_with(kind)
        return self._query(KeyConditionExpression=condition, ConsistentRead=True)

    def _item(self, key: Mapping[str, str]) -> dict[str, Any] | None:
        with aws_errors("The registry"):
            item: dict[str, Any] | None = self._table.get_item(Key=key, ConsistentRead=True).get(
                "Item"
            )
        return item

    def _query(self, **arguments: Any) -> Iterator[dict[str, Any]]:
        while True:
            with aws_errors("The registry"):
                page = self._table.query(**arguments)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _replacement(self, before: Account, after: Account) -> Writes:
        writes = [self._profile(after, before), *self._step(before, after)]
        if items.name_key(before) != items.name_key(after):
            writes = [self._name(after), *writes, self._delete(items.name_key(before))]
        return writes

    def _profile(self, account: Account, before: Account | None) -> dict[str, Any]:
        item = items.from_account(account)
        item["revision"] = _revision(account)
        if before is None:
            return self._put(item, NEW, {})
        return self._put(item, "revision = :before", {":before": _revision(before)})

    def _step(self, before: Account | None, after: Account) -> Writes:
        """Return the write of the new history entry, if the state changed."""
        change = after.last_change
        if change is None or (before is not None and before.last_change == change):
            return []
        return [self._put(items.from_change(after.account_id, change), NEW, {})]

    def _name(self, account: Account) -> dict[str, Any]:
        item = {**items.name_key(account), "account_id": account.account_id}
        return self._put(item, NEW, {})

    def _put(self, item: Mapping[str, Any], condition: str, values: Any) -> dict[str, Any]:
        put = {"TableName": self._table.name, "Item": item, "ConditionExpression": condition}
        return {"Put": put | ({"ExpressionAttributeValues": values} if values else {})}

    def _delete(self, key: Mapping[str, str]) -> dict[str, Any]:
        return {"Delete": {"TableName": self._table.name, "Key": key}}

    def _transact(self, writes: Writes, account: Account) -> None:
        client = self._table.meta.client
        try:
            with aws_errors("The registry"):
                client.transact_write_items(TransactItems=writes)
        except client.exceptions.TransactionCanceledException as error:
            codes = [reason.get("Code") for reason in error.response["CancellationReasons"]]
            if CHANGED in codes and _is_name(writes[codes.index(CHANGED)]):
                raise UsageError(
                    f"The display name {account.display_name!r} is another account's.",
                    remedy="Choose one that no account has; case does not distinguish them.",
                ) from error
            raise AccountChanged(
                f"The account {account.account_id} was changed by someone else just now."
            ) from error


class StepFunctionsOnboarding:
    """`Onboarding` by the state machine `machine_arn`."""

    def __init__(self, states: Any, machine_arn: str) -> None:
        self._states = states
        self._machine_arn = machine_arn

    def start(self, account_id: str, name: str) -> None:
        try:
            with aws_errors("Step Functions"):
                self._states.start_execution(
                    stateMachineArn=self._machine_arn,
                    name=name,
                    input=json.dumps({"account_id": account_id}),
                )
        except self._states.exceptions.ExecutionAlreadyExists:
            # An execution of this name exists: this request has started it before.
            return


class HttpResponder:
    """`Responder` by http.client, which follows no redirects and uses no proxy."""

    def put(self, url: str, body: Mapping[str, Any]) -> None:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(parts.netloc, timeout=ANSWER_SECONDS)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        try:
            # The presigned URL was signed for an empty content type.
            connection.request("PUT", target, json.dumps(body), {"Content-Type": ""})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise TransientError(
                "CloudFormation could not be answered.", cause=str(error)
            ) from error
        finally:
            connection.close()
        if not 200 <= status < 300:
            raise TransientError("CloudFormation did not take the answer.", status=status)


def _revision(account: Account) -> str:
    """Return a digest of the account, by which a write checks that nothing has changed since the
    read.

    Empty and default values are left out, so a field that is added later does not change the
    digests of stored accounts.
    """
    held = {
        key: value
        for key, value in items.from_account(account).items()
        if value and value != items.ITEM_DEFAULTS.get(key)
    }
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()


def _is_name(write: Mapping[str, Any]) -> bool:
    return bool(write.get("Put", {}).get("Item", {}).get("sk") == items.NAME)

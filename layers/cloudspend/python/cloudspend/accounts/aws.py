"""AWS adapters of the accounts room: the DynamoDB registry, Onboard executions, and HTTP
answers.
"""

import hashlib
import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from boto3.dynamodb.conditions import Key
from botocore.session import Session

from cloudspend.accounts import items
from cloudspend.accounts.model import Account, Change, Check, Member
from cloudspend.accounts.ports import AccountChanged, Registration
from cloudspend.aws.dynamodb import (
    NEW,
    ConditionFailed,
    DynamoTable,
    Expression,
    Write,
    delete_write,
    items_under,
    put_write,
)
from cloudspend.aws.executions import start_execution
from cloudspend.errors import TransientError, UsageError
from cloudspend.settings import KIND_INDEX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_stepfunctions import SFNClient

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

    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def get(self, account_id: str) -> Account:
        account = self.find(account_id)
        if account is None:
            raise UsageError(
                f"There is no account {account_id} in CloudSpend.",
                remedy="See the accounts: cloudspend accounts list.",
            )
        return account

    def find(self, account_id: str) -> Account | None:
        item = self._table.get(items.account_key(account_id, items.PROFILE))
        return items.to_account(item) if item else None

    def list(self) -> Sequence[Account]:
        profiles = self._table.query(Key("kind").eq(items.PROFILE), index=KIND_INDEX)
        return [items.to_account(item) for item in profiles]

    def add(self, account: Account) -> None:
        writes = [_name(account), _profile(account, None), *_history(None, account)]
        self._transact(writes, account)

    def save(self, before: Account, after: Account) -> None:
        self._transact(_replacement(before, after), after)

    def register(self, before: Account, after: Account, registration: Registration) -> None:
        same_stack = Expression(
            "attribute_not_exists(pk) OR stack_id = :stack", {":stack": registration.stack_id}
        )
        spent = put_write(items.from_registration(registration), same_stack)
        self._transact([*_replacement(before, after), spent], after)

    def find_registration(self, account_id: str, token_sha256: str) -> Registration | None:
        item = self._table.get(items.account_key(account_id, items.REGISTRATION + token_sha256))
        return items.to_registration(item) if item else None

    def increment_refusals(self, hour: datetime) -> int:
        delete_after = int((hour + items.REFUSALS_KEPT).timestamp())
        update = Expression(
            "ADD refused :one SET #late = :late",
            {":one": 1, ":late": delete_after},
            {"#late": items.DELETE_AFTER},
        )
        return int(self._table.update(items.refusals_key(hour), update)["refused"])

    def put_check(self, account_id: str, check: Check) -> None:
        self._table.put(items.from_check(account_id, check))

    def checks(self, account_id: str) -> Sequence[Check]:
        return [items.to_check(item) for item in self._of(account_id, items.CHECK)]

    def history(self, account_id: str) -> Sequence[Change]:
        return [items.to_change(item) for item in self._of(account_id, items.HISTORY)]

    def put_members(self, organization_id: str, members: Sequence[Member]) -> None:
        self._table.put_all(items.from_member(organization_id, member) for member in members)

    def members(self, organization_id: str) -> Sequence[Member]:
        return [items.to_member(item) for item in self._of(organization_id, items.MEMBER)]

    def organizations_of(self, account_id: str) -> Sequence[str]:
        memberships = self._table.query(Key("kind").eq(items.MEMBER + account_id), index=KIND_INDEX)
        return [items.organization_of(item) for item in memberships if item["left_at"] is None]

    def _of(self, account_id: str, kind: str) -> Iterator[dict[str, Any]]:
        """Yield the account's items whose sort keys begin with `kind`, in order."""
        partition = items.account_key(account_id, items.PROFILE)["pk"]
        return self._table.query(items_under(partition, kind))

    def _transact(self, writes: Sequence[Write], account: Account) -> None:
        try:
            self._table.transact(*writes)
        except ConditionFailed as error:
            if _is_name(writes[error.position]):
                raise UsageError(
                    f"The display name {account.display_name!r} is another account's.",
                    remedy="Choose one that no account has; case does not distinguish them.",
                ) from error
            raise AccountChanged(
                f"The account {account.account_id} was changed by someone else just now."
            ) from error


class StepFunctionsOnboarding:
    """`Onboarding` by the state machine `machine_arn`."""

    def __init__(self, states: "SFNClient", machine_arn: str) -> None:
        self._states = states
        self._machine_arn = machine_arn

    def start(self, account_id: str, name: str) -> None:
        # An execution of this name exists if the same request has started it before.
        start_execution(
            self._states, self._machine_arn, json.dumps({"account_id": account_id}), name
        )


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


def _replacement(before: Account, after: Account) -> list[Write]:
    """Return the writes that replace `before`; a new display name replaces the old one."""
    writes = [_profile(after, before), *_history(before, after)]
    if items.name_key(before) != items.name_key(after):
        writes = [_name(after), *writes, delete_write(items.name_key(before))]
    return writes


def _profile(account: Account, before: Account | None) -> Write:
    item = items.from_account(account)
    item["revision"] = _revision(account)
    if before is None:
        return put_write(item, NEW)
    return put_write(item, Expression("revision = :before", {":before": _revision(before)}))


def _history(before: Account | None, after: Account) -> list[Write]:
    """Return the write of the new history entry, if the state changed."""
    change = after.last_change
    if change is None or (before is not None and before.last_change == change):
        return []
    return [put_write(items.from_change(after.account_id, change), NEW)]


def _name(account: Account) -> Write:
    return put_write({**items.name_key(account), "account_id": account.account_id}, NEW)


def _revision(account: Account) -> str:
    """Return a digest of the account, by which a write checks that nothing has changed since the
    read.

    Empty and default values are left out, so a field that is added later does not change the
    digests of stored accounts.
    """
    given = {
        key: value
        for key, value in items.from_account(account).items()
        if value and value != items.ITEM_DEFAULTS.get(key)
    }
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()


def _is_name(write: Write) -> bool:
    return bool(write.get("Put", {}).get("Item", {}).get("sk") == items.NAME)

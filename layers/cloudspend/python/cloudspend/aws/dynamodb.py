"""A DynamoDB table: consistent reads, conditional writes and transactions.

Reads are strongly consistent, except those of a global secondary index, for which DynamoDB offers
eventual consistency only (DynamoDB Developer Guide, "DynamoDB read consistency").
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import ConditionBase, Key

from cloudspend.aws.errors import aws_errors
from cloudspend.aws.paging import elements
from cloudspend.errors import CloudSpendError, Defect, TransientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

Item = Mapping[str, Any]
# One write of a transaction, without the name of the table.
Write = Mapping[str, Mapping[str, Any]]

# DynamoDB API reference, TransactWriteItems: the codes of a cancellation.
FAILED_CONDITION = "ConditionalCheckFailed"
TRANSIENT = {"ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"}


class ConditionFailed(Exception):
    """The condition of a write was not met; nothing was written."""

    def __init__(self, position: int = 0) -> None:
        # The position of the write in its transaction, from 0.
        self.position = position
        super().__init__(f"The condition of write {position} was not met.")


@dataclass(frozen=True)
class Expression:
    """A condition or update expression with its placeholders."""

    # For example "#state <> :published".
    text: str
    # Values of the placeholders, for example {":published": "PUBLISHED"}.
    values: Mapping[str, Any] = field(default_factory=dict)
    # Attributes whose names DynamoDB reserves, for example {"#state": "state"}.
    names: Mapping[str, str] = field(default_factory=dict)


# Conditions for an item that must not exist, and for one that must.
NEW = Expression("attribute_not_exists(pk)")
EXISTS = Expression("attribute_exists(pk)")


class DynamoTable:
    """A boto3 Table resource with the library's errors.

    Reads and writes raise the errors of `aws_errors`; writes also raise ConditionFailed.
    """

    def __init__(self, table: "Table", service: str = "The registry") -> None:
        """`service` begins the sentence of an error."""
        self._table = table
        self._service = service

    def get(self, key: Item) -> dict[str, Any] | None:
        """Return an item; None when it does not exist."""
        with aws_errors(self._service):
            item: dict[str, Any] | None = self._table.get_item(Key=key, ConsistentRead=True).get(
                "Item"
            )
        return item

    def query(
        self, condition: ConditionBase, *, index: str = "", attributes: str = ""
    ) -> Iterator[dict[str, Any]]:
        """Yield the items that match a key condition, in the order of their sort keys.

        `index` is the name of a global secondary index; empty for the table. `attributes` limits
        the attributes of each item, as a projection expression; empty for all of them.
        """
        arguments: dict[str, Any] = {"TableName": self._table.name}
        arguments |= {"IndexName": index} if index else {"ConsistentRead": True}
        arguments |= {"ProjectionExpression": attributes} if attributes else {}
        return elements(
            self._table.meta.client,
            "query",
            "Items",
            self._service,
            KeyConditionExpression=condition,
            **arguments,
        )

    def put(self, item: Item, condition: Expression | None = None) -> None:
        """Write an item, in place of one with the same key."""
        self._write(self._table.put_item, put_write(item, condition)["Put"])

    def update(
        self, key: Item, update: Expression, condition: Expression | None = None
    ) -> Mapping[str, Any]:
        """Update an item and return the new values of the updated attributes.

        An item that does not exist is created, unless the condition forbids it.
        """
        request = {**update_write(key, update, condition)["Update"], "ReturnValues": "UPDATED_NEW"}
        answer = self._write(self._table.update_item, request)
        attributes: Mapping[str, Any] = answer.get("Attributes", {})
        return attributes

    def delete(self, key: Item, condition: Expression | None = None) -> None:
        """Delete an item. Does nothing when there is none, unless the condition requires it."""
        self._write(self._table.delete_item, delete_write(key, condition)["Delete"])

    def put_all(self, items: Iterable[Item]) -> None:
        """Write items in batches, without conditions; an error can leave some of them unwritten."""
        with aws_errors(self._service), self._table.batch_writer() as batch:
            for item in items:
                batch.put_item(Item=dict(item))

    def delete_all(self, keys: Iterable[Item]) -> None:
        """Delete items in batches; an error can leave some of them undeleted."""
        with aws_errors(self._service), self._table.batch_writer() as batch:
            for key in keys:
                batch.delete_item(Key=dict(key))

    def transact(self, *writes: Write) -> None:
        """Write all of `writes` or none.

        Raises ConditionFailed with the position of the first write whose condition failed, and
        TransientError when another transaction works on the same items.
        """
        named: list[Any] = [
            {kind: {"TableName": self._table.name, **request} for kind, request in write.items()}
            for write in writes
        ]
        client = self._table.meta.client
        try:
            with aws_errors(self._service):
                client.transact_write_items(TransactItems=named)
        except client.exceptions.TransactionCanceledException as error:
            reasons = error.response.get("CancellationReasons", ())
            codes = [reason.get("Code", "") for reason in reasons]
            if FAILED_CONDITION in codes:
                raise ConditionFailed(codes.index(FAILED_CONDITION)) from error
            raise self._canceled(codes, str(error)) from error

    def _canceled(self, codes: list[str], cause: str) -> CloudSpendError:
        """Return the error for a transaction that was canceled for other reasons."""
        if TRANSIENT.intersection(codes):
            return TransientError(f"{self._service} asks to try later.", cause=cause)
        return Defect(f"CloudSpend sent a malformed request to AWS. {self._service}: {cause}")

    def _write(self, operation: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        failed = self._table.meta.client.exceptions.ConditionalCheckFailedException
        try:
            with aws_errors(self._service):
                return operation(**request)
        except failed as error:
            raise ConditionFailed from error


def items_under(partition: str, prefix: str) -> ConditionBase:
    """Return the key condition for the items of a partition whose sort keys begin with `prefix`."""
    return Key("pk").eq(partition) & Key("sk").begins_with(prefix)


def put_write(item: Item, condition: Expression | None = None) -> Write:
    """Return the write of an item, for `DynamoTable.transact`."""
    return {"Put": {"Item": item, **_conditional(condition)}}


def update_write(key: Item, update: Expression, condition: Expression | None = None) -> Write:
    """Return the update of an item, for `DynamoTable.transact`."""
    request = _conditional(condition, update)
    return {"Update": {"Key": key, "UpdateExpression": update.text, **request}}


def delete_write(key: Item, condition: Expression | None = None) -> Write:
    """Return the deletion of an item, for `DynamoTable.transact`."""
    return {"Delete": {"Key": key, **_conditional(condition)}}


def check_write(key: Item, condition: Expression) -> Write:
    """Return a check that an item meets a condition, for `DynamoTable.transact`."""
    return {"ConditionCheck": {"Key": key, **_conditional(condition)}}


def assignments(values: Item, initial: Item | None = None) -> Expression:
    """Return the update that sets attributes, and those of `initial` that are not set yet."""
    names, bound, settings = {}, {}, []
    for position, (name, value) in enumerate(values.items()):
        settings.append(f"#{position} = :{position}")
        names[f"#{position}"], bound[f":{position}"] = name, value
    for position, (name, value) in enumerate((initial or {}).items()):
        settings.append(f"#i{position} = if_not_exists(#i{position}, :i{position})")
        names[f"#i{position}"], bound[f":i{position}"] = name, value
    return Expression(f"SET {', '.join(settings)}", bound, names)


def is_written(write: Callable[[], object]) -> bool:
    """Run a conditional write; return False, with nothing written, when its condition fails."""
    try:
        write()
    except ConditionFailed:
        return False
    return True


def _conditional(condition: Expression | None, update: Expression | None = None) -> dict[str, Any]:
    """Return the condition and all placeholders; DynamoDB refuses empty mappings of them."""
    expressions = [expression for expression in (condition, update) if expression]
    request: dict[str, Any] = {
        "ConditionExpression": condition.text if condition else "",
        "ExpressionAttributeValues": dict(
            item for expression in expressions for item in expression.values.items()
        ),
        "ExpressionAttributeNames": dict(
            item for expression in expressions for item in expression.names.items()
        ),
    }
    return {name: value for name, value in request.items() if value}

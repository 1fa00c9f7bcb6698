"""Findings in DynamoDB."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError

from cloudspend.aws.errors import aws_errors, code
from cloudspend.findings import items
from cloudspend.findings.model import Finding
from cloudspend.findings.ports import FindingChanged
from cloudspend.settings import KIND_INDEX

CHANGED = "ConditionalCheckFailedException"


class DynamoFindings:
    """`Findings` on the table `cloudspend` (a boto3 Table resource)."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def find(self, account_id: str, finding_id: str) -> Finding | None:
        key = items.finding_key(account_id, finding_id)
        with _registry():
            item = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        return items.to_finding(item) if item else None

    def of(self, account_id: str) -> list[Finding]:
        key = items.finding_key(account_id, "")
        mine = Key("pk").eq(key["pk"]) & Key("sk").begins_with(key["sk"])
        return list(self._query(KeyConditionExpression=mine, ConsistentRead=True))

    def open(self) -> list[Finding]:
        listed = Key("kind").eq(items.FINDING)
        return list(self._query(IndexName=KIND_INDEX, KeyConditionExpression=listed))

    def save(self, finding: Finding) -> Finding:
        saved = replace(finding, revision=finding.revision + 1)
        condition = "revision = :read" if finding.revision else "attribute_not_exists(pk)"
        request: dict[str, Any] = {
            "Item": items.from_finding(saved),
            "ConditionExpression": condition,
        }
        if finding.revision:
            request["ExpressionAttributeValues"] = {":read": finding.revision}
        with _registry():
            self._table.put_item(**request)
        return saved

    def _query(self, **request: Any) -> Iterator[Finding]:
        while True:
            with _registry():
                page = self._table.query(**request)
            yield from map(items.to_finding, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


@contextmanager
def _registry() -> Iterator[None]:
    """Raise FindingChanged when another process changed the finding; other errors as usual."""
    try:
        with aws_errors("The registry"):
            yield
    except ClientError as error:
        if code(error) != CHANGED:
            raise
        raise FindingChanged("The finding was changed by someone else just now.") from error

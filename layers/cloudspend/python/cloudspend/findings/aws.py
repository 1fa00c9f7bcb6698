"""Findings in DynamoDB."""

from dataclasses import replace
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Key

from cloudspend.aws.dynamodb import NEW, ConditionFailed, DynamoTable, Expression, items_under
from cloudspend.findings import items
from cloudspend.findings.model import Finding
from cloudspend.findings.ports import FindingChanged
from cloudspend.settings import KIND_INDEX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoFindings:
    """`Findings` on the table `cloudspend` (a boto3 Table resource)."""

    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def find(self, account_id: str, finding_id: str) -> Finding | None:
        item = self._table.get(items.finding_key(account_id, finding_id))
        return items.to_finding(item) if item else None

    def of(self, account_id: str) -> list[Finding]:
        key = items.finding_key(account_id, "")
        return list(map(items.to_finding, self._table.query(items_under(key["pk"], key["sk"]))))

    def open(self) -> list[Finding]:
        indexed = self._table.query(Key("kind").eq(items.FINDING), index=KIND_INDEX)
        return list(map(items.to_finding, indexed))

    def save(self, finding: Finding) -> Finding:
        saved = replace(finding, revision=finding.revision + 1)
        unchanged = Expression("revision = :read", {":read": finding.revision})
        try:
            self._table.put(items.from_finding(saved), unchanged if finding.revision else NEW)
        except ConditionFailed as error:
            raise FindingChanged("The finding was changed by someone else just now.") from error
        return saved

"""The data that the platform holds of an account, one class per service."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from cloudspend.access.aws.key_store import secret_name
from cloudspend.accounts import items
from cloudspend.aws.dynamodb import DynamoTable, delete_write
from cloudspend.aws.errors import aws_errors
from cloudspend.aws.paging import elements, pages
from cloudspend.errors import TransientError
from cloudspend.lake.tables import ACCOUNT_KEY

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_stepfunctions import SFNClient

OBJECTS_AT_ONCE = 1000  # Amazon S3 API reference, DeleteObjects
PARTITIONS_AT_ONCE = 25  # AWS Glue API reference, BatchDeletePartition
CAUSE = "The account is offboarded."


class Runs:
    """Executions of the state machines for one account; their names begin with its id."""

    kind = "running executions"

    def __init__(self, states: "SFNClient", machine_arns: Sequence[str]) -> None:
        self._states = states
        self._machine_arns = machine_arns

    def of(self, account_id: str) -> Iterator[str]:
        for machine in self._machine_arns:
            running = elements(
                self._states,
                "list_executions",
                "executions",
                "Step Functions",
                stateMachineArn=machine,
                statusFilter="RUNNING",
            )
            for execution in running:
                if execution["name"].startswith(f"{account_id}_"):
                    yield str(execution["executionArn"])

    def remove(self, account_id: str) -> int:
        arns = list(self.of(account_id))
        for arn in arns:
            with aws_errors("Step Functions"):
                self._states.stop_execution(executionArn=arn, cause=CAUSE)
        return len(arns)


class Secrets:
    """The secret with the account's access key."""

    kind = "secrets"

    def __init__(self, secrets: "SecretsManagerClient") -> None:
        self._secrets = secrets

    def of(self, account_id: str) -> Iterator[str]:
        name = secret_name(account_id)
        try:
            with aws_errors("Secrets Manager"):
                found = self._secrets.describe_secret(SecretId=name)
        except self._secrets.exceptions.ResourceNotFoundException:
            return
        yield str(found["Name"])

    def remove(self, account_id: str) -> int:
        names = list(self.of(account_id))
        for name in names:
            try:
                with aws_errors("Secrets Manager"):
                    # Delete immediately: a secret that can be recovered is not deleted.
                    self._secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
            except self._secrets.exceptions.ResourceNotFoundException:
                continue
        return len(names)


class Partitions:
    """The account's partitions in every table of the database that is partitioned by account."""

    kind = "partitions"

    def __init__(self, glue: "GlueClient", database: str) -> None:
        self._glue = glue
        self._database = database

    def of(self, account_id: str) -> Iterator[str]:
        for table in self._tables():
            for values in self._values(table, account_id):
                yield "/".join((table, *values))

    def remove(self, account_id: str) -> int:
        removed = 0
        for table in self._tables():
            values = self._values(table, account_id)
            while some := list(islice(values, PARTITIONS_AT_ONCE)):
                self._delete(table, some)
                removed += len(some)
        return removed

    def _tables(self) -> list[str]:
        tables = elements(
            self._glue, "get_tables", "TableList", "Glue", DatabaseName=self._database
        )
        return [
            str(table["Name"])
            for table in tables
            if [key["Name"] for key in table.get("PartitionKeys", ())][:1] == [ACCOUNT_KEY.name]
        ]

    def _values(self, table: str, account_id: str) -> Iterator[tuple[str, ...]]:
        """Return all partition values before any is deleted, so no page is missed."""
        partitions = elements(
            self._glue,
            "get_partitions",
            "Partitions",
            "Glue",
            DatabaseName=self._database,
            TableName=table,
            Expression=f"{ACCOUNT_KEY.name} = '{account_id}'",
            ExcludeColumnSchema=True,
        )
        values = [tuple(map(str, partition["Values"])) for partition in partitions]
        return iter([of_account for of_account in values if of_account[0] == account_id])

    def _delete(self, table: str, values: Sequence[tuple[str, ...]]) -> None:
        with aws_errors("Glue"):
            answer = self._glue.batch_delete_partition(
                DatabaseName=self._database,
                TableName=table,
                PartitionsToDelete=[{"Values": list(each)} for each in values],
            )
        kept = [
            error
            for error in answer.get("Errors", ())
            if error["ErrorDetail"]["ErrorCode"] != "EntityNotFoundException"
        ]
        if kept:
            raise TransientError("Glue did not delete every partition.", kept=kept[:10])


class Objects:
    """The account's objects in every folder of the lake, with all versions."""

    kind = "object versions"

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def of(self, account_id: str) -> Iterator[str]:
        for folder in self._folders():
            for page in self._pages(Prefix=_prefix(folder, account_id)):
                for version in _versions(page):
                    yield f"{version['Key']} ({version['VersionId']})"

    def remove(self, account_id: str) -> int:
        """Delete up to one page of each folder and return the number."""
        removed = 0
        for folder in self._folders():
            page = next(iter(self._pages(Prefix=_prefix(folder, account_id))), {})
            versions = _versions(page)
            if versions:
                self._delete(versions)
                removed += len(versions)
        return removed

    def _folders(self) -> list[str]:
        """Return the top-level folders of the bucket, of any origin."""
        return [
            str(found["Prefix"])
            for page in self._pages(Delimiter="/")
            for found in page.get("CommonPrefixes", ())
        ]

    def _pages(self, **where: str) -> Iterator[Mapping[str, Any]]:
        return pages(
            self._s3,
            "list_object_versions",
            "S3",
            Bucket=self._bucket,
            PaginationConfig={"PageSize": OBJECTS_AT_ONCE},
            **where,
        )

    def _delete(self, versions: "list[ObjectIdentifierTypeDef]") -> None:
        with aws_errors("S3"):
            answer = self._s3.delete_objects(
                Bucket=self._bucket, Delete={"Objects": versions, "Quiet": True}
            )
        # DeleteObjects succeeds as a call even if it deletes no object.
        if answer.get("Errors"):
            raise TransientError("S3 did not delete every object.", kept=answer["Errors"][:10])


class Entries:
    """The account's registry items. The last one frees its name."""

    kind = "registry items"

    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def of(self, account_id: str) -> Iterator[str]:
        for sort_key in self._sort_keys(account_id):
            yield sort_key
            if sort_key == items.PROFILE:
                yield items.NAME

    def remove(self, account_id: str) -> int:
        """Delete the items, profile and name last, so an interrupted removal is repeated."""
        sort_keys = self._sort_keys(account_id)
        others = [sort_key for sort_key in sort_keys if sort_key != items.PROFILE]
        if others:
            self._table.delete_all(items.account_key(account_id, key) for key in others)
            return len(others)
        return self._remove_profile(account_id) if sort_keys else 0

    def _remove_profile(self, account_id: str) -> int:
        """Delete profile and name; another removal may have deleted them just now."""
        key = items.account_key(account_id, items.PROFILE)
        item = self._table.get(key)
        if item is None:
            return 0
        keys = [key, items.name_key(items.to_account(item))]
        self._table.transact(*map(delete_write, keys))
        return len(keys)

    def _sort_keys(self, account_id: str) -> list[str]:
        of_account = Key("pk").eq(items.account_key(account_id, "")["pk"])
        return [str(item["sk"]) for item in self._table.query(of_account, attributes="sk")]


def _prefix(folder: str, account_id: str) -> str:
    return f"{folder}{ACCOUNT_KEY.name}={account_id}/"


def _versions(page: Mapping[str, Any]) -> "list[ObjectIdentifierTypeDef]":
    """Return every version on a page, including delete markers."""
    versions = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
    return [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]

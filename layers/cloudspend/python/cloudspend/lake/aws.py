"""The lake on AWS: registry items in DynamoDB, partitions in Glue, objects in S3, Athena, runs."""

import io
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from decimal import Decimal
from typing import Any

from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError

from cloudspend.accounts.aws import transient_faults
from cloudspend.convert.model import ParquetTotals
from cloudspend.convert.writer import parquet_totals
from cloudspend.errors import Defect, TransientError, UsageError, names
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake import items
from cloudspend.lake.model import (
    KEPT,
    Generation,
    GenerationState,
    Holdings,
    PublishedPeriod,
    Totals,
    Verdict,
    Watch,
)
from cloudspend.lake.ports import QueryResult, StagedFile
from cloudspend.lake.tables import Column, Table
from cloudspend.lake.totals import to_payload

POLL_SECONDS = 0.2
LONGEST_POLL_SECONDS = 2.0
USER_ERROR = 2  # Athena API reference, AthenaError: 1 is the system, 2 the user, 3 other
PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
RANGE_BYTES = 1024 * 1024
# Writers that change a table at the same time are accounts whose bills are checked just then.
MOST_RACES = 20
# AWS Glue API reference: what a TableInput may have of the Table that was read.
TABLE_INPUT = (
    "Name",
    "Description",
    "Owner",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "TableType",
    "Parameters",
)
DELETED_AT_ONCE = 1000  # Amazon S3 API reference, DeleteObjects
# AWS Glue, Amazon Athena and Amazon S3 API references: what passes by itself, beside throttling.
TRANSIENT = frozenset(
    {
        "ConcurrentModificationException",
        "InternalError",
        "InternalServerException",
        "InternalServiceException",
        "OperationTimeoutException",
        "SlowDown",
        "TooManyRequestsException",
    }
)


@contextmanager
def _faults(service: str) -> Iterator[None]:
    """Raise what passes by itself as TransientError; leave everything else as it is."""
    try:
        with transient_faults(service):
            yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in TRANSIENT:
            raise
        raise TransientError(f"{service} asks to try later.", cause=str(error)) from error


class DynamoGenerations:
    """`Generations` on the table `cloudspend` (a boto3 Table resource)."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def pointer(self, account_id: str, period: BillingPeriod) -> PublishedPeriod | None:
        item = self._item(items.period_key(account_id, period))
        return items.to_period(item) if item else None

    def periods(self, account_id: str) -> list[PublishedPeriod]:
        return [items.to_period(item) for item in self._under(account_id, items.PERIOD)]

    def get(self, account_id: str, period: BillingPeriod, generation: str) -> Generation | None:
        item = self._item(items.generation_key(account_id, period, generation))
        return items.to_generation(item) if item else None

    def of_period(self, account_id: str, period: BillingPeriod) -> list[Generation]:
        found = self._under(account_id, f"{items.GENERATION}{period}#")
        return [items.to_generation(item) for item in found]

    def of_manifest(self, account_id: str, bucket: str, key: str) -> Generation | None:
        found = [items.to_generation(i) for i in self._under(account_id, items.GENERATION)]
        of_it = [g for g in found if (g.manifest_bucket, g.manifest_key) == (bucket, key)]
        return max(of_it, key=lambda generation: generation.generation, default=None)

    def plan(self, generation: Generation) -> None:
        item = items.generation_item(generation)
        key = {name: item.pop(name) for name in ("pk", "sk")}
        state = item.pop("state")
        self._update(key, {**item, "failure": None}, condition="")
        self._update(key, {"state": state}, unless_published=True)

    def record_checked(
        self, account_id: str, period: BillingPeriod, generation: str, totals: Totals
    ) -> None:
        key = items.generation_key(account_id, period, generation)
        self._update(key, {"totals": to_payload(totals), "failure": None})
        self._update(key, {"state": str(GenerationState.CHECKED)}, unless_published=True)

    def record_outcome(
        self, account_id: str, period: BillingPeriod, generation: str, state: GenerationState
    ) -> None:
        key = items.generation_key(account_id, period, generation)
        self._update(key, {"state": str(state)}, unless_published=True)

    def record_failure(
        self,
        account_id: str,
        period: BillingPeriod,
        generation: str,
        failure: Mapping[str, Any],
        *,
        final: bool = False,
    ) -> None:
        key = items.generation_key(account_id, period, generation)
        kept = json.loads(json.dumps(failure, default=str), parse_float=str)
        passing = {f":p{n}": name for n, name in enumerate(names(TransientError))}
        self._update(
            key,
            {"failure": kept},
            condition="attribute_exists(pk) AND (attribute_not_exists(failure) OR failure = :none"
            f" OR failure.#e IN ({', '.join(passing)}))",
            bound={":none": None, **passing},
        )
        if final:
            self._update(key, {"state": str(GenerationState.FAILED)}, unless_published=True)

    def record_verdict(
        self,
        account_id: str,
        period: BillingPeriod,
        generation: str,
        *,
        verdict: Verdict,
        reason: str,
        residual: Decimal | None,
        at: datetime,
    ) -> bool:
        values = {
            "verdict": str(verdict),
            "verdict_reason": reason,
            "residual": None if residual is None else f"{residual:f}",
            "reconciled_at": at.isoformat(),
        }
        key = items.period_key(account_id, period)
        return self._update(key, values, condition="generation = :is", bound={":is": generation})

    def advance(self, published: PublishedPeriod, over: str | None) -> bool:
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if over is not None:
            condition = {
                "ConditionExpression": "generation = :over",
                "ExpressionAttributeValues": {":over": over},
            }
        return _unless_conditional(
            lambda: self._table.put_item(Item=items.period_item(published), **condition)
        )

    def roll_back(self, published: PublishedPeriod, over: str) -> bool:
        pointer = {
            "Item": items.period_item(published),
            "ConditionExpression": "generation = :over",
            "ExpressionAttributeValues": {":over": over},
        }
        states = {f":{state}": str(state) for state in sorted(KEPT)}
        kept = {
            "Key": items.generation_key(
                published.account_id, published.period, published.generation
            ),
            "ConditionExpression": f"attribute_type(totals, :map) AND #s IN ({', '.join(states)})",
            "ExpressionAttributeNames": {"#s": "state"},
            "ExpressionAttributeValues": {":map": "M", **states},
        }
        return self._transact({"Put": pointer}, {"ConditionCheck": kept})

    def holdings(self, account_id: str) -> Holdings:
        held = Key("sk").between(items.GENERATION, f"{items.PERIOD}~")
        return items.to_holdings(self._where(Key("pk").eq(f"ACCOUNT#{account_id}") & held))

    def remember(self, account_id: str, watch: Watch) -> None:
        with _faults("The registry"):
            self._table.put_item(Item=items.watch_item(account_id, watch))

    def expire(self, account_id: str, period: BillingPeriod, generation: str, at: datetime) -> bool:
        pointer = {
            "Key": items.period_key(account_id, period),
            "ConditionExpression": "attribute_not_exists(pk) OR generation <> :generation",
            "ExpressionAttributeValues": {":generation": generation},
        }
        key = items.generation_key(account_id, period, generation)
        return self._transact({"ConditionCheck": pointer}, {"Update": _expiry(key, at)})

    def retire(self, published: PublishedPeriod, at: datetime) -> bool:
        held = (published.account_id, published.period, published.generation)
        key = items.generation_key(*held)
        return self._transact({"Delete": _if_current(*held)}, {"Update": _expiry(key, at)})

    def restore(self, account_id: str, period: BillingPeriod, generation: str) -> bool:
        state = _state(
            items.generation_key(account_id, period, generation), GenerationState.PUBLISHED
        )
        current = _if_current(account_id, period, generation)
        return self._transact({"ConditionCheck": current}, {"Update": state})

    def forget(self, account_id: str, period: BillingPeriod, generation: str) -> None:
        _unless_conditional(
            lambda: self._table.delete_item(
                Key=items.generation_key(account_id, period, generation),
                ConditionExpression="#state = :expired",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={":expired": str(GenerationState.EXPIRED)},
            )
        )

    def _transact(self, *writes: Mapping[str, Mapping[str, Any]]) -> bool:
        """Make all of `writes` or none; False when a condition does not hold."""
        client = self._table.meta.client
        named = [
            {kind: {"TableName": self._table.name, **write} for kind, write in one.items()}
            for one in writes
        ]
        try:
            with _faults("The registry"):
                client.transact_write_items(TransactItems=named)
        except client.exceptions.TransactionCanceledException as error:
            codes = {reason.get("Code") for reason in error.response["CancellationReasons"]}
            if "ConditionalCheckFailed" in codes:
                return False
            raise TransientError("The registry asks to try later.", cause=str(error)) from error
        return True

    def _update(
        self,
        key: items.Item,
        values: Mapping[str, Any],
        *,
        unless_published: bool = False,
        condition: str = "attribute_exists(pk)",
        bound: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set attributes; False when the condition does not hold. No condition makes the item."""
        attributes = {f"#{n}": name for n, name in enumerate(values)}
        bound = dict(bound or {}) | {f":{n}": value for n, value in enumerate(values.values())}
        if unless_published:
            attributes["#s"] = "state"
            bound[":published"] = str(GenerationState.PUBLISHED)
            condition = "attribute_exists(pk) AND (attribute_not_exists(#s) OR #s <> :published)"
        if "#e" in condition:
            attributes["#e"] = "error"
        request: dict[str, Any] = {
            "Key": key,
            "UpdateExpression": "SET " + ", ".join(f"#{n} = :{n}" for n in range(len(values))),
            "ExpressionAttributeNames": attributes,
            "ExpressionAttributeValues": bound,
        }
        if condition:
            request["ConditionExpression"] = condition
        return _unless_conditional(lambda: self._table.update_item(**request))

    def _item(self, key: items.Item) -> Mapping[str, Any] | None:
        with _faults("The registry"):
            answer: dict[str, Any] = self._table.get_item(Key=key, ConsistentRead=True)
        return answer.get("Item")

    def _under(self, account_id: str, prefix: str) -> list[Mapping[str, Any]]:
        return self._where(Key("pk").eq(f"ACCOUNT#{account_id}") & Key("sk").begins_with(prefix))

    def _where(self, condition: Any) -> list[Mapping[str, Any]]:
        request: dict[str, Any] = {"KeyConditionExpression": condition, "ConsistentRead": True}
        found: list[Mapping[str, Any]] = []
        while True:
            with _faults("The registry"):
                page = self._table.query(**request)
            found.extend(page["Items"])
            if "LastEvaluatedKey" not in page:
                return found
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


class GlueCatalog:
    """`Catalog` on a boto3 Glue client; `tables` by name, as they are declared."""

    def __init__(self, glue: Any, database: str, tables: Mapping[str, Table]) -> None:
        self._glue = glue
        self._database = database
        self._tables = tables

    def location(self, table: str, values: tuple[str, ...]) -> str | None:
        try:
            with _faults("Glue"):
                found = self._glue.get_partition(
                    DatabaseName=self._database, TableName=table, PartitionValues=list(values)
                )
        except self._glue.exceptions.EntityNotFoundException:
            return None
        return str(found["Partition"]["StorageDescriptor"]["Location"])

    def point(
        self,
        table: str,
        values: tuple[str, ...],
        location: str,
        columns: tuple[Column, ...] = (),
    ) -> None:
        where = {"DatabaseName": self._database, "TableName": table}
        partition = {
            "Values": list(values),
            "StorageDescriptor": _storage(self._tables[table], location, columns),
            "Parameters": {"classification": "parquet"},
        }
        with _faults("Glue"):
            try:
                self._update(where, partition)
            except self._glue.exceptions.EntityNotFoundException:
                self._create(where, partition)

    def ensure_columns(self, table: str, columns: tuple[Column, ...]) -> None:
        for _ in range(MOST_RACES):
            with _faults("Glue"):
                found = self._glue.get_table(DatabaseName=self._database, Name=table)["Table"]
                there = {column["Name"] for column in found["StorageDescriptor"]["Columns"]}
                missing = [column for column in columns if column.name not in there]
                if not missing:
                    return
                self._append(found, missing)
        raise TransientError(f"The table {table} is being changed by others all the time.")

    def _append(self, found: Mapping[str, Any], missing: Sequence[Column]) -> None:
        """Add columns to the version of the table that was read; does nothing when there is a
        newer version. What Glue then holds has to be looked at again in either case."""
        table = {name: found[name] for name in TABLE_INPUT if name in found}
        storage = dict(table["StorageDescriptor"])
        storage["Columns"] = [
            *storage["Columns"],
            *({"Name": c.name, "Type": c.type, "Comment": c.comment} for c in missing),
        ]
        with suppress(self._glue.exceptions.ConcurrentModificationException):
            self._glue.update_table(
                DatabaseName=self._database,
                TableInput={**table, "StorageDescriptor": storage},
                VersionId=found["VersionId"],
            )

    def locations(self, table: str, account_id: str) -> dict[tuple[str, ...], str]:
        pages = self._glue.get_paginator("get_partitions").paginate(
            DatabaseName=self._database,
            TableName=table,
            Expression=f"account_id = '{account_id}'",
            ExcludeColumnSchema=True,
        )
        with _faults("Glue"):
            return {
                tuple(partition["Values"]): partition["StorageDescriptor"]["Location"]
                for page in pages
                for partition in page["Partitions"]
                if partition["Values"][0] == account_id
            }

    def remove(self, table: str, values: tuple[str, ...]) -> None:
        try:
            with _faults("Glue"):
                self._glue.delete_partition(
                    DatabaseName=self._database, TableName=table, PartitionValues=list(values)
                )
        except self._glue.exceptions.EntityNotFoundException:
            return

    def _update(self, where: Mapping[str, str], partition: Mapping[str, Any]) -> None:
        self._glue.update_partition(
            **where, PartitionValueList=partition["Values"], PartitionInput=partition
        )

    def _create(self, where: Mapping[str, str], partition: Mapping[str, Any]) -> None:
        """The partition's first time; somebody else's first time counts as well."""
        try:
            self._glue.create_partition(**where, PartitionInput=partition)
        except self._glue.exceptions.AlreadyExistsException:
            self._update(where, partition)


class S3Lake:
    """`Lake` on a boto3 S3 client."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    @property
    def bucket(self) -> str:
        return self._bucket

    def write_json(self, key: str, value: Any) -> None:
        with _faults("S3"):
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=json.dumps(value).encode())

    def read_json(self, key: str) -> Any:
        try:
            with _faults("S3"):
                return json.load(self._s3.get_object(Bucket=self._bucket, Key=key)["Body"])
        except (self._s3.exceptions.NoSuchKey, ValueError) as error:
            raise Defect(f"s3://{self._bucket}/{key} is missing or no JSON.", key=key) from error

    def staged(self, prefix: str) -> tuple[StagedFile, ...]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        with _faults("S3"):
            return tuple(
                StagedFile(found["Key"], found["Size"], found["LastModified"])
                for page in pages
                for found in page.get("Contents", ())
            )

    def groups(self, prefix: str, delimiter: str) -> tuple[str, ...]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, Delimiter=delimiter
        )
        with _faults("S3"):
            return tuple(
                found["Prefix"] for page in pages for found in page.get("CommonPrefixes", ())
            )

    def delete(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), DELETED_AT_ONCE):
            objects = [{"Key": key} for key in keys[start : start + DELETED_AT_ONCE]]
            with _faults("S3"):
                answer = self._s3.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True}
                )
            # DeleteObjects succeeds as a call even when it deletes none of the objects.
            if answer.get("Errors"):
                raise TransientError("S3 did not delete every object.", kept=answer["Errors"][:10])

    def parquet_totals(self, key: str, columns: Sequence[str]) -> ParquetTotals:
        # A Parquet reader jumps to the footer and to the columns it wants, so that memory and
        # transfer stay small whatever the file's size.
        with _faults("S3"):
            ranges = _Ranges(self._s3, self._bucket, key)
            return parquet_totals(io.BufferedReader(ranges, RANGE_BYTES), columns)


class _Ranges(io.RawIOBase):
    """An object as a file to seek in, read by ranges."""

    def __init__(self, s3: Any, bucket: str, key: str) -> None:
        self._s3 = s3
        self._object = {"Bucket": bucket, "Key": key}
        self._size: int = s3.head_object(**self._object)["ContentLength"]
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._size)
        if end <= self._at:
            return 0
        wanted = f"bytes={self._at}-{end - 1}"
        body: bytes = self._s3.get_object(**self._object, Range=wanted)["Body"].read()
        buffer[: len(body)] = body
        self._at += len(body)
        return len(body)


class AthenaQueries:
    """`Queries` on a boto3 Athena client."""

    def __init__(self, athena: Any, workgroup: str, database: str) -> None:
        self._athena = athena
        self._workgroup = workgroup
        self._database = database

    def run(self, sql: str) -> list[dict[str, str | None]]:
        try:
            result = self.query(sql)
        except UsageError as error:
            raise Defect(f"A statement of CloudSpend's own is wrong. {error.summary}") from error
        return [dict(zip(result.columns, row, strict=True)) for row in result.rows]

    def query(self, sql: str) -> QueryResult:
        with _faults("Athena"):
            query_id = self._started(sql)
            execution = self._ended(query_id)
            scanned = int(execution.get("Statistics", {}).get("DataScannedInBytes", 0))
            return self._result(query_id, scanned)

    def _started(self, sql: str) -> str:
        try:
            answer = self._athena.start_query_execution(
                QueryString=sql,
                WorkGroup=self._workgroup,
                QueryExecutionContext={"Database": self._database},
            )
        except self._athena.exceptions.InvalidRequestException as error:
            reason = error.response["Error"].get("Message", "")
            raise UsageError(f"Athena refused the statement: {reason}") from error
        return str(answer["QueryExecutionId"])

    def _ended(self, query_id: str) -> Mapping[str, Any]:
        wait = POLL_SECONDS
        while True:
            answer = self._athena.get_query_execution(QueryExecutionId=query_id)
            execution: Mapping[str, Any] = answer["QueryExecution"]
            if execution["Status"]["State"] == "SUCCEEDED":
                return execution
            if execution["Status"]["State"] in ("FAILED", "CANCELLED"):
                raise _query_error(execution["Status"])
            time.sleep(wait)
            wait = min(wait * 2, LONGEST_POLL_SECONDS)

    def _result(self, query_id: str, scanned: int) -> QueryResult:
        pages = self._athena.get_paginator("get_query_results").paginate(QueryExecutionId=query_id)
        columns: list[Mapping[str, str]] = []
        rows: list[tuple[str | None, ...]] = []
        for page in pages:
            columns = columns or page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
            rows.extend(
                tuple(value.get("VarCharValue") for value in row["Data"])
                for row in page["ResultSet"]["Rows"]
            )
        header = tuple(column["Name"] for column in columns)
        # The first row of a SELECT's answer repeats the columns' names (Athena API reference).
        body = rows[1:] if rows and rows[0] == header else rows
        types = tuple(column["Type"] for column in columns)
        return QueryResult(header, types, tuple(body), scanned)


class StepFunctionsExecutions:
    """`Executions` of one state machine on a boto3 Step Functions client."""

    def __init__(self, states: Any, machine_arn: str) -> None:
        self._states = states
        self._machine_arn = machine_arn

    def start(self, name: str, payload: Mapping[str, Any]) -> bool:
        # A repeat that runs is answered like a start (AWS Step Functions API reference,
        # StartExecution), so it has to be asked for first.
        if self.status(name) is not None:
            return False
        try:
            with _faults("Step Functions"):
                self._states.start_execution(
                    stateMachineArn=self._machine_arn, name=name, input=json.dumps(payload)
                )
        except self._states.exceptions.ExecutionAlreadyExists:
            return False
        return True

    def status(self, name: str) -> str | None:
        arn = self._arn(name)
        try:
            with _faults("Step Functions"):
                return str(self._states.describe_execution(executionArn=arn)["status"])
        except self._states.exceptions.ExecutionDoesNotExist:
            return None

    def output(self, name: str) -> dict[str, Any]:
        """What the execution `name`, which has succeeded, came to."""
        with _faults("Step Functions"):
            told = self._states.describe_execution(executionArn=self._arn(name))
        found: dict[str, Any] = json.loads(told["output"])
        return found

    def _arn(self, name: str) -> str:
        return self._machine_arn.replace(":stateMachine:", ":execution:", 1) + f":{name}"


def _if_current(account_id: str, period: BillingPeriod, generation: str) -> dict[str, Any]:
    """A part of a transaction on the pointer, which holds while `generation` is current."""
    return {
        "Key": items.period_key(account_id, period),
        "ConditionExpression": "generation = :generation",
        "ExpressionAttributeValues": {":generation": generation},
    }


def _state(key: items.Item, state: GenerationState) -> dict[str, Any]:
    return {
        "Key": key,
        "ConditionExpression": "attribute_exists(pk)",
        "UpdateExpression": "SET #state = :state",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {":state": str(state)},
    }


def _expiry(key: items.Item, at: datetime) -> dict[str, Any]:
    update = _state(key, GenerationState.EXPIRED)
    update["UpdateExpression"] += ", expired_at = :at"
    update["ExpressionAttributeValues"] |= {":at": at.isoformat()}
    return update


def _unless_conditional(write: Any) -> bool:
    try:
        with _faults("The registry"):
            write()
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _storage(table: Table, location: str, more: tuple[Column, ...]) -> dict[str, Any]:
    columns = (*table.columns, *more)
    return {
        "Columns": [{"Name": column.name, "Type": column.type} for column in columns],
        "Location": location,
        "InputFormat": f"{PARQUET}.MapredParquetInputFormat",
        "OutputFormat": f"{PARQUET}.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": f"{PARQUET}.serde.ParquetHiveSerDe"},
    }


def _query_error(status: Mapping[str, Any]) -> Exception:
    reason = status.get("StateChangeReason", "no reason was given")
    told = status.get("AthenaError", {})
    if told.get("Retryable"):
        return TransientError(f"Athena could not run the query now: {reason}")
    # What is cancelled was ended by a person, or by the workgroup's limit on bytes read.
    if told.get("ErrorCategory") == USER_ERROR or status["State"] == "CANCELLED":
        return UsageError(f"The query failed: {reason}")
    return Defect(f"Athena failed: {reason}")

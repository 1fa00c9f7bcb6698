"""The lake's ports on DynamoDB, Glue, S3, Athena and Step Functions."""

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

from cloudspend.accounts.aws import transient_faults
from cloudspend.convert.writer import parquet_totals
from cloudspend.errors import Defect, TransientError, UsageError, names
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake import items
from cloudspend.lake.model import Generation, GenerationState, PublishedPeriod, Totals, Verdict
from cloudspend.lake.ports import QueryResult, StagedFile
from cloudspend.settings import DATABASE, WORKGROUP

# AWS Glue, Amazon Athena and Amazon S3 API references: errors that pass by themselves.
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
NOT_PUBLISHED = "attribute_exists(pk) AND #state <> :published"
SYSTEM_ERROR = 1  # Athena API reference, AthenaError.ErrorCategory: 1 system, 2 user, 3 other
POLL_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.0)
RANGE_BYTES = 1024 * 1024


@contextmanager
def faults(service: str) -> Iterator[None]:
    """Raise what passes by itself as TransientError; leave everything else as it is."""
    try:
        with transient_faults(service):
            yield
    except ClientError as error:
        if _code(error) not in TRANSIENT:
            raise
        raise TransientError(f"{service} asks to try later.", cause=str(error)) from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


class DynamoGenerations:
    """`ports.Generations` on the table `cloudspend` (a boto3 Table resource)."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def pointer(self, account_id: str, period: BillingPeriod) -> PublishedPeriod | None:
        item = self._item(items.period_key(account_id, period))
        return items.to_published(item) if item else None

    def periods(self, account_id: str) -> list[PublishedPeriod]:
        return [items.to_published(item) for item in self._all(account_id, items.PERIOD)]

    def get(self, account_id: str, period: BillingPeriod, generation: str) -> Generation | None:
        item = self._item(items.generation_key(account_id, period, generation))
        return items.to_generation(item) if item else None

    def of_manifest(self, account_id: str, bucket: str, key: str) -> Generation | None:
        found = [
            items.to_generation(item)
            for item in self._all(account_id, items.GENERATION)
            if (item["manifest_bucket"], item["manifest_key"]) == (bucket, key)
        ]
        return max(found, key=lambda each: each.generation, default=None)

    def plan(self, generation: Generation) -> None:
        key = items.generation_key(generation.account_id, generation.period, generation.generation)
        fields = items.from_generation(generation)
        written = self._update(
            key,
            f"SET {', '.join(f'#{name} = :{name}' for name in fields)} REMOVE failure, totals",
            "attribute_not_exists(pk) OR #state <> :published",
            {":published": "published"} | {f":{name}": value for name, value in fields.items()},
            fields,
        )
        if not written:
            self._update(key, "REMOVE failure", "attribute_exists(pk)")

    def record_checked(
        self, account_id: str, period: BillingPeriod, generation: str, totals: Totals
    ) -> None:
        self._update(
            items.generation_key(account_id, period, generation),
            "SET #state = :checked, totals = :totals REMOVE failure",
            NOT_PUBLISHED,
            {
                ":published": "published",
                ":checked": GenerationState.CHECKED.value,
                ":totals": items.from_totals(totals),
            },
            ("state",),
        )

    def record_outcome(
        self, account_id: str, period: BillingPeriod, generation: str, state: GenerationState
    ) -> None:
        self._update(
            items.generation_key(account_id, period, generation),
            "SET #state = :state",
            NOT_PUBLISHED,
            {":published": "published", ":state": state.value},
            ("state",),
        )

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
        values: dict[str, Any] = {":failure": items.from_failure(failure)}
        if final:
            self._update(key, "SET failure = :failure", "attribute_exists(pk)", values)
            self.record_outcome(account_id, period, generation, GenerationState.FAILED)
            return
        passing = {f":passing{n}": name for n, name in enumerate(names(TransientError))}
        self._update(
            key,
            "SET failure = :failure",
            "attribute_exists(pk) AND "
            f"(attribute_not_exists(failure) OR failure.#error IN ({', '.join(passing)}))",
            values | passing,
            ("error",),
        )

    def advance(self, published: PublishedPeriod, over: str | None) -> bool:
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if over is not None:
            condition = {
                "ConditionExpression": "generation = :over",
                "ExpressionAttributeValues": {":over": over},
            }
        return self._conditional(
            self._table.put_item, Item=items.from_published(published), **condition
        )

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
        return self._update(
            items.period_key(account_id, period),
            "SET verdict = :verdict, verdict_reason = :reason, residual = :residual, "
            "reconciled_at = :at",
            "generation = :generation",
            {
                ":generation": generation,
                ":verdict": verdict.value,
                ":reason": reason,
                ":residual": None if residual is None else f"{residual:f}",
                ":at": at.isoformat(),
            },
        )

    def _item(self, key: Mapping[str, str]) -> dict[str, Any] | None:
        with faults("The registry"):
            answer: dict[str, Any] = self._table.get_item(Key=key, ConsistentRead=True)
        return answer.get("Item")

    def _all(self, account_id: str, sort_prefix: str) -> Iterator[dict[str, Any]]:
        arguments: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
            "ExpressionAttributeValues": {":pk": f"ACCOUNT#{account_id}", ":prefix": sort_prefix},
            "ConsistentRead": True,
        }
        while True:
            with faults("The registry"):
                page = self._table.query(**arguments)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _update(
        self,
        key: Mapping[str, str],
        change: str,
        condition: str,
        values: Mapping[str, Any] | None = None,
        reserved: Any = (),
    ) -> bool:
        """`reserved` are attribute names that stand as `#name` in the expressions."""
        extra: dict[str, Any] = {}
        if values:
            extra["ExpressionAttributeValues"] = values
        if reserved:
            extra["ExpressionAttributeNames"] = {f"#{name}": name for name in reserved}
        return self._conditional(
            self._table.update_item,
            Key=key,
            UpdateExpression=change,
            ConditionExpression=condition,
            **extra,
        )

    def _conditional(self, write: Callable[..., Any], **arguments: Any) -> bool:
        try:
            with faults("The registry"):
                write(**arguments)
        except ClientError as error:
            if _code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True


class GlueCatalog:
    """`ports.Catalog` on the Glue database `cloudspend`."""

    def __init__(self, glue: Any) -> None:
        self._glue = glue
        self._storage: dict[str, dict[str, Any]] = {}

    def location(self, table: str, values: tuple[str, ...]) -> str | None:
        with faults("Glue"):
            try:
                answer = self._glue.get_partition(
                    DatabaseName=DATABASE, TableName=table, PartitionValues=list(values)
                )
            except self._glue.exceptions.EntityNotFoundException:
                return None
        return str(answer["Partition"]["StorageDescriptor"]["Location"])

    def point(self, table: str, values: tuple[str, ...], location: str) -> None:
        partition = {
            "Values": list(values),
            "StorageDescriptor": {**self._declared(table), "Location": location},
        }
        place = {"DatabaseName": DATABASE, "TableName": table}
        with faults("Glue"):
            if self._updated(place, partition):
                return
            try:
                self._glue.create_partition(**place, PartitionInput=partition)
            except self._glue.exceptions.AlreadyExistsException:
                # Someone made it between the two calls; it can only be there from now on.
                self._updated(place, partition)

    def _updated(self, place: Mapping[str, str], partition: Mapping[str, Any]) -> bool:
        try:
            self._glue.update_partition(
                **place, PartitionValueList=partition["Values"], PartitionInput=partition
            )
        except self._glue.exceptions.EntityNotFoundException:
            return False
        return True

    def _declared(self, table: str) -> dict[str, Any]:
        """The table's own columns and format, which its partitions share."""
        if table not in self._storage:
            with faults("Glue"):
                answer = self._glue.get_table(DatabaseName=DATABASE, Name=table)
            self._storage[table] = answer["Table"]["StorageDescriptor"]
        return self._storage[table]


class LakeStore:
    """`ports.Lake` on a boto3 client of the service `s3`. The bucket encrypts by default."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    @property
    def bucket(self) -> str:
        return self._bucket

    def write_json(self, key: str, value: Any) -> None:
        with faults("S3"):
            self._s3.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=json.dumps(value).encode(),
                ContentType="application/json",
            )

    def read_json(self, key: str) -> Any:
        place = f"s3://{self._bucket}/{key}"
        try:
            with faults("S3"):
                body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey as error:
            raise Defect(f"{place} is missing.", file=place) from error
        try:
            return json.loads(body)
        except ValueError as error:
            raise Defect(f"{place} is not JSON.", file=place) from error

    def staged(self, prefix: str) -> tuple[StagedFile, ...]:
        found: list[StagedFile] = []
        with faults("S3"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix
            )
            for page in pages:
                found.extend(
                    StagedFile(each["Key"], each["Size"]) for each in page.get("Contents", [])
                )
        return tuple(found)

    def parquet_totals(self, key: str, currency: str) -> Totals:
        # A Parquet reader jumps to the footer and the two columns that it wants: ranges, in memory
        # no more than a few of them, whatever the file's size.
        with faults("S3"):
            raw = _S3Ranges(self._s3, self._bucket, key)
            sums = parquet_totals(io.BufferedReader(raw, RANGE_BYTES))
        return Totals(sums.rows, sums.billed_cost, sums.effective_cost, currency)


class _S3Ranges(io.RawIOBase):
    """An object as a file that can be sought in, read by ranges."""

    def __init__(self, s3: Any, bucket: str, key: str) -> None:
        self._s3 = s3
        self._object = {"Bucket": bucket, "Key": key}
        self._size: int = s3.head_object(**self._object)["ContentLength"]
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._size - self._at)
        if wanted <= 0:
            return 0
        last = self._at + wanted - 1
        answer = self._s3.get_object(**self._object, Range=f"bytes={self._at}-{last}")
        data = answer["Body"].read()
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class AthenaQueries:
    """`ports.Queries` in the workgroup, which says where results go and how much may be read."""

    def __init__(
        self,
        athena: Any,
        workgroup: str = WORKGROUP,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._athena = athena
        self._workgroup = workgroup
        self._wait = wait

    def query(self, sql: str) -> QueryResult:
        with faults("Athena"):
            execution = self._finished(self._start(sql))
            return self._result(execution)

    def run(self, sql: str) -> list[dict[str, str | None]]:
        try:
            result = self.query(sql)
        except UsageError as error:
            raise Defect(f"A statement of CloudSpend's own failed: {error.summary}") from error
        return [dict(zip(result.columns, row, strict=True)) for row in result.rows]

    def _start(self, sql: str) -> str:
        try:
            answer = self._athena.start_query_execution(
                QueryString=sql,
                QueryExecutionContext={"Database": DATABASE},
                WorkGroup=self._workgroup,
            )
        except self._athena.exceptions.InvalidRequestException as error:
            raise _wrong(error.response["Error"].get("Message", "")) from error
        return str(answer["QueryExecutionId"])

    def _finished(self, execution_id: str) -> dict[str, Any]:
        """Wait for the query's end: pauses grow to a second; Athena itself ends what takes long."""
        polls = 0
        while True:
            answer = self._athena.get_query_execution(QueryExecutionId=execution_id)
            execution: dict[str, Any] = answer["QueryExecution"]
            if execution["Status"]["State"] == "SUCCEEDED":
                return execution
            if execution["Status"]["State"] in ("FAILED", "CANCELLED"):
                raise _failed(execution["Status"])
            self._wait(POLL_SECONDS[min(polls, len(POLL_SECONDS) - 1)])
            polls += 1

    def _result(self, execution: Mapping[str, Any]) -> QueryResult:
        pages = list(
            self._athena.get_paginator("get_query_results").paginate(
                QueryExecutionId=execution["QueryExecutionId"]
            )
        )
        described = pages[0]["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        columns = tuple(str(column["Name"]) for column in described)
        rows = [
            tuple(cell.get("VarCharValue") for cell in row["Data"])
            for page in pages
            for row in page["ResultSet"]["Rows"]
        ]
        # The answers of SELECT begin with the names of the columns, those of SHOW do not.
        if rows and rows[0] == columns and execution.get("StatementType", "DML") == "DML":
            del rows[0]
        scanned = execution.get("Statistics", {}).get("DataScannedInBytes", 0)
        types = tuple(str(column["Type"]) for column in described)
        return QueryResult(columns, types, tuple(rows), int(scanned))


def _failed(status: Mapping[str, Any]) -> Exception:
    """By Athena's own category of the error, never by its text."""
    reason = str(status.get("StateChangeReason", "The query was cancelled."))
    error = status.get("AthenaError", {})
    if error.get("Retryable"):
        return TransientError(f"Athena could not run the query now: {reason}")
    if error.get("ErrorCategory") == SYSTEM_ERROR:
        return Defect(f"Athena failed: {reason}")
    return _wrong(reason)


def _wrong(reason: str) -> UsageError:
    return UsageError(
        f"Athena refuses the query: {reason}",
        remedy="Correct it; SHOW TABLES and DESCRIBE <table> show what there is.",
    )


class IngestExecutions:
    """`ports.Executions` of the state machine `machine_arn`."""

    def __init__(self, states: Any, machine_arn: str) -> None:
        self._states = states
        self._machine_arn = machine_arn

    def start(self, name: str, payload: Mapping[str, Any]) -> bool:
        with faults("Step Functions"):
            try:
                self._states.start_execution(
                    stateMachineArn=self._machine_arn, name=name, input=json.dumps(payload)
                )
            except self._states.exceptions.ExecutionAlreadyExists:
                return False
        return True

    def status(self, name: str) -> str | None:
        arn = self._machine_arn.replace(":stateMachine:", ":execution:") + f":{name}"
        with faults("Step Functions"):
            try:
                answer = self._states.describe_execution(executionArn=arn)
            except self._states.exceptions.ExecutionDoesNotExist:
                return None
        return str(answer["status"])

"""Every place of the platform where something could have been written down, as text."""

import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pyarrow.parquet as pq

from local.platform import Platform


def _dump(found: Any) -> str:
    """What Step Functions, EventBridge and DynamoDB give is JSON with times and decimals in it."""
    return json.dumps(found, default=str)


class Written:
    """What the platform wrote since a moment, by the place where it is."""

    def __init__(self, platform: Platform, since: datetime) -> None:
        self._session = platform.session
        self._cloud = platform.cloud
        self._since = since

    def logs(self) -> Iterator[str]:
        """The logs of every function, group by group."""
        client = self._session.client("logs")
        milliseconds = int(self._since.timestamp() * 1000)
        for group in client.get_paginator("describe_log_groups").paginate().search("logGroups[]"):
            name = group["logGroupName"]
            pages = client.get_paginator("filter_log_events").paginate(
                logGroupName=name, startTime=milliseconds
            )
            yield from (event["message"] for page in pages for event in page["events"])

    def functions(self) -> Iterator[str]:
        """How every function is configured, its environment among it."""
        pages = self._session.client("lambda").get_paginator("list_functions").paginate()
        yield from (_dump(page["Functions"]) for page in pages)

    def executions(self) -> Iterator[str]:
        """Input, output and history of every execution of every state machine."""
        client = self._session.client("stepfunctions")
        for machine in client.list_state_machines()["stateMachines"]:
            arn = machine["stateMachineArn"]
            pages = client.get_paginator("list_executions").paginate(stateMachineArn=arn)
            for execution in (one for page in pages for one in page["executions"]):
                if execution["startDate"] < self._since:
                    continue
                named = {"executionArn": execution["executionArn"]}
                yield _dump(client.describe_execution(**named))
                histories = client.get_paginator("get_execution_history").paginate(**named)
                yield from (_dump(page["events"]) for page in histories)

    def registry(self) -> Iterator[str]:
        """Every item of every table."""
        client = self._session.client("dynamodb")
        for table in client.list_tables()["TableNames"]:
            pages = client.get_paginator("scan").paginate(TableName=table)
            yield from (_dump(page["Items"]) for page in pages)

    def objects(self) -> Iterator[str]:
        """Every object of every bucket, unpacked."""
        s3 = self._session.client("s3")
        for bucket in (one["Name"] for one in s3.list_buckets()["Buckets"]):
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
            for found in (one for page in pages for one in page.get("Contents", [])):
                if found["LastModified"] >= self._since.replace(microsecond=0):
                    body = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
                    yield found["Key"] + "\n" + unpacked(body)

    def mail(self) -> Iterator[str]:
        """What subscribers by mail have received."""
        yield _dump(self._cloud.control("inbox"))


def unpacked(body: bytes) -> str:
    """The text of an object that is Parquet, gzip, zip or text."""
    if body.startswith(b"PAR1"):
        table = pq.read_table(io.BytesIO(body))
        return str(table.schema) + _dump(table.to_pylist())
    if body.startswith(b"\x1f\x8b"):
        return unpacked(gzip.decompress(body))
    if body.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return "\n".join(unpacked(archive.read(name)) for name in archive.namelist())
    return body.decode(errors="replace")

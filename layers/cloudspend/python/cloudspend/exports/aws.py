"""The customer's bucket over S3, and the exports of the customer's account, with clients of the
customer's session."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from cloudspend.errors import CloudSpendError, DeliveryError, PermissionDenied, TransientError
from cloudspend.exports.definition import Definition, of_export, of_report
from cloudspend.exports.ports import StoredObject

if TYPE_CHECKING:
    from botocore.client import BaseClient

ABSENT = {"404", "NoSuchKey", "NotFound"}
REFUSED = {"AccessDenied", "AccessDeniedException"}
# How an execution of an export can end (AWS Billing and Cost Management API reference,
# ExecutionStatus).
_DELIVERED = "DELIVERY_SUCCESS"
_ENDS = {_DELIVERED, "DELIVERY_FAILURE", "QUERY_FAILURE"}
DENIED = {"403", "AccessDenied", "Forbidden"}


def translated(error: ClientError | BotoCoreError, action: str, place: str) -> CloudSpendError:
    """An S3 error as one that says who must act; `action` is the IAM action that was needed."""
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        if code in DENIED:
            return PermissionDenied(
                f"CloudSpend's role may not {action} on {place}.",
                remedy="Update the CloudSpend stack in the customer's account.",
                action=action,
            )
        if code in {*ABSENT, "NoSuchBucket"}:
            return DeliveryError(
                f"{place} is not there.",
                remedy="Restore it, or have AWS deliver the report again.",
                file=place,
            )
    return TransientError(f"S3 did not answer for {place}: {error}", remedy="Try again later.")


class S3CustomerBucket:
    """Reads with the permissions of the client's session."""

    def __init__(self, s3_client: "BaseClient") -> None:
        self._s3: Any = s3_client

    def head(self, bucket: str, key: str) -> StoredObject | None:
        try:
            answer = self._s3.head_object(Bucket=bucket, Key=key)
        except (ClientError, BotoCoreError) as error:
            self._unless_absent(error, bucket, key)
            return None
        return _stored(bucket, key, answer)

    def read(self, bucket: str, key: str, limit: int) -> tuple[StoredObject, bytes] | None:
        try:
            answer = self._s3.get_object(Bucket=bucket, Key=key)
            with answer["Body"] as body:
                content = body.read(limit + 1)
        except (ClientError, BotoCoreError) as error:
            self._unless_absent(error, bucket, key)
            return None
        if len(content) > limit:
            place = f"s3://{bucket}/{key}"
            raise DeliveryError(f"{place} is larger than {limit} bytes.", file=place)
        return _stored(bucket, key, answer), content

    def folders(self, bucket: str, folder: str) -> Iterator[str]:
        paginator = self._s3.get_paginator("list_objects_v2")
        try:
            for page in paginator.paginate(Bucket=bucket, Prefix=folder, Delimiter="/"):
                for entry in page.get("CommonPrefixes", ()):
                    yield entry["Prefix"]
        except (ClientError, BotoCoreError) as error:
            raise translated(error, "s3:ListBucket", f"s3://{bucket}/{folder}") from error

    def _unless_absent(self, error: ClientError | BotoCoreError, bucket: str, key: str) -> None:
        """Raise what `error` means, unless it means that the object is not there.

        S3 says so only to those who may list the whole bucket; to the role, which may list the
        prefix alone, it says that access is denied (Amazon S3 API reference, HeadObject).
        """
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
        if code in ABSENT or (code in DENIED and not self._listed(bucket, key)):
            return
        raise translated(error, "s3:GetObject", f"s3://{bucket}/{key}") from error

    def _listed(self, bucket: str, key: str) -> bool:
        """Whether the object is there; also True where that cannot be known."""
        try:
            page = self._s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
        except ClientError:
            return True
        return any(entry["Key"] == key for entry in page.get("Contents", ()))


def _stored(bucket: str, key: str, answer: dict[str, Any]) -> StoredObject:
    return StoredObject(
        bucket, key, answer["ETag"].strip('"'), answer["ContentLength"], answer["LastModified"]
    )


class ExportDefinitions:
    """The reports and exports of a customer's account, with clients of the customer's session in
    the region where the partition keeps its billing services."""

    def __init__(self, cur: Any, data_exports: Any) -> None:
        self._cur = cur
        self._data_exports = data_exports

    def all(self) -> list[Definition]:
        """Everything that holds cost. Raises PermissionDenied and TransientError."""
        return [*self._reports(), *self._exports()]

    def _reports(self) -> Iterator[Definition]:
        with _asked("cur:DescribeReportDefinitions"):
            pages = self._cur.get_paginator("describe_report_definitions").paginate()
            found = [report for page in pages for report in page["ReportDefinitions"]]
        yield from map(of_report, found)

    def _exports(self) -> Iterator[Definition]:
        with _asked("bcm-data-exports:ListExports"):
            pages = self._data_exports.get_paginator("list_exports").paginate()
            found = [export["ExportArn"] for page in pages for export in page["Exports"]]
        for arn in found:
            with _asked("bcm-data-exports:GetExport"):
                export = self._data_exports.get_export(ExportArn=arn)["Export"]
            definition = of_export(export, self._failure(arn))
            if definition:
                yield definition

    def _failure(self, arn: str) -> str | None:
        """Why AWS could not deliver it the last time that it tried; None where it could."""
        with _asked("bcm-data-exports:ListExecutions"):
            pages = self._data_exports.get_paginator("list_executions").paginate(ExportArn=arn)
            held = [each for page in pages for each in page["Executions"]]
        ended = [each for each in held if each["ExecutionStatus"].get("StatusCode") in _ENDS]
        if not ended:
            return None
        last = max(ended, key=lambda each: _completed(each["ExecutionStatus"]))
        if last["ExecutionStatus"]["StatusCode"] == _DELIVERED:
            return None
        with _asked("bcm-data-exports:GetExecution"):
            told = self._data_exports.get_execution(ExportArn=arn, ExecutionId=last["ExecutionId"])[
                "ExecutionStatus"
            ]
        return str(told.get("StatusReason") or told["StatusCode"])


@contextmanager
def _asked(action: str) -> Iterator[None]:
    """Raise what AWS answers to `action` as an error that says who must act."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in REFUSED:
            raise PermissionDenied(
                f"CloudSpend's role may not use {action}: {error.response['Error']['Message']}",
                remedy="Update the CloudSpend stack in the customer's account.",
                action=action,
            ) from error
        raise TransientError(f"AWS did not answer {action}: {error}") from error
    except BotoCoreError as error:
        raise TransientError(f"AWS did not answer {action}: {error}") from error


def _completed(status: dict[str, Any]) -> str:
    return str(status.get("CompletedAt") or status.get("LastUpdatedAt") or "")

"""AWS adapters of the exports room: a customer's bucket, and the export definitions of an
account.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from cloudspend.aws.errors import DENIED, aws_errors, code, message, translate
from cloudspend.aws.paging import elements
from cloudspend.errors import CloudSpendError, Defect, DeliveryError, PermissionDenied
from cloudspend.exports.definition import Definition, of_export, of_report
from cloudspend.exports.ports import StoredObject

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from mypy_boto3_bcm_data_exports import BillingandCostManagementDataExportsClient
    from mypy_boto3_cur import CostandUsageReportServiceClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, HeadObjectOutputTypeDef

ABSENT = {"404", "NoSuchKey", "NotFound"}
# States of an object or key that only the customer can change.
UNREADABLE = {
    "InvalidObjectState": "the object is archived",
    "KMS.DisabledException": "its KMS key is disabled",
    "KMS.InvalidStateException": "its KMS key is in an invalid state",
    "KMS.KMSInvalidStateException": "its KMS key is in an invalid state",
    "KMS.NotFoundException": "its KMS key does not exist",
}
# The IAM action of each paginated operation.
ACTIONS = {
    "describe_report_definitions": "cur:DescribeReportDefinitions",
    "list_executions": "bcm-data-exports:ListExecutions",
    "list_exports": "bcm-data-exports:ListExports",
}
# How an execution of an export can end (AWS Billing and Cost Management API reference,
# ExecutionStatus).
_DELIVERED = "DELIVERY_SUCCESS"
_ENDS = {_DELIVERED, "DELIVERY_FAILURE", "QUERY_FAILURE"}


def translated(error: ClientError | BotoCoreError, action: str, place: str) -> CloudSpendError:
    """Return an error of S3 as the library's error; `action` is the IAM action that was needed.

    Sources of the codes: Amazon S3 API reference, "Error responses"; AWS KMS API reference.
    """
    general = translate(error, f"S3, for {place}")
    if general is not None or not isinstance(error, ClientError):
        return general or Defect(f"{place} could not be read: {error}")
    if code(error) in DENIED:
        return PermissionDenied(
            f"CloudSpend's role cannot use {action} on {place}.",
            remedy="Update the CloudSpend stack in the customer's account.",
            action=action,
        )
    if code(error) in {*ABSENT, "NoSuchBucket"}:
        return DeliveryError(
            f"{place} does not exist.",
            remedy="Restore it, or have AWS deliver the report again.",
            file=place,
        )
    if code(error) in UNREADABLE:
        return DeliveryError(
            f"{place} cannot be read ({code(error)}): {UNREADABLE[code(error)]}.",
            remedy="Restore access to the object, then ingest the delivery again.",
            file=place,
        )
    return Defect(f"S3 refused {action} on {place}: {error}", file=place)


class S3CustomerBucket:
    """`CustomerBucket` with the permissions of the client's session."""

    def __init__(self, s3_client: "S3Client") -> None:
        self._s3 = s3_client

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
        place = f"s3://{bucket}/{folder}"
        prefixes = elements(
            self._s3,
            "list_objects_v2",
            "CommonPrefixes",
            f"S3, for {place}",
            Bucket=bucket,
            Prefix=folder,
            Delimiter="/",
        )
        try:
            for entry in prefixes:
                yield entry["Prefix"]
        except ClientError as error:
            raise translated(error, "s3:ListBucket", place) from error

    def _unless_absent(self, error: ClientError | BotoCoreError, bucket: str, key: str) -> None:
        """Raise the library's error, unless the answer means that the object does not exist.

        S3 answers 404 only to callers that may list the whole bucket. The role may list only the
        prefix and gets 403 (Amazon S3 API reference, HeadObject).
        """
        answer = code(error) if isinstance(error, ClientError) else ""
        if answer in ABSENT or (answer in DENIED and not self._listed(bucket, key)):
            return
        raise translated(error, "s3:GetObject", f"s3://{bucket}/{key}") from error

    def _listed(self, bucket: str, key: str) -> bool:
        """Return whether the object is listed; True if that is unknown."""
        try:
            page = self._s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
        except ClientError:
            return True
        return any(entry["Key"] == key for entry in page.get("Contents", ()))


def _stored(
    bucket: str, key: str, answer: "GetObjectOutputTypeDef | HeadObjectOutputTypeDef"
) -> StoredObject:
    return StoredObject(
        bucket, key, answer["ETag"].strip('"'), answer["ContentLength"], answer["LastModified"]
    )


class ExportDefinitions:
    """Reports and exports of a customer's account, with clients in the partition's billing
    region.
    """

    def __init__(
        self,
        cur: "CostandUsageReportServiceClient",
        data_exports: "BillingandCostManagementDataExportsClient",
    ) -> None:
        self._cur = cur
        self._data_exports = data_exports

    def all(self) -> list[Definition]:
        """Return every definition that contains cost. Raises PermissionDenied and
        TransientError.
        """
        return [*self._reports(), *self._exports()]

    def _reports(self) -> Iterator[Definition]:
        reports = _listed(self._cur, "describe_report_definitions", "ReportDefinitions")
        yield from map(of_report, reports)

    def _exports(self) -> Iterator[Definition]:
        for listed in _listed(self._data_exports, "list_exports", "Exports"):
            arn = listed["ExportArn"]
            with _asked("bcm-data-exports:GetExport"):
                export = self._data_exports.get_export(ExportArn=arn)["Export"]
            definition = of_export(export, self._failure(arn))
            if definition:
                yield definition

    def _failure(self, arn: str) -> str | None:
        """Return AWS's reason why the last delivery failed; None if it succeeded."""
        executions = _listed(self._data_exports, "list_executions", "Executions", ExportArn=arn)
        ended = [e for e in executions if e["ExecutionStatus"].get("StatusCode") in _ENDS]
        if not ended:
            return None
        last = max(ended, key=lambda each: _completed(each["ExecutionStatus"]))
        if last["ExecutionStatus"]["StatusCode"] == _DELIVERED:
            return None
        with _asked("bcm-data-exports:GetExecution"):
            answer = self._data_exports.get_execution(
                ExportArn=arn, ExecutionId=last["ExecutionId"]
            )["ExecutionStatus"]
        return str(answer.get("StatusReason") or answer["StatusCode"])


def _listed(client: "BaseClient", operation: str, member: str, **arguments: str) -> list[Any]:
    """Return the elements of `member` on all pages of an operation."""
    action = ACTIONS[operation]
    with _asked(action):
        return list(elements(client, operation, member, _service(action), **arguments))


def _service(action: str) -> str:
    return f"AWS, for {action},"


@contextmanager
def _asked(action: str) -> Iterator[None]:
    """Raise errors of AWS as the library's errors."""
    try:
        with aws_errors(_service(action)):
            yield
    except ClientError as error:
        reason = message(error)
        if code(error) in DENIED:
            raise PermissionDenied(
                f"CloudSpend's role cannot use {action}: {reason}",
                remedy="Update the CloudSpend stack in the customer's account.",
                action=action,
            ) from error
        raise Defect(f"AWS refused {action} ({code(error)}): {reason}") from error


def _completed(status: dict[str, Any]) -> str:
    return str(status.get("CompletedAt") or status.get("LastUpdatedAt") or "")

"""The customer's bucket over S3, with a client of the customer's session."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from cloudspend.errors import CloudSpendError, DeliveryError, PermissionDenied, TransientError
from cloudspend.exports.ports import StoredObject

if TYPE_CHECKING:
    from botocore.client import BaseClient

ABSENT = {"404", "NoSuchKey", "NotFound"}
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

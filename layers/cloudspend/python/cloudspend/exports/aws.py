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
        except ClientError as error:
            if _absent(error):
                return None
            raise translated(error, "s3:GetObject", f"s3://{bucket}/{key}") from error
        except BotoCoreError as error:
            raise translated(error, "s3:GetObject", f"s3://{bucket}/{key}") from error
        return _stored(bucket, key, answer)

    def read(self, bucket: str, key: str, limit: int) -> tuple[StoredObject, bytes] | None:
        place = f"s3://{bucket}/{key}"
        try:
            answer = self._s3.get_object(Bucket=bucket, Key=key)
            with answer["Body"] as body:
                content = body.read(limit + 1)
        except ClientError as error:
            if _absent(error):
                return None
            raise translated(error, "s3:GetObject", place) from error
        except BotoCoreError as error:
            raise translated(error, "s3:GetObject", place) from error
        if len(content) > limit:
            raise DeliveryError(f"{place} is larger than {limit} bytes.", file=place)
        return _stored(bucket, key, answer), content

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        try:
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield StoredObject(
                        bucket,
                        entry["Key"],
                        entry["ETag"].strip('"'),
                        entry["Size"],
                        entry["LastModified"],
                    )
        except (ClientError, BotoCoreError) as error:
            raise translated(error, "s3:ListBucket", f"s3://{bucket}/{prefix}") from error


def _stored(bucket: str, key: str, answer: dict[str, Any]) -> StoredObject:
    return StoredObject(
        bucket, key, answer["ETag"].strip('"'), answer["ContentLength"], answer["LastModified"]
    )


def _absent(error: ClientError) -> bool:
    return error.response.get("Error", {}).get("Code", "") in ABSENT

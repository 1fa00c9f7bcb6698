"""S3 adapters for reading delivered files and writing to the lake."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from cloudspend.aws.errors import code, translate
from cloudspend.convert.ports import ByteStream
from cloudspend.errors import CloudSpendError, Defect, DeliveryReplaced
from cloudspend.exports.aws import translated
from cloudspend.exports.model import DeliveredFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART_BYTES = 32 * 1024 * 1024
REPLACED = {"PreconditionFailed", "412"}


class S3Source:
    """A source that reads with the client's session, that is with the customer's role."""

    def __init__(self, customer_s3_client: "S3Client") -> None:
        self._s3 = customer_s3_client

    @contextmanager
    def open(self, file: DeliveredFile) -> Iterator[ByteStream]:
        place = f"s3://{file.bucket}/{file.key}"
        try:
            answer = self._s3.get_object(Bucket=file.bucket, Key=file.key, IfMatch=f'"{file.etag}"')
        except ClientError as error:
            if code(error) in REPLACED:
                raise _replaced(place) from error
            raise translated(error, "s3:GetObject", place) from error
        except BotoCoreError as error:
            raise translated(error, "s3:GetObject", place) from error
        with answer["Body"] as body:
            yield _Body(body, place)


class S3Sink:
    """A sink that writes with the platform's own permissions."""

    def __init__(self, s3_client: "S3Client", bucket: str) -> None:
        self._s3 = s3_client
        self.bucket = bucket

    def put(self, path: Path, key: str) -> None:
        sizes = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES)
        try:
            self._s3.upload_file(str(path), self.bucket, key, Config=sizes)
        except (ClientError, BotoCoreError, S3UploadFailedError) as error:
            raise _unwritten(error, f"s3://{self.bucket}/{key}") from error


def _unwritten(error: Exception, place: str) -> CloudSpendError:
    """Return the error for an object of the lake that could not be written.

    boto3 wraps the service's answer in S3UploadFailedError, whose context is the original error.
    """
    original = error.__context__ if isinstance(error, S3UploadFailedError) else error
    if isinstance(original, ClientError | BotoCoreError):
        translated_error = translate(original, "The lake")
        if translated_error is not None:
            return translated_error
    return Defect(
        f"{place} could not be written: {error}", remedy="Check the role of the convert function."
    )


class _Body:
    """A response body that raises TransientError when the connection breaks, instead of ending
    early.
    """

    def __init__(self, body: Any, place: str) -> None:
        self._body = body
        self._place = place

    def read(self, size: int = -1, /) -> bytes:
        try:
            data: bytes = self._body.read(None if size < 0 else size)
        except BotoCoreError as error:
            raise translated(error, "s3:GetObject", self._place) from error
        return data


def _replaced(place: str) -> DeliveryReplaced:
    return DeliveryReplaced(
        f"{place} was replaced after the delivery was planned.",
        remedy="Nothing: AWS is delivering the report again, and its manifest starts a new ingest.",
        file=place,
    )

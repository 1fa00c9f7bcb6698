"""Objects in S3 with the operator's own credentials, and disk and S3 combined."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property

from cloudspend.convert.ports import ByteStream, Source
from cloudspend.errors import DeliveryReplaced, PermissionDenied
from cloudspend.exports.model import DeliveredFile
from cloudspend.exports.ports import CustomerBucket, StoredObject
from cloudspend.standalone.disk import ON_DISK, Disk
from cloudspend.standalone.ports import Objects


class OwnS3:
    """The adapters that read a customer's bucket, with error texts for an operator."""

    def __init__(self, bucket: CustomerBucket, source: Source) -> None:
        self._bucket = bucket
        self._source = source

    def head(self, bucket: str, key: str) -> StoredObject | None:
        with _own_words(bucket, key):
            return self._bucket.head(bucket, key)

    def read(self, bucket: str, key: str, limit: int) -> tuple[StoredObject, bytes] | None:
        with _own_words(bucket, key):
            return self._bucket.read(bucket, key, limit)

    @contextmanager
    def open(self, file: DeliveredFile) -> Iterator[ByteStream]:
        with _own_words(file.bucket, file.key), self._source.open(file) as stream:
            yield stream


class DiskAndS3:
    """Reads from disk for keys without a bucket, and from S3 otherwise; S3 is contacted only when
    needed.
    """

    def __init__(self, s3: Callable[[], Objects]) -> None:
        self._disk = Disk()
        self._make_s3 = s3

    @cached_property
    def _s3(self) -> Objects:
        return self._make_s3()

    def head(self, bucket: str, key: str) -> StoredObject | None:
        return self._of(bucket).head(bucket, key)

    def read(self, bucket: str, key: str, limit: int) -> tuple[StoredObject, bytes] | None:
        return self._of(bucket).read(bucket, key, limit)

    def open(self, file: DeliveredFile) -> AbstractContextManager[ByteStream]:
        return self._of(file.bucket).open(file)

    def _of(self, bucket: str) -> Objects:
        return self._disk if bucket == ON_DISK else self._s3


@contextmanager
def _own_words(bucket: str, key: str) -> Iterator[None]:
    """Translate errors: the operator must act here, not a customer with a role."""
    try:
        yield
    except PermissionDenied as error:
        action = error.details["action"]
        raise PermissionDenied(
            f"These credentials may not {action} on s3://{bucket}/{key}.",
            remedy="Choose credentials that may (AWS_PROFILE), or copy the files to disk.",
            action=action,
        ) from error
    except DeliveryReplaced as error:
        raise DeliveryReplaced(
            f"s3://{bucket}/{key} was replaced while it was converted.",
            remedy="Convert it again: AWS is delivering a newer one.",
            file=f"s3://{bucket}/{key}",
        ) from error

"""Port of a standalone conversion: the objects that it reads."""

from contextlib import AbstractContextManager
from typing import Protocol

from cloudspend.convert.ports import ByteStream
from cloudspend.exports.model import DeliveredFile
from cloudspend.exports.ports import StoredObject


class Objects(Protocol):
    """Files by bucket and key; a file on disk has no bucket, and its path as the key.

    Every method raises UsageError or PermissionDenied when the operator cannot read the file, and
    TransientError when the disk or S3 fails.
    """

    def head(self, bucket: str, key: str) -> StoredObject | None:
        """Return the file, or None when there is none."""

    def read(self, bucket: str, key: str, limit: int) -> tuple[StoredObject, bytes] | None:
        """Return the file with its content, or None when there is none.

        Raises DeliveryError when it is larger than `limit` bytes.
        """

    def open(self, file: DeliveredFile) -> AbstractContextManager[ByteStream]:
        """Open the file. Raises DeliveryReplaced when it is not the version that was listed."""

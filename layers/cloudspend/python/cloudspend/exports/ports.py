"""What this room needs of the customer's side."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class StoredObject:
    """An object as S3 describes it. `size` in bytes; `etag` without quotes; `modified` in UTC."""

    bucket: str
    key: str
    etag: str
    size: int
    modified: datetime


class CustomerBucket(Protocol):
    """Objects in a bucket of the customer's, seen with the customer's role.

    Every method raises PermissionDenied when the role may not, DeliveryError when the bucket is
    not there, and TransientError when S3 asks to come again.
    """

    def head(self, bucket: str, key: str) -> StoredObject | None:
        """The object, or None when there is none under `key`."""

    def read(self, bucket: str, key: str, limit: int) -> tuple[StoredObject, bytes] | None:
        """The object with its content, or None when there is none.

        Raises DeliveryError when it is larger than `limit` bytes.
        """

    def folders(self, bucket: str, folder: str) -> Iterator[str]:
        """The folders directly in `folder` (`a/b/`), whole and with their closing slash, however
        many pages that takes; what is in them is not listed."""

"""Port of the exports room: the customer's bucket."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class StoredObject:
    """An object of S3. `size` in bytes; `etag` without quotes; `modified` in UTC."""

    bucket: str
    key: str
    etag: str
    size: int
    modified: datetime


class CustomerBucket(Protocol):
    """Objects in a customer's bucket, read with the customer's role.

    Every method raises PermissionDenied when the role lacks a permission, DeliveryError when the
    bucket does not exist, and TransientError when S3 asks to retry.
    """

    def head(self, bucket: str, key: str) -> StoredObject | None:
        """Return the object, or None when there is none under `key`."""

    def read(self, bucket: str, key: str, limit: int) -> tuple[StoredObject, bytes] | None:
        """Return the object with its content, or None when there is none.

        Raises DeliveryError when it is larger than `limit` bytes.
        """

    def folders(self, bucket: str, folder: str) -> Iterator[str]:
        """Yield the folders directly in `folder` (`a/b/`) with their closing slash, over all pages,
        without listing their content.
        """

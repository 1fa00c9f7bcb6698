"""Objects in S3 as the query engine needs them."""

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit


@dataclass(frozen=True)
class StoredObject:
    uri: str
    size: int


class ObjectStore(Protocol):
    """A view on S3 of the account that asks."""

    def list(self, location: str) -> list[StoredObject]:
        """Everything under a location, hidden files (`_`, `.`) too, by key."""
        ...

    def read(self, uri: str) -> bytes:
        """Raises QueryFailed when there is no such object."""
        ...

    def write(self, uri: str, data: bytes, content_type: str) -> None:
        """Raises QueryFailed with S3's reason when the object cannot be written."""
        ...


def split(uri: str) -> tuple[str, str]:
    """Bucket and key (without a leading slash) of an `s3://` address."""
    parts = urlsplit(uri, allow_fragments=False)
    return parts.netloc, parts.path.lstrip("/")


def folder(location: str) -> str:
    """The location with exactly one slash at its end: a prefix that no sibling's name matches."""
    return location.rstrip("/") + "/"


def data_files(store: ObjectStore, location: str) -> list[StoredObject]:
    """The files of a partition: Athena skips empty objects and names that begin with `_` or `.`."""
    prefix = folder(location)
    return [
        each
        for each in store.list(prefix)
        if each.size and not each.uri.endswith("/") and not _hidden(each.uri[len(prefix) :])
    ]


def _hidden(relative: str) -> bool:
    return any(part.startswith(("_", ".")) for part in relative.split("/"))

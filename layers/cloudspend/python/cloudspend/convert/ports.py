"""Where a conversion reads and writes."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from cloudspend.exports.model import DeliveredFile


class ByteStream(Protocol):
    """Bytes in order, as a file opened for reading gives them."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at the end. Raises TransientError when the line breaks."""


class Source(Protocol):
    """The delivered files."""

    def open(self, file: DeliveredFile) -> AbstractContextManager[ByteStream]:
        """The file's bytes, exactly as they were when the delivery was planned.

        Raises DeliveryReplaced when it changed since, DeliveryError when it is gone,
        PermissionDenied when the role may not read it, TransientError when S3 asks to come again.
        """


class Sink(Protocol):
    """The lake's side."""

    bucket: str

    def put(self, path: Path, key: str) -> None:
        """Store the file under `key`; a repeat replaces it. Raises TransientError."""

"""Ports of a conversion: the source of delivered files and the sink for results."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from cloudspend.exports.model import DeliveredFile


class ByteStream(Protocol):
    """A readable stream of bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes, none at the end. Raises TransientError when the connection
        breaks.
        """


class Source(Protocol):
    """The delivered files."""

    def open(self, file: DeliveredFile) -> AbstractContextManager[ByteStream]:
        """Open the file exactly as it was when the delivery was planned.

        Raises DeliveryReplaced when the file changed since then, DeliveryError when it is gone,
        PermissionDenied when the role cannot read it, and TransientError when S3 asks to retry.
        """


class Sink(Protocol):
    """The lake's side of a conversion."""

    bucket: str

    def put(self, path: Path, key: str) -> None:
        """Store the file under `key`, replacing an earlier copy. Raises TransientError."""

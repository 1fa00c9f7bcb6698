"""Files on disk as objects."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from cloudspend.convert.ports import ByteStream
from cloudspend.errors import DeliveryError, DeliveryReplaced, TransientError, UsageError
from cloudspend.exports.model import DeliveredFile
from cloudspend.exports.ports import StoredObject

# The bucket of files on disk.
ON_DISK = ""


class Disk:
    """Reads files with the rights of the current user; `bucket` is ON_DISK, `key` a path."""

    def head(self, bucket: str, key: str) -> StoredObject | None:
        path = Path(key)
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise _refused(key, error) from error
        if not stat.S_ISREG(found.st_mode):
            what = "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
            raise UsageError(f"{key} is {what}.", remedy="Name a manifest or the bill's files.")
        modified = datetime.fromtimestamp(found.st_mtime, UTC)
        return StoredObject(bucket, key, _version(found), found.st_size, modified)

    def read(self, bucket: str, key: str, limit: int) -> tuple[StoredObject, bytes] | None:
        stored = self.head(bucket, key)
        if stored is None:
            return None
        with _opened(key) as file:
            content = _Read(file, key).read(limit + 1)
        if len(content) > limit:
            raise DeliveryError(f"{key} is larger than {limit} bytes.", file=key)
        return stored, content

    @contextmanager
    def open(self, file: DeliveredFile) -> Iterator[ByteStream]:
        with _opened(file.key) as opened:
            _require_same(file, opened)
            yield _Read(opened, file.key)
            # An unfinished download grows while it is read.
            _require_same(file, opened)


class _Read:
    """A file that raises TransientError on disk errors, instead of ending early."""

    def __init__(self, file: BinaryIO, key: str) -> None:
        self._file = file
        self._key = key

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            raise TransientError(
                f"{self._key} cannot be read: {error.strerror}.", remedy="Check the disk."
            ) from error


@contextmanager
def _opened(key: str) -> Iterator[BinaryIO]:
    try:
        file = Path(key).open("rb")  # noqa: SIM115 (closed below; reading fails in other words)
    except FileNotFoundError as error:
        raise DeliveryError(f"{key} does not exist any more.", file=key) from error
    except OSError as error:
        raise _refused(key, error) from error
    with file:
        yield file


def _version(found: os.stat_result) -> str:
    """Return a value that changes whenever the file does, like an ETag in S3."""
    return f"{found.st_ino:x}-{found.st_size:x}-{found.st_mtime_ns:x}"


def _require_same(planned: DeliveredFile, file: BinaryIO) -> None:
    if _version(os.fstat(file.fileno())) != planned.etag:
        raise DeliveryReplaced(
            f"{planned.key} changed while it was converted.",
            remedy="Wait until it is written, then convert it again.",
            file=planned.key,
        )


def _refused(key: str, error: OSError | ValueError) -> UsageError:
    why = error.strerror if isinstance(error, OSError) else error
    return UsageError(f"{key} cannot be read: {why}.", remedy="Check the path and its permissions.")

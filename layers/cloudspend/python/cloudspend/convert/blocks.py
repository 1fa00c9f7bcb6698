"""Compressed CSV as blocks of whole rows. Knows nothing of billing.

Memory stays at a few blocks whatever the file's size, and the compressed stream is verified to
its last byte: length, checksum, and that nothing follows.
"""

import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, cast

from isal import igzip, igzip_lib

from cloudspend.convert.ports import ByteStream

BLOCK_BYTES = 16 * 1024 * 1024
HEADER_BYTES = 1024 * 1024

# A bill shrinks 5 to 60 times. What grows more than this is not a bill but a way to fill a disk.
LARGEST_RATIO = 300
ALWAYS_ALLOWED = 64 * 1024 * 1024
READ_BYTES = 1024 * 1024

# isal's stubs take the error class for an instance, and leave `open` without types.
INFLATE_ERROR = cast("type[Exception]", igzip_lib.IsalError)
IGZIP: Callable[..., Any] = igzip.open


class Damaged(Exception):
    """The file is not what its compression or CSV promises; the text says how."""


@dataclass(frozen=True)
class Block:
    """Whole rows; `first_line` is the line of the file on which they start, the header being 1."""

    data: bytes
    first_line: int


@contextmanager
def inflated(stream: ByteStream, compression: str, size: int) -> Iterator[ByteStream]:
    """`stream`, a file of `size` compressed bytes, without its compression.

    Raises Damaged, also while it is read.
    """
    limit = max(ALWAYS_ALLOWED, size * LARGEST_RATIO)
    try:
        with OPENERS[compression](stream) as plain:
            yield _Limited(plain, limit)
    except EOFError as error:
        raise Damaged("the compressed file ends too early") from error
    except (igzip.BadGzipFile, INFLATE_ERROR, zlib.error, zipfile.BadZipFile) as error:
        raise Damaged(f"the compressed file is damaged: {error}") from error


def header_and_blocks(
    stream: ByteStream, block_bytes: int = BLOCK_BYTES
) -> tuple[bytes, Iterator[Block]]:
    """The first line, and everything after it. Raises Damaged."""
    limit = min(HEADER_BYTES, block_bytes)
    start = _filled(stream, b"", limit)
    header, newline, rest = start.partition(b"\n")
    if not newline and len(start) == limit:
        raise Damaged(f"the first line is longer than {limit} bytes")
    return header.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r"), _blocks(stream, rest, block_bytes)


def _blocks(stream: ByteStream, rest: bytes, block_bytes: int) -> Iterator[Block]:
    line = 2
    while chunk := _filled(stream, rest, block_bytes):
        end = len(chunk) if len(chunk) < block_bytes else last_row_end(chunk)
        if not end:
            raise Damaged(f"a row at line {line} is longer than {block_bytes} bytes")
        data, rest = chunk[:end], chunk[end:]
        yield Block(data, line)
        line += data.count(b"\n")


def _filled(stream: ByteStream, start: bytes, wanted: int) -> bytes:
    parts, size = [start], len(start)
    while size < wanted and (part := stream.read(wanted - size)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def last_row_end(chunk: bytes) -> int:
    """Where the last whole row of `chunk` ends, 0 when none does.

    A newline ends a row when the quotes before it are even in number: an escaped quote is two.
    """
    end = chunk.rfind(b"\n") + 1
    quotes = chunk.count(b'"', 0, end)
    while end and quotes % 2:
        earlier = chunk.rfind(b"\n", 0, end - 1) + 1
        quotes -= chunk.count(b'"', earlier, end)
        end = earlier
    return end


class _Limited:
    """Raises Damaged rather than give more than `limit` bytes."""

    def __init__(self, stream: ByteStream, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._left = limit

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise Damaged(f"the file inflates to more than {self._limit} bytes")
        return data


def _gzip(stream: ByteStream) -> Any:
    return IGZIP(io.BufferedReader(_Raw(stream), READ_BYTES), "rb")


class _Raw(io.RawIOBase):
    """A stream as isal reads it: into its own buffer."""

    def __init__(self, stream: ByteStream) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def _zip(stream: ByteStream) -> Iterator[ByteStream]:
    # The directory of a zip file stands at its end, so that it cannot be read as a stream.
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        with zipfile.ZipFile(copy) as archive:
            names = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(names) != 1:
                raise Damaged(f"the zip file holds {len(names)} files instead of one")
            with archive.open(names[0]) as member:
                yield member


# AWS always compresses; a person may have unpacked the file.
OPENERS: dict[str, Callable[[ByteStream], Any]] = {
    "gzip": _gzip,
    "none": nullcontext,
    "zip": _zip,
}

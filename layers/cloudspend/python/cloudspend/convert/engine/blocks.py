"""Read compressed CSV as blocks of whole rows.

Memory is limited to a few reused buffers for files of any size. The compressed stream is verified
to its last byte: length, checksum, and no trailing data.
"""

import io
import queue
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, Protocol, cast

import numpy as np
from isal import igzip, igzip_lib

from cloudspend.convert.ports import ByteStream

BLOCK_BYTES = 16 * 1024 * 1024
HEADER_BYTES = 1024 * 1024

# A bill compresses 5 to 60 times. A larger factor is not a bill, but an attempt to fill the disk.
LARGEST_RATIO = 300
ALWAYS_ALLOWED = 64 * 1024 * 1024
# Bytes that are read, decompressed or scanned at once: they fit the processor's cache.
PIECE_BYTES = 128 * 1024
# AWS's compression method; other methods of zip can require any amount of memory.
ZIP_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
ENCRYPTED = 1
NEWLINE, QUOTE = b"\n"[0], b'"'[0]

# isal's stubs type the error class as an instance, and leave `open` untyped.
INFLATE_ERROR = cast("type[Exception]", igzip_lib.IsalError)
IGZIP: Callable[..., Any] = igzip.open


class CorruptFile(Exception):
    """The file violates its compression or CSV; the text describes how, and `line` where if
    known.
    """

    def __init__(self, what: str, line: int | None = None) -> None:
        super().__init__(what)
        self.line = line


class PlainStream(Protocol):
    """A stream that fills the caller's buffer."""

    def readinto(self, buffer: Any, /) -> int | None:
        """Fill the start of `buffer` and return the number of bytes, 0 at the end. Raises
        CorruptFile.
        """


class Buffers:
    """A pool of reused buffers; taking one waits until one is free."""

    def __init__(self, count: int = 1, size: int | None = None) -> None:
        self.size = BLOCK_BYTES if size is None else size
        self._free: queue.SimpleQueue[bytearray | None] = queue.SimpleQueue()
        for _ in range(count):
            self._free.put(None)

    def take(self) -> bytearray:
        found = self._free.get()
        return bytearray(self.size) if found is None else found

    def give_back(self, buffer: bytearray) -> None:
        self._free.put(buffer)

    def forget(self) -> None:
        """Free all memory while nothing is read. Buffers in use may be returned later."""
        for _ in range(self._free.qsize()):
            self._free.get()
            self._free.put(None)


@dataclass(frozen=True)
class Block:
    """Whole rows. `first_line` is their first line in the file; the header is line 1.

    `data` is valid until `release`, which every consumer must call once.
    """

    data: memoryview
    first_line: int
    newlines: int
    release: Callable[[], None] = field(default=lambda: None, compare=False)


@dataclass(frozen=True)
class Marks:
    """The number of newlines and quotes in a text."""

    newlines: int = 0
    quotes: int = 0

    @classmethod
    def of(cls, data: bytes | bytearray, start: int, end: int) -> "Marks":
        """Count those of a part of `data`, releasing the interpreter lock."""
        part = np.frombuffer(data, np.uint8)[start:end]
        newlines = quotes = 0
        for at in range(0, len(part), PIECE_BYTES):
            piece = part[at : at + PIECE_BYTES]
            newlines += int(np.count_nonzero(piece == NEWLINE))
            quotes += int(np.count_nonzero(piece == QUOTE))
        return cls(newlines, quotes)

    def __add__(self, other: "Marks") -> "Marks":
        return Marks(self.newlines + other.newlines, self.quotes + other.quotes)

    def __sub__(self, other: "Marks") -> "Marks":
        return Marks(self.newlines - other.newlines, self.quotes - other.quotes)


@contextmanager
def decompressed(stream: ByteStream, compression: str, size: int) -> Iterator[PlainStream]:
    """Yield the decompressed `stream` of a file with `size` compressed bytes.

    Raises CorruptFile, also while it is read.
    """
    limit = max(ALWAYS_ALLOWED, size * LARGEST_RATIO)
    try:
        with OPENERS[compression](stream) as plain:
            yield _Limited(plain, limit)
    except EOFError as error:
        raise CorruptFile("the compressed file ends too early") from error
    except (igzip.BadGzipFile, INFLATE_ERROR, zlib.error, zipfile.BadZipFile) as error:
        raise CorruptFile(f"the compressed file is damaged: {error}") from error


def header_and_blocks(
    stream: PlainStream, buffers: Buffers | None = None
) -> tuple[bytes, Iterator[Block]]:
    """Return the first line, and blocks of everything after it. Raises CorruptFile.

    With the default of a single buffer, a block must be released before the next one is requested.
    """
    buffers = buffers or Buffers()
    buffer = buffers.take()
    size, marks = _filled(stream, buffer, 0)
    end = buffer.find(b"\n", 0, min(size, HEADER_BYTES))
    if end < 0:
        if size >= min(HEADER_BYTES, len(buffer)):
            raise CorruptFile(
                f"the first line is longer than {min(HEADER_BYTES, len(buffer))} bytes"
            )
        end = size
    header = bytes(buffer[:end]).removeprefix(b"\xef\xbb\xbf").rstrip(b"\r")
    start = min(end + 1, size)
    marks -= Marks.of(buffer, 0, start)
    return header, _blocks(stream, buffers, buffer, start, size, marks)


def _blocks(
    stream: PlainStream, buffers: Buffers, buffer: bytearray, start: int, size: int, marks: Marks
) -> Iterator[Block]:
    """Yield blocks of `buffer` from `start` to `size`, with the given counts, and of the rest of
    the stream.
    """
    line = 2
    while size > start:
        last = size < len(buffer)
        end = size if last else last_row_end(buffer, start, size, marks.quotes)
        if end <= start:
            raise CorruptFile(f"a row is longer than {len(buffer)} bytes", line)
        rest, marks_of_rest = bytes(memoryview(buffer)[end:size]), Marks.of(buffer, end, size)
        newlines = marks.newlines - marks_of_rest.newlines
        if last and buffer[end - 1] != NEWLINE:
            buffer[end] = NEWLINE
            end, newlines = end + 1, newlines + 1
        release = _releaser(buffers, buffer)
        yield Block(memoryview(buffer)[start:end].toreadonly(), line, newlines, release)
        if last:
            return
        line += newlines
        buffer = buffers.take()
        buffer[: len(rest)] = rest
        start = 0
        size, more = _filled(stream, buffer, len(rest))
        marks = marks_of_rest + more
    buffers.give_back(buffer)


def _releaser(buffers: Buffers, buffer: bytearray) -> Callable[[], None]:
    return lambda: buffers.give_back(buffer)


def _filled(stream: PlainStream, buffer: bytearray, size: int) -> tuple[int, Marks]:
    """Fill `buffer` from `size` on; return how much is filled, and the counts of the new part.

    They are counted while the data is in the processor's cache.
    """
    view, marks = memoryview(buffer), Marks()
    while size < len(buffer) and (count := stream.readinto(view[size : size + PIECE_BYTES])):
        marks += Marks.of(buffer, size, size + count)
        size += count
    return size, marks


def last_row_end(chunk: bytes | bytearray, start: int, size: int, quotes: int) -> int:
    """Return the end of the last whole row of `chunk` from `start` to `size`, or `start`.

    `quotes` is their number. A newline ends a row if the number of quotes before it is even: an
    escaped quote is two.
    """
    end = chunk.rfind(b"\n", start, size) + 1
    quotes -= Marks.of(chunk, max(end, start), size).quotes
    while end > start and quotes % 2:
        # None of the newlines after the last quote ends a row either.
        earlier = chunk.rfind(b"\n", start, chunk.rfind(b'"', start, end)) + 1
        quotes -= Marks.of(chunk, max(earlier, start), end).quotes
        end = earlier
    return max(end, start)


def row_lines(block: Block) -> list[int]:
    """Return the line on which each row of the block starts; empty lines are not rows."""
    data = np.frombuffer(block.data, np.uint8)
    newlines = np.flatnonzero(data == NEWLINE)
    quotes = np.flatnonzero(data == QUOTE)
    ends = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else np.zeros(0, np.int64)
    lengths = ends - starts
    returns = (lengths == 1) & (data[starts] == b"\r"[0])
    rows = starts[(lengths > 0) & ~returns]
    return [int(line) for line in block.first_line + np.searchsorted(newlines, rows)]


class _Limited:
    """Raises CorruptFile instead of returning more than `limit` bytes."""

    def __init__(self, stream: Any, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._left = limit

    def readinto(self, buffer: Any, /) -> int:
        count = int(self._stream.readinto(buffer))
        self._left -= count
        if self._left < 0:
            raise CorruptFile(f"the file inflates to more than {self._limit} bytes")
        return count


def _plain(stream: ByteStream) -> Any:
    return io.BufferedReader(_Raw(stream), PIECE_BYTES)


def _gzip(stream: ByteStream) -> Any:
    return IGZIP(io.BufferedReader(_Raw(stream), PIECE_BYTES), "rb")


class _Raw(io.RawIOBase):
    """A stream that isal reads into its own buffer."""

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
def _zip(stream: ByteStream) -> Iterator[Any]:
    # The directory of a zip file is at its end, so it cannot be read as a stream.
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        with _unzipping(), zipfile.ZipFile(copy) as archive:
            names = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(names) != 1:
                raise CorruptFile(f"the zip file holds {len(names)} files instead of one")
            if names[0].compress_type not in ZIP_METHODS or names[0].flag_bits & ENCRYPTED:
                raise CorruptFile("the zip file is compressed in a way that AWS does not use")
            member = archive.open(names[0])
        with member:
            yield _Member(member)


class _Member:
    """A file in a zip file."""

    def __init__(self, member: IO[bytes]) -> None:
        self._member: Any = member

    def readinto(self, buffer: Any, /) -> int:
        with _unzipping():
            return int(self._member.readinto(buffer))


@contextmanager
def _unzipping() -> Iterator[None]:
    """Translate errors: invalid offsets and lengths make zipfile raise more than BadZipFile."""
    try:
        yield
    except (OSError, ValueError, OverflowError, NotImplementedError, struct.error) as error:
        raise CorruptFile(f"the compressed file is damaged: {error}") from error


# AWS always compresses; a person may have unpacked the file.
OPENERS: dict[str, Callable[[ByteStream], Any]] = {
    "gzip": _gzip,
    "none": _plain,
    "zip": _zip,
}

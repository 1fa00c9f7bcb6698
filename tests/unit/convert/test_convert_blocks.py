"""Blocks: every row once and whole, every damage noticed."""

import gzip
import io
import zipfile
from collections.abc import Iterable
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudspend.convert.engine import blocks
from cloudspend.convert.engine.blocks import (
    Block,
    Buffers,
    CorruptFile,
    decompressed,
    header_and_blocks,
    last_row_end,
)


def read_all(
    body: bytes, compression: str = "gzip", block_bytes: int = 64
) -> list[tuple[bytes, int]]:
    with decompressed(io.BytesIO(body), compression, len(body)) as plain:
        return kept(header_and_blocks(plain, Buffers(1, block_bytes))[1])


def kept(blocks: Iterable[Block]) -> list[tuple[bytes, int]]:
    """The contents of the blocks and the line on which each starts; their buffer is used again."""
    found = []
    for block in blocks:
        found.append((bytes(block.data), block.first_line))
        block.release()
    return found


def zipped(*members: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, member in enumerate(members):
            archive.writestr(f"{number}.csv", member)
    return target.getvalue()


cells = st.text(alphabet='ab,"\n', max_size=12)


@given(st.lists(st.lists(cells, min_size=2, max_size=2), max_size=30), st.integers(40, 200))
def test_blocks_put_together_are_the_file(table: list[list[str]], size: int) -> None:
    rows = ["".join(f'"{cell.replace(chr(34), chr(34) * 2)}",' for cell in row) for row in table]
    text = "".join(f"{row}\n" for row in rows).encode()
    _, found = header_and_blocks(io.BytesIO(b"a,b\n" + text), Buffers(1, size + 60))
    held = kept(found)
    assert b"".join(data for data, _ in held) == text
    line = 2
    for data, first_line in held:
        assert first_line == line
        assert data.count(b'"') % 2 == 0
        line += data.count(b"\n")


@pytest.mark.parametrize(
    ("chunk", "end"),
    [
        (b"a\nb", 2),
        (b"a\nb\n", 4),
        (b'a\n"b\nc', 2),
        (b'a\n"b\nc"\n', 8),
        (b'a\n"say ""x""\n', 2),
        (b"no end", 0),
        (b'"open\n', 0),
    ],
)
def test_a_newline_inside_quotes_ends_no_row(chunk: bytes, end: int) -> None:
    assert last_row_end(chunk, 0, len(chunk), chunk.count(b'"')) == end


def test_header_comes_without_mark_and_carriage_return() -> None:
    header, rest = header_and_blocks(io.BytesIO(b"\xef\xbb\xbfa,b\r\n1,2\r\n"))
    assert (header, kept(rest)) == (b"a,b", [(b"1,2\r\n", 2)])


def test_a_file_without_a_newline_at_its_end_is_whole() -> None:
    assert read_all(gzip.compress(b"a\n1\n2")) == [(b"1\n2\n", 2)]


def test_several_gzip_members_are_one_file() -> None:
    assert read_all(gzip.compress(b"a\n1\n") + gzip.compress(b"2\n")) == [(b"1\n2\n", 2)]


def test_zip_holds_one_file() -> None:
    assert read_all(zipped(b"a\n1\n"), "zip") == [(b"1\n", 2)]
    with pytest.raises(CorruptFile, match="2 files"):
        read_all(zipped(b"a\n", b"b\n"), "zip")


WHOLE = gzip.compress(b"a\n" + b"1\n" * 5000)


@pytest.mark.parametrize("cut", [1, 4, 8, 9, len(WHOLE) // 2, len(WHOLE) - 1])
def test_a_truncated_gzip_is_noticed_wherever_it_ends(cut: int) -> None:
    with pytest.raises(CorruptFile):
        read_all(WHOLE[:-cut], block_bytes=4096)


@pytest.mark.parametrize(
    "body",
    [
        WHOLE[:-8] + b"\x00\x00\x00\x00" + WHOLE[-4:],
        WHOLE[:-4] + b"\x00\x00\x00\x00",
        WHOLE[:30] + b"\xff\xff\xff\xff" + WHOLE[34:],
        WHOLE + b"something else",
        b"not compressed at all",
    ],
    ids=["checksum", "length", "content", "trailing", "plain"],
)
def test_a_damaged_gzip_is_noticed(body: bytes) -> None:
    with pytest.raises(CorruptFile):
        read_all(body, block_bytes=4096)


def test_a_damaged_zip_is_noticed() -> None:
    body = bytearray(zipped(b"a\n" + b"12345678\n" * 500))
    body[60] ^= 0xFF
    with pytest.raises(CorruptFile):
        read_all(bytes(body), "zip", 4096)
    with pytest.raises(CorruptFile):
        read_all(bytes(body[:-30]), "zip", 4096)


def test_a_file_that_inflates_without_end_is_refused() -> None:
    with patch.object(blocks, "ALWAYS_ALLOWED", 1000), pytest.raises(CorruptFile, match="inflates"):
        read_all(gzip.compress(b"\n" * 1_000_000), block_bytes=4096)


def test_a_row_longer_than_a_block_is_refused() -> None:
    with pytest.raises(CorruptFile, match="longer than 64 bytes") as caught:
        read_all(gzip.compress(b"a\n1\n" + b"2" * 200 + b"\n3\n"))
    assert caught.value.line == 3


def test_buffers_that_are_forgotten_can_be_taken_again() -> None:
    buffers = Buffers(2, 100)
    first, second = buffers.take(), buffers.take()
    buffers.give_back(first)
    buffers.forget()
    buffers.give_back(second)
    taken = [buffers.take(), buffers.take()]
    assert taken[1] is second
    assert taken[0] is not first
    assert [len(one) for one in taken] == [100, 100]

"""Pieces become the rows of a run in their order, up to the first that cannot be parsed."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudspend.convert.engine.chunk_queue import JOINED, ChunkQueue
from cloudspend.convert.engine.locations import FileLocator
from cloudspend.convert.engine.rows import Rows

WORKERS = 2
SIZE = 10


@dataclass(frozen=True)
class Numbers:
    """A piece of one column; None cannot be parsed."""

    values: Sequence[int] | None
    size: int = SIZE

    def parse(self) -> Rows:
        if self.values is None:
            raise ValueError("unreadable")
        texts = pa.array([str(value) for value in self.values], pa.string()).dictionary_encode()
        return Rows({"n": texts}, len(self.values), FileLocator("file", lambda row: row + 2))


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(WORKERS) as made:
        yield made


def gathered(pool: ThreadPoolExecutor, pieces: Sequence[Numbers]) -> tuple[list[int], bool]:
    """The numbers of a run, and whether something stopped it."""
    gathering = ChunkQueue(pool, WORKERS)
    for piece in pieces:
        gathering.add(piece)
    assert gathering.size == SIZE * len(pieces)
    rows, failure = gathering.end()
    assert gathering.size == 0
    texts = rows.text("n").to_pylist() if rows else []
    return [int(text) for text in texts], failure is not None


PIECES = st.lists(st.lists(st.integers(0, 5), max_size=3), max_size=4 * JOINED)


@given(pieces=PIECES)
def test_the_rows_of_a_run_stand_as_the_pieces_came(
    pool: ThreadPoolExecutor, pieces: list[list[int]]
) -> None:
    expected = [value for piece in pieces for value in piece]
    assert gathered(pool, [Numbers(piece) for piece in pieces]) == (expected, False)


@given(pieces=PIECES, wrong=st.sets(st.integers(0, 4 * JOINED), min_size=1))
def test_what_stands_before_the_first_unreadable_piece_is_there_and_nothing_after_it(
    pool: ThreadPoolExecutor, pieces: list[list[int]], wrong: set[int]
) -> None:
    numbers = [Numbers(None if at in wrong else piece) for at, piece in enumerate(pieces)]
    first = min(wrong)
    expected = [value for piece in pieces[:first] for value in piece]
    assert gathered(pool, numbers) == (expected, first < len(pieces))

"""Pieces of delivered files become the rows of a run, parsed side by side."""

from concurrent.futures import Executor, Future, wait

from cloudspend.convert.engine.chunks import Chunk
from cloudspend.convert.engine.memory import release_unused
from cloudspend.convert.engine.rows import Rows

# So many parsed pieces are put together as soon as they are there, so that what they share is held
# once.
JOINED = 8

# Rows that were parsed, None where there are none, and what stopped it.
Parsed = tuple[Rows | None, BaseException | None]


class ChunkQueue:
    """The pieces of one run, in their order; `size` is their bytes of text, about."""

    def __init__(self, pool: Executor, workers: int) -> None:
        self._pool = pool
        self._workers = workers
        self._parsed: list[Future[Rows]] = []
        self._joined: list[Future[Parsed]] = []
        self.size = 0

    def add(self, piece: Chunk) -> None:
        """Have a piece parsed."""
        self._parsed.append(self._pool.submit(piece.parse))
        self.size += piece.size
        if len(self._parsed) >= JOINED + self._workers:
            # When it is their turn to be joined, nobody is still parsing one of them.
            self._join(JOINED)

    def end(self) -> Parsed:
        """The rows before the first piece that could not be parsed, and why it could not; what
        comes next is another run."""
        self._join(len(self._parsed))
        joined, self._joined, self.size = self._joined, [], 0
        wait(joined)
        release_unused()
        parts: list[Rows] = []
        failure: BaseException | None = None
        while joined and not failure:
            rows, failure = joined.pop(0).result()
            parts += [rows] if rows else []
        return Rows.together(parts, self._pool.map) if parts else None, failure

    def _join(self, count: int) -> None:
        parsed, self._parsed = self._parsed[:count], self._parsed[count:]
        self._joined.append(self._pool.submit(_together, parsed))


def _together(parsed: list[Future[Rows]]) -> Parsed:
    """The rows before what could not be parsed; `parsed` is left empty."""
    wait(parsed)
    failures = [future.exception() for future in parsed]
    first = next((number for number, failure in enumerate(failures) if failure), len(parsed))
    parts = [part for done in parsed[:first] if (part := done.result()).count]
    parsed.clear()
    failure = failures[first] if first < len(failures) else None
    return Rows.together(parts) if parts else None, failure

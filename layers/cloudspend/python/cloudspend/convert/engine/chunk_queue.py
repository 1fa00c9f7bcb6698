"""Parse chunks concurrently and join them to the rows of a run."""

from concurrent.futures import Executor, Future, wait

from cloudspend.convert.engine.chunks import Chunk
from cloudspend.convert.engine.memory import release_unused
from cloudspend.convert.engine.rows import Rows

# Parsed chunks that are joined as soon as they are available, so shared values are stored once.
JOINED = 8

# Parsed rows (None for none), and the error that stopped parsing.
Parsed = tuple[Rows | None, BaseException | None]


class ChunkQueue:
    """The chunks of one run in order; `size` is their approximate number of bytes of text."""

    def __init__(self, pool: Executor, workers: int) -> None:
        self._pool = pool
        self._workers = workers
        self._parsed: list[Future[Rows]] = []
        self._joined: list[Future[Parsed]] = []
        self.size = 0

    def add(self, piece: Chunk) -> None:
        """Start parsing a chunk."""
        self._parsed.append(self._pool.submit(piece.parse))
        self.size += piece.size
        if len(self._parsed) >= JOINED + self._workers:
            # No chunk of the group is being parsed when it is joined.
            self._join(JOINED)

    def end(self) -> Parsed:
        """Return the rows before the first chunk that failed, and its error; the next chunk starts
        another run.
        """
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
    """Return the rows before the first failure; `parsed` is emptied."""
    wait(parsed)
    failures = [future.exception() for future in parsed]
    first = next((number for number, failure in enumerate(failures) if failure), len(parsed))
    parts = [part for done in parsed[:first] if (part := done.result()).count]
    parsed.clear()
    failure = failures[first] if first < len(failures) else None
    return Rows.together(parts) if parts else None, failure

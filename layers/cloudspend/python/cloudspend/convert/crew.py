"""Pieces of work for a few threads, so that what comes of it does not depend on their speed.

Pieces are numbered, handed to the worker that has had the least of the current group, and all
workers finish their groups at the same points. So the same input gives every worker the same
groups on every run, and turns let them write in the same order. Of several failures the one of
the lowest number is raised: workers go on with what stands before a failure, and skip what comes
after. Knows nothing of billing.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from types import TracebackType
from typing import Generic, Protocol, TypeVar


class Piece(Protocol):
    """Something to be worked on."""

    def release(self) -> None:
        """Give back what it holds; called when nobody is going to work on it."""


P_contra = TypeVar("P_contra", bound=Piece, contravariant=True)
P = TypeVar("P", bound=Piece)


class Worker(Protocol[P_contra]):
    """What one thread does. Raises Located when it knows better where an error belongs."""

    def take(self, number: int, piece: P_contra) -> None:
        """Take in a piece."""

    def finish_group(self) -> None:
        """Finish what was taken in since the last time, be it nothing."""


class Located(Exception):
    """An error that belongs to a piece, and to a row of it."""

    def __init__(self, number: int, row: int, cause: BaseException) -> None:
        super().__init__(number, row, cause)
        self.place = (number, row)
        self.cause = cause


class Stopped(Exception):
    """There has been a failure, so that nothing more need be handed out."""


class Turns:
    """Lets threads go one at a time, in the order of their numbers, round and round.

    Who has less to do than others leaves the rounds; when all have left, they begin anew.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._next = 0
        self._left: set[int] = set()
        self._stopped = False
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, number: int) -> Iterator[bool]:
        """Wait for one's turn; False when there are none any more."""
        with self._changed:
            self._await(number)
            going_on = not self._stopped
        yield going_on
        with self._changed:
            self._pass_on(number)

    def leave(self, number: int) -> None:
        """Take no more turns until all have left."""
        with self._changed:
            self._await(number)
            self._left.add(number)
            if len(self._left) == self._count:
                self._left.clear()
                number = -1
            self._pass_on(number)

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _await(self, number: int) -> None:
        def may_go() -> bool:
            return self._stopped or (self._next == number and number not in self._left)

        self._changed.wait_for(may_go)

    def _pass_on(self, number: int) -> None:
        following = ((number + step) % self._count for step in range(1, self._count + 1))
        self._next = next((one for one in following if one not in self._left), 0)
        self._changed.notify_all()


class Crew(Generic[P]):
    """Workers with a thread each; a context manager that waits for them and raises what failed."""

    def __init__(
        self, workers: Sequence[Worker[P]], turns: Sequence[Turns], group_size: int
    ) -> None:
        self._turns = turns
        self._group_size = group_size
        self._queues: list[SimpleQueue[tuple[int, P] | str]] = [SimpleQueue() for _ in workers]
        self._handed_out = [0] * len(workers)
        self._number = 0
        self._failures: list[Located] = []
        self._threads = [
            threading.Thread(target=self._run, args=(worker, orders), name=f"convert-{number}")
            for number, (worker, orders) in enumerate(zip(workers, self._queues, strict=True))
        ]

    def hand_out(self, piece: P, size: int) -> None:
        """Let a worker take `piece`. Raises Stopped."""
        if self._failures:
            piece.release()
            raise Stopped
        worker = self._handed_out.index(min(self._handed_out))
        self._handed_out[worker] += size
        self._queues[worker].put((self._number, piece))
        self._number += 1
        if sum(self._handed_out) >= self._group_size * len(self._queues):
            self.finish_groups()

    def finish_groups(self) -> None:
        """Let every worker finish its group."""
        self._handed_out = [0] * len(self._queues)
        for orders in self._queues:
            orders.put(GROUP_ENDS)

    def __enter__(self) -> "Crew[P]":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and not isinstance(error, Stopped):
            self._fail(Located(self._number, 0, error))
        self.finish_groups()
        for orders in self._queues:
            orders.put(ALL_ENDS)
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise min(self._failures, key=lambda failure: failure.place)

    def _run(self, worker: Worker[P], orders: "SimpleQueue[tuple[int, P] | str]") -> None:
        number = 0
        while (order := orders.get()) != ALL_ENDS:
            try:
                if isinstance(order, str):
                    worker.finish_group()
                    continue
                number, piece = order
                if any(failure.place[0] <= number for failure in self._failures):
                    piece.release()
                else:
                    worker.take(number, piece)
            except Located as failure:
                self._fail(failure)
            except BaseException as error:
                self._fail(Located(number, 0, error))

    def _fail(self, failure: Located) -> None:
        self._failures.append(failure)
        for turns in self._turns:
            turns.stop()


GROUP_ENDS = "group ends"
ALL_ENDS = "all ends"

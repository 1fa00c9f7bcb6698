"""A crew: the failure of the lowest number is raised, and turns are kept, however fast one is."""

import threading
import time
from dataclasses import dataclass, field

import pytest

from cloudspend.convert.crew import Crew, Located, Turns


@dataclass(frozen=True)
class Piece:
    def release(self) -> None:
        """Holds nothing."""


@dataclass
class Failing:
    """Fails at each piece, the first worker only after the second one has."""

    waits: bool
    other_failed: threading.Event

    def take(self, number: int, _piece: Piece) -> None:
        if self.waits:
            self.other_failed.wait(5)
        self.other_failed.set()
        raise ValueError(number)

    def finish_group(self) -> None:
        """Nothing was taken."""


def test_the_lowest_failure_is_raised_though_it_comes_last() -> None:
    failed = threading.Event()
    crew = Crew([Failing(True, failed), Failing(False, failed)], [], 100)
    crew._queues[0].put((0, Piece()))
    crew._queues[1].put((1, Piece()))
    with pytest.raises(Located) as caught, crew:
        pass
    assert caught.value.place == (0, 0)


@dataclass
class Slow:
    """Writes its number in turn after some time."""

    number: int
    seconds: float
    turns: Turns
    written: list[int] = field(default_factory=list)

    def take(self, number: int, _piece: Piece) -> None:
        assert number >= 0
        time.sleep(self.seconds)

    def finish_group(self) -> None:
        with self.turns.turn(self.number):
            self.written.append(self.number)


def test_turns_are_kept_by_whoever_is_faster() -> None:
    turns, written = Turns(2), list[int]()
    workers = [Slow(0, 0.02, turns, written), Slow(1, 0.0, turns, written)]
    with Crew(workers, [turns], 1) as crew:
        for _ in range(6):
            crew.hand_out(Piece(), 1)
    assert written == [0, 1] * 4


def test_who_has_less_to_do_leaves_the_rounds_until_all_have() -> None:
    turns, written = Turns(2), list[int]()

    def work(number: int, groups: list[int]) -> None:
        for count in groups:
            for _ in range(count):
                with turns.turn(number):
                    written.append(number)
            turns.leave(number)

    threads = [
        threading.Thread(target=work, args=(number, groups))
        for number, groups in enumerate([[1, 2], [3, 0]])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert written == [0, 1, 1, 1, 0, 0]

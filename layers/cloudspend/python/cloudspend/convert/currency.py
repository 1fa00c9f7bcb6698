"""The one currency of a task's rows."""

import threading

from cloudspend.convert.crew import Located
from cloudspend.convert.rows import Rows
from cloudspend.convert.spots import Spot, refusal


class Currencies:
    """Which currencies the pieces of a task bear, each with its first row; safe between threads."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._found: list[tuple[int, int, str, Spot, str]] = []
        self._lock = threading.Lock()

    def note(self, number: int, rows: Rows) -> None:
        """Take in the piece of that number."""
        column = rows.text(self._column)
        values = column.dictionary_decode()
        firsts = [(values.index(value).as_py(), value) for value in rows.distinct(self._column)]
        own = rows.spelling(self._column)
        with self._lock:
            self._found += [(number, row, value, rows.spot(row), own) for row, value in firsts]

    def first(self) -> str:
        """The currency of the first row that has one; empty when none has."""
        return min(self._found, key=_place)[2] if self._found else ""

    def first_other(self) -> Located | None:
        """The error for the first row of another currency: such costs cannot be added up."""
        first = self.first()
        others = [found for found in self._found if found[2] != first]
        if not others:
            return None
        number, row, value, spot, own = min(others, key=_place)
        what = f"another currency than {first}"
        return Located(number, row, refusal(spot, own, what, value))


def _place(found: tuple[int, int, str, Spot, str]) -> tuple[int, int]:
    return found[:2]

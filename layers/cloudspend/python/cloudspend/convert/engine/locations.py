"""Locations of rows in files, and errors for their values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

import numpy as np

from cloudspend.errors import DeliveryError

SHOWN = 100


@dataclass(frozen=True)
class RowLocation:
    """A row of a file; `at` is its line, or its row group and row, each with its name."""

    file: str
    at: Mapping[str, int]

    def __str__(self) -> str:
        return ", ".join([self.file, *(f"{k.replace('_', ' ')} {n}" for k, n in self.at.items())])


class Locator(Protocol):
    """Locations of rows."""

    def spot(self, row: int) -> RowLocation:
        """Return the location of the row with this index (from 0)."""


@dataclass(frozen=True)
class FileLocator:
    """Rows of a text file: the file, and a function from row index to line."""

    file: str
    line_of: Callable[[int], int]

    def spot(self, row: int) -> RowLocation:
        return RowLocation(self.file, {"line": self.line_of(row)})


class CombinedLocator:
    """Locations of the rows of several parts, each with its number of rows."""

    def __init__(self, parts: Sequence[tuple[Locator, int]]) -> None:
        self._origins = [origin for origin, _ in parts]
        self._ends = list(accumulate(count for _, count in parts))

    def spot(self, row: int) -> RowLocation:
        part = int(np.searchsorted(self._ends, row, side="right"))
        return self._origins[part].spot(row - self._ends[part - 1] if part else row)


def invalid_value(spot: RowLocation, column: str, what: str, value: str | None) -> DeliveryError:
    """Return the error for a value that is `what`."""
    shown = None if value is None else value[:SHOWN]
    return DeliveryError(
        f"{spot}, column {column}: {shown!r} is {what}.",
        remedy="Have AWS deliver the report again, or open a case with AWS support.",
        file=spot.file,
        **{"line": None, **spot.at},
        column=column,
        value=shown,
    )

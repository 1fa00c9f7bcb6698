"""Where rows were read, and the error for a value that stands there."""

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
    """Where rows came from."""

    def spot(self, row: int) -> RowLocation:
        """Where the row of that index (from 0) stands."""


@dataclass(frozen=True)
class FileLocator:
    """Rows of a text file: the file, and how a row's index becomes a line."""

    file: str
    line_of: Callable[[int], int]

    def spot(self, row: int) -> RowLocation:
        return RowLocation(self.file, {"line": self.line_of(row)})


class CombinedLocator:
    """Where the rows of several parts were read; each part with the number of its rows."""

    def __init__(self, parts: Sequence[tuple[Locator, int]]) -> None:
        self._origins = [origin for origin, _ in parts]
        self._ends = list(accumulate(count for _, count in parts))

    def spot(self, row: int) -> RowLocation:
        part = int(np.searchsorted(self._ends, row, side="right"))
        return self._origins[part].spot(row - self._ends[part - 1] if part else row)


def invalid_value(spot: RowLocation, column: str, what: str, value: str | None) -> DeliveryError:
    """The error for a value that is `what`."""
    shown = None if value is None else value[:SHOWN]
    return DeliveryError(
        f"{spot}, column {column}: {shown!r} is {what}.",
        remedy="Have AWS deliver the report again, or open a case with AWS support.",
        file=spot.file,
        **{"line": None, **spot.at},
        column=column,
        value=shown,
    )

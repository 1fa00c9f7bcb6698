"""The columns of rows: codes as narrow as they can be, and the values that they stand for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from cloudspend.convert.codes import Codes, Flags, codes_of
from cloudspend.convert.names import column_key

T = TypeVar("T")


@dataclass(frozen=True)
class Column:
    """A text column: for each row the number of its value, or plain text where `codes` is None.

    A missing value has the number after the last one; in plain text it is null.
    """

    codes: Codes | None
    values: pa.Array

    @classmethod
    def of(cls, array: pa.Array) -> "Column":
        if not pa.types.is_dictionary(array.type):
            return cls(None, array)
        return cls(_narrow(codes_of(array), len(array.dictionary)), array.dictionary)

    @classmethod
    def joined(cls, parts: Sequence["Column"]) -> "Column":
        """The rows of all parts, one after the other."""
        values = pa.concat_arrays([part.values for part in parts])
        if any(part.codes is None for part in parts):
            return cls(None, values)
        encoded = values.dictionary_encode()
        size = len(encoded.dictionary)
        numbers = _narrow(np.append(encoded.indices.to_numpy(), size), size)
        codes, start = [], 0
        for part in parts:
            end = start + len(part.values)
            codes.append(np.append(numbers[start:end], numbers[-1:])[part.codes])
            start = end
        return cls(np.concatenate(codes), encoded.dictionary)

    def numbered(self, rows: Codes | None = None) -> Codes:
        """For each of `rows`, by default all, the number of its value; in plain text each row has
        a value of its own."""
        if self.codes is None:
            return np.arange(len(self.values), dtype=np.int32) if rows is None else rows
        return self.codes if rows is None else self.codes[rows]

    def value(self, row: int) -> str | None:
        number = row if self.codes is None else int(self.codes[row])
        found: str | None = self.values[number].as_py() if number < len(self.values) else None
        return found

    def missing(self, rows: Codes | None = None) -> Flags:
        """For each of `rows`, by default all, whether it lacks a value."""
        if self.codes is None:
            absent = self.values.is_null().to_numpy(zero_copy_only=False)
            return np.asarray(absent if rows is None else absent[rows])
        return np.asarray(self.numbered(rows) == len(self.values))


class Columns:
    """Columns by name.

    What is found out of a column's distinct values is found out once, for every order of the rows.
    """

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = columns
        self._by_key = {column_key(name): name for name in columns}
        self._found: dict[tuple[str, object], Any] = {}

    @classmethod
    def of(cls, arrays: Mapping[str, pa.Array]) -> "Columns":
        return cls({name: Column.of(array) for name, array in arrays.items()})

    @classmethod
    def joined(cls, parts: Sequence["Columns"]) -> "Columns":
        """The columns of all parts, which have the same ones. The parts are left without them."""
        held = [dict(part._columns) for part in parts]  # noqa: SLF001 (of its own kind)
        for part in parts:
            part._columns = {}  # noqa: SLF001
        names = list(held[0])
        return cls({name: Column.joined([own.pop(name) for own in held]) for name in names})

    def name(self, name: str) -> str | None:
        """The column that is meant; two tags may differ in nothing but case."""
        return name if name in self._columns else self._by_key.get(column_key(name))

    def column(self, name: str) -> Column:
        """The column of that very name."""
        return self._columns[name]

    def once(self, name: str, what: object, find: Callable[[], T]) -> T:
        """What `find` finds out about a column, found once; `what` says what that is."""
        key = (name, what)
        if key not in self._found:
            self._found[key] = find()
        found: T = self._found[key]
        return found


def _narrow(codes: Codes, largest: int) -> Codes:
    """The same codes in the smallest type that holds `largest`."""
    return codes.astype(np.min_scalar_type(largest), copy=False)

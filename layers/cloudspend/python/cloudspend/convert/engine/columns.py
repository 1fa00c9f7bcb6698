"""Text columns as codes of minimal width and their distinct values."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cloudspend.convert.engine.codes import (
    Codes,
    Flags,
    codes_of,
    compact,
    downcast,
    take,
    text_of_codes,
)
from cloudspend.convert.engine.memo import Memo
from cloudspend.convert.focus.names import column_key

T = TypeVar("T")


class Each(Protocol):
    """Applies a function to each of many items, like `map`, possibly concurrently."""

    def __call__(self, function: Callable[[str], T], things: Iterable[str], /) -> Iterable[T]: ...


@dataclass(frozen=True)
class Column:
    """A text column: codes and values, or plain text where `codes` is None.

    A missing value has the code after the last one; in plain text it is null.
    """

    codes: Codes | None
    values: pa.Array

    @classmethod
    def of(cls, array: pa.Array) -> "Column":
        """Create a column from parsed data: a dictionary, or plain text. Empty text is a missing
        value.
        """
        if not pa.types.is_dictionary(array.type):
            return cls._of_plain(array)
        values, codes = array.dictionary, codes_of(array)
        empty = values.index("").as_py()
        if empty >= 0:
            numbers = np.arange(-1, len(values))
            numbers[:empty] += 1
            numbers[empty] = numbers[-1]
            values = pa.concat_arrays([values[:empty], values[empty + 1 :]])
            codes = take(downcast(numbers, len(values)), codes)
        return cls(compact(codes, len(values)), values)

    @classmethod
    def _of_plain(cls, texts: pa.Array) -> "Column":
        """Create a column with (nearly) unique values; if most are missing, store only the
        others.
        """
        there = np.diff(_offsets(texts)) > 0
        present = int(np.count_nonzero(there))
        if present == len(texts):
            return cls(None, texts)
        if present * 2 > len(texts):
            return cls(None, pc.if_else(pa.array(there), texts, pa.scalar(None, texts.type)))
        return cls._of_present(texts, there)

    @classmethod
    def _of_present(cls, texts: pa.Array, there: Flags) -> "Column":
        present = int(np.count_nonzero(there))
        codes = np.where(there, np.cumsum(there) - 1, present)
        return cls(compact(codes, present), texts.filter(pa.array(there)))

    @classmethod
    def joined(cls, parts: Sequence["Column"]) -> "Column":
        """Concatenate the rows of all parts."""
        if all(part.codes is None for part in parts):
            return cls(None, pa.concat_arrays([part.values for part in parts]))
        parts = [part.coded() for part in parts]
        encoded = pa.concat_arrays([part.values for part in parts]).dictionary_encode()
        size = len(encoded.dictionary)
        numbers = downcast(np.append(encoded.indices.to_numpy(), size), size)
        codes, start = [], 0
        for part in parts:
            end = start + len(part.values)
            codes.append(take(np.append(numbers[start:end], numbers[-1:]), part.numbered()))
            start = end
        return cls(compact(np.concatenate(codes), size), encoded.dictionary)

    def coded(self) -> "Column":
        """Return the column with a code for each row; values can repeat."""
        if self.codes is not None:
            return self
        return self._of_present(self.values, self.values.is_valid().to_numpy(zero_copy_only=False))

    def compact(self) -> "Column":
        """Return the column without unused values."""
        text = self.text()
        return Column(compact(codes_of(text), len(text.dictionary)), text.dictionary)

    def first(self, count: int) -> "Column":
        """Return the column of the first rows."""
        if self.codes is None:
            return Column(None, self.values[:count])
        return Column(self.codes[:count], self.values)

    def numbered(self, rows: Codes | None = None) -> Codes:
        """Return the codes of `rows`, by default all; in plain text each row has its own value."""
        if self.codes is None:
            return np.arange(len(self.values), dtype=np.int32) if rows is None else rows
        return self.codes if rows is None else take(self.codes, rows)

    def value(self, row: int) -> str | None:
        number = row if self.codes is None else int(self.codes[row])
        found: str | None = self.values[number].as_py() if number < len(self.values) else None
        return found

    def missing(self, rows: Codes | None = None) -> Flags:
        """Return a mask of missing values in `rows`, by default all."""
        if self.codes is None:
            absent = self.values.is_null().to_numpy(zero_copy_only=False)
            return np.asarray(absent if rows is None else take(absent, rows))
        return np.asarray(self.numbered(rows) == len(self.values))

    def text(self, rows: Codes | None = None) -> pa.DictionaryArray:
        """Return the text of `rows`, by default all, without unused values."""
        if self.codes is None:
            texts = self.values if rows is None else self.values.take(pa.array(rows))
            return texts.dictionary_encode()
        return text_of_codes(self.numbered(rows), self.values)


class Columns:
    """Columns by name.

    Results per distinct value are computed once and shared by every order of the rows. `added` are
    computed columns, each with the function that makes it from all rows.
    """

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = dict(columns)
        self._by_key = {column_key(name): name for name in columns}
        self.added: dict[str, Callable[[Any], Column]] = {}
        self.once = Memo()

    @classmethod
    def of(cls, arrays: Mapping[str, pa.Array]) -> "Columns":
        return cls({name: Column.of(array) for name, array in arrays.items()})

    @classmethod
    def joined(cls, parts: Sequence["Columns"], each: Each = map) -> "Columns":
        """Concatenate columns of all parts, which have the same names. The parts are emptied."""
        compact = [part._columns for part in parts]  # noqa: SLF001 (of its own kind)
        names = list(compact[0])
        made = each(lambda name: Column.joined([own.pop(name) for own in compact]), names)
        return cls(dict(zip(names, made, strict=True)))

    def first(self, count: int) -> "Columns":
        """Return the columns of the first rows, without computed results."""
        return Columns({name: column.first(count) for name, column in self._columns.items()})

    def name(self, name: str) -> str | None:
        """Return the matching column name; two tags can differ in case alone."""
        return name if name in self._columns else self._by_key.get(column_key(name))

    def column(self, name: str) -> Column:
        """Return the column with exactly this name."""
        return self._columns[name]


def _offsets(texts: pa.StringArray) -> Codes:
    """Return the offset of each text, and of the end; null has no length."""
    offsets = np.frombuffer(texts.buffers()[1] or b"", np.int32)
    return offsets[texts.offset : texts.offset + len(texts) + 1]

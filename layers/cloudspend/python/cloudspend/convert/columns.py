"""The columns of rows, in as many pieces as were read; put together when first asked for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from cloudspend.convert.codes import Codes, codes_of
from cloudspend.convert.names import column_key

T = TypeVar("T")


class Columns:
    """Text columns: dictionaries, or plain text where nearly every row has a value of its own.

    What is found out of a column's distinct values is found out once, for every order of the rows.
    """

    def __init__(self, pieces: dict[str, list[pa.Array]]) -> None:
        self.pieces = pieces
        self._by_key = {column_key(name): name for name in pieces}
        self._found: dict[tuple[str, object], Any] = {}

    @classmethod
    def of(cls, columns: Mapping[str, pa.Array]) -> "Columns":
        return cls({name: [array] for name, array in columns.items()})

    @classmethod
    def joined(cls, parts: Sequence["Columns"]) -> "Columns":
        """The columns of all parts, whose pieces they take over."""
        pieces: dict[str, list[pa.Array]] = {name: [] for name in parts[0].pieces}
        for part in parts:
            for name, arrays in part.pieces.items():
                pieces[name] += arrays
        return cls(pieces)

    def name(self, name: str) -> str | None:
        """The column that is meant; two tags may differ in nothing but case."""
        return name if name in self.pieces else self._by_key.get(column_key(name))

    def array(self, name: str) -> pa.Array:
        """The column of that very name."""
        pieces = self.pieces[name]
        if len(pieces) > 1:
            whole = pa.chunked_array(pieces)
            if pa.types.is_dictionary(whole.type):
                whole = whole.unify_dictionaries()
            pieces = self.pieces[name] = [whole.combine_chunks()]
        return pieces[0]

    def coded(self, name: str) -> tuple[Codes, pa.Array]:
        """For each row the number of its value, and the values; plain text has one for each row."""
        return self.once(name, Columns.coded, lambda: self._coded(name))

    def once(self, name: str, what: object, find: Callable[[], T]) -> T:
        """What `find` finds out about a column, found once; `what` says what that is."""
        key = (name, what)
        if key not in self._found:
            self._found[key] = find()
        found: T = self._found[key]
        return found

    def _coded(self, name: str) -> tuple[Codes, pa.Array]:
        array = self.array(name)
        if pa.types.is_dictionary(array.type):
            return codes_of(array), array.dictionary
        return np.arange(len(array), dtype=np.int32), array

"""Rows of delivered files as text, column by column.

A bill has a million rows and a few thousand distinct values in most columns. So whatever reads a
value here is evaluated once per distinct value (or distinct combination), not once per row.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from cloudspend.convert import exact, readings
from cloudspend.convert.codes import (
    Codes,
    Flags,
    Numbers,
    codes_of,
    constant,
    occurring,
    paired,
    renumbered,
    text_of_codes,
)
from cloudspend.convert.columns import Columns
from cloudspend.convert.maps import Maps, decoded_maps
from cloudspend.convert.spots import Origin, Places, Spot, refusal
from cloudspend.errors import DeliveryError

T = TypeVar("T")


class Rows:
    """Text columns, found by name or by `column_key`; a column that is not there is empty."""

    def __init__(
        self,
        columns: Mapping[str, pa.Array] | Columns,
        count: int,
        place: Origin,
        order: Codes | None = None,
    ) -> None:
        self.columns = columns if isinstance(columns, Columns) else Columns.of(columns)
        self.count = count
        self.place = place
        self._order = order
        # Several rules read the same columns; each is looked up and converted once.
        self._made: dict[Hashable, Any] = {}
        self._added: dict[str, pa.DictionaryArray] = {}

    @classmethod
    def together(cls, parts: Sequence["Rows"]) -> "Rows":
        """All rows of `parts`, which have the same columns and are left without them."""
        columns = Columns.joined([part.columns for part in parts])
        places = Places([(part.place, part.count) for part in parts])
        return cls(columns, sum(part.count for part in parts), places)

    def taken(self, order: Codes) -> "Rows":
        """The rows of these numbers, in that order."""
        order = order if self._order is None else self._order[order]
        return Rows(self.columns, len(order), self.place, order)

    def spot(self, row: int) -> Spot:
        """Where a row was read."""
        return self.place.spot(row if self._order is None else int(self._order[row]))

    def add(self, name: str, column: pa.DictionaryArray) -> None:
        """Give the rows a text column that the file has not; it is found by this very name."""
        self._added[name] = column

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made once for these rows; the same key always stands for the same."""
        if key not in self._made:
            self._made[key] = make()
        found: T = self._made[key]
        return found

    def has(self, name: str) -> bool:
        return self.columns.name(name) is not None

    def spelling(self, name: str) -> str:
        """The name that the file itself has for the column."""
        return self.columns.name(name) or name

    def text(self, name: str) -> pa.DictionaryArray:
        """The column as it stands; missing values are null."""
        if name in self._added:
            return self._added[name]
        found = self.columns.name(name)
        if found is None:
            return constant(None, self.count)
        return self.once(("text", found), lambda: self._text(found))

    def _text(self, name: str) -> pa.DictionaryArray:
        column = self.columns.column(name)
        if column.codes is not None:
            return text_of_codes(column.numbered(self._order), column.values)
        values = column.values if self._order is None else column.values.take(pa.array(self._order))
        return values.dictionary_encode()

    def _numbered(self, name: str) -> Codes:
        """For each row the number of its value among those of the whole column."""
        column = self.columns.column(name)
        return self.once(("numbered", name), lambda: column.numbered(self._order))

    def value(self, name: str, row: int) -> str | None:
        """The text of one row."""
        found = self.columns.name(name)
        place = row if self._order is None else int(self._order[row])
        return None if found is None else self.columns.column(found).value(place)

    def is_missing(self, name: str) -> Flags:
        """For each row whether it lacks a value."""
        found = self.columns.name(name)
        if found is None:
            return np.ones(self.count, np.bool_)
        return self.columns.column(found).missing(self._order)

    def distinct(self, name: str) -> set[str]:
        """The values that occur."""
        return {value for value in self.text(name).unique().to_pylist() if value is not None}

    def codes(self, name: str) -> tuple[Codes, list[str | None]]:
        """For each row the number of its value, and the values; null is the last one."""
        return self.once(("codes", name), lambda: self._codes(name))

    def _codes(self, name: str) -> tuple[Codes, list[str | None]]:
        array = self.text(name)
        return codes_of(array), [*array.dictionary.to_pylist(), None]

    def combined(self, names: Sequence[str]) -> tuple[Codes, list[tuple[str | None, ...]]]:
        """For each row the number of its combination of values, and the combinations."""
        names = tuple(names)
        return self.once(
            ("combined", names),
            lambda: paired([self.codes(name) for name in names], self.count),
        )

    def derive(self, function: Callable[..., str | None], *names: str) -> pa.DictionaryArray:
        """A text column: `function` of the values of `names`."""
        codes, combinations = self.combined(names)
        results = pa.array([function(*values) for values in combinations], pa.string())
        encoded = results.dictionary_encode()
        return pa.DictionaryArray.from_arrays(
            encoded.indices.take(pa.array(codes)), encoded.dictionary
        )

    def where(self, condition: Callable[..., bool], *names: str) -> Flags:
        """For each row whether `condition` holds of its values of `names`."""
        codes, combinations = self.combined(names)
        found = np.array([condition(*values) for values in combinations], np.bool_)
        return found[codes] if self.count else np.zeros(0, np.bool_)

    def numbers(self, name: str) -> Numbers:
        """The column as numbers, NaN where a value is missing.

        Raises DeliveryError at the first value that is not a finite number.
        """
        return self._read(name, readings.number, "not a number")

    def numbers_where_possible(self, name: str) -> Numbers:
        """As `numbers`, but text that is no number counts as missing."""
        return self._read(name, readings.number_or_missing, "")

    def moments(self, name: str) -> pa.Array:
        """The column as UTC timestamps. Raises DeliveryError at the first that is not a date."""
        return readings.timestamps(self._read(name, readings.milliseconds, "not a date"))

    def moments_where_possible(self, name: str) -> pa.Array:
        """As `moments`, but text that is no date counts as missing."""
        return readings.timestamps(self._read(name, readings.milliseconds_or_missing, ""))

    def exact_sum(self, name: str, of: Flags) -> Decimal:
        """The exact sum of a column's decimal text over the rows `of`; missing values are 0.

        Raises DeliveryError where a value is no number, or has more than 38 digits before or after
        the point.
        """
        found = self.columns.name(name)
        if found is None:
            return Decimal(0)
        values = self.columns.column(found).values
        codes = self._numbered(found)[of]
        if len(values) >= len(codes):
            # Plain text, or few rows: those values alone that are added up.
            present = codes[codes < len(values)]
            limbs, wrong = exact.limbs(values.take(pa.array(present)))
            wrong = [int(present[number]) for number in wrong]
            codes = np.arange(len(present))
        else:
            limbs, wrong = self.columns.once(found, exact.limbs, lambda: exact.limbs(values))
        if wrong:
            self.numbers(name)
            self._refuse_any(name, wrong, "outside the range of money")
        return exact.total(limbs, codes)

    def maps(self, name: str) -> tuple[Codes, Maps]:
        """A map column: for each row the number of its map, and the maps; the last one is empty.

        Each distinct text is decoded once for every order of the rows, and only the maps that these
        rows have are there. Raises DeliveryError at a text that is no JSON object of scalars.
        """
        return self.once(("maps", name), lambda: self._maps(name))

    def _maps(self, name: str) -> tuple[Codes, Maps]:
        found = self.columns.name(name)
        if found is None:
            return np.zeros(self.count, np.int64), Maps.of([{}])
        values, codes = self.columns.column(found).values, self._numbered(found)
        texts = pa.concat_arrays([values, pa.nulls(1, pa.string())])
        maps, wrong = self.columns.once(found, decoded_maps, lambda: decoded_maps(texts))
        if wrong:
            self._refuse_any(name, wrong, "not a JSON object of scalars")
        used = occurring(codes, len(maps))
        used[-1] = True
        return renumbered(codes, used), maps.taken(np.flatnonzero(used)).compact()

    def refused(self, name: str, row: int, what: str, value: str | None) -> DeliveryError:
        """The error for a value of `row` that is `what`."""
        return refusal(self.spot(row), self.spelling(name), what, value)

    def _refuse_any(self, name: str, wrong: Sequence[int], what: str) -> None:
        """Raise at the first row whose value's number is one of `wrong`, if there is such a row."""
        rows = np.flatnonzero(np.isin(self._numbered(self.spelling(name)), wrong))
        if len(rows):
            raise self.refused(name, int(rows[0]), what, self.value(name, int(rows[0])))

    def _read(self, name: str, reading: readings.Reading, what: str) -> Numbers:
        return self.once((reading, name), lambda: self._evaluated(name, reading, what))

    def _evaluated(self, name: str, reading: readings.Reading, what: str) -> Numbers:
        found = self.columns.name(name)
        if found is None:
            return np.full(self.count, np.nan)
        values = self.columns.column(found).values
        results, wrong = self.columns.once(found, reading, lambda: readings.read(values, reading))
        if wrong:
            self._refuse_any(name, wrong, what)
        return np.asarray(results[self._numbered(found)])

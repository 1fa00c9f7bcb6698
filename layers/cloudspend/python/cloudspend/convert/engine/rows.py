"""Rows of delivered files as text columns.

A bill has a million rows and a few thousand distinct values in most columns, so every function of a
value is evaluated once per distinct value or combination, not once per row.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

import numpy as np
import pyarrow as pa

from cloudspend.convert.engine import exact, scalars
from cloudspend.convert.engine.codes import (
    Codes,
    Flags,
    Numbers,
    codes_of,
    combine_columns,
    compact,
    constant,
    downcast,
    take,
)
from cloudspend.convert.engine.columns import Column, Columns, Each
from cloudspend.convert.engine.locations import CombinedLocator, Locator, RowLocation, invalid_value
from cloudspend.convert.engine.maps import Coded, Maps, decoded_maps
from cloudspend.convert.engine.memo import Memo
from cloudspend.errors import DeliveryError

T = TypeVar("T")


class Rows:
    """Text columns by name or by `column_key`; a missing column is empty.

    Rows that were taken from others share parsed values and results of rules with the `batch`,
    which computes them once per distinct combination.
    """

    def __init__(
        self,
        columns: Mapping[str, pa.Array] | Columns,
        count: int,
        place: Locator,
        order: Codes | None = None,
        whole: "Rows | None" = None,
    ) -> None:
        self.columns = columns if isinstance(columns, Columns) else Columns.of(columns)
        self.count = count
        self.place = place
        self._order = order
        self._whole = whole
        self.once = Memo()

    @classmethod
    def together(cls, parts: Sequence["Rows"], each: Each = map) -> "Rows":
        """Concatenate all `parts`, which have the same columns and are emptied."""
        columns = Columns.joined([part.columns for part in parts], each)
        places = CombinedLocator([(part.place, part.count) for part in parts])
        return cls(columns, sum(part.count for part in parts), places)

    @property
    def batch(self) -> "Rows":
        """Return the rows that these were taken from, or these."""
        return self._whole or self

    def all(self) -> "Rows":
        """Return a view of the same rows; per-row results are freed with the view."""
        return Rows(self.columns, self.count, self.place, self._order, self.batch)

    def taken(self, order: Codes) -> "Rows":
        """Return the rows at these numbers, in that order."""
        order = order if self._order is None else take(self._order, order)
        return Rows(self.columns, len(order), self.place, order, self.batch)

    def first(self, count: int) -> "Rows":
        """Return the first rows as a new batch, which shares no results."""
        return Rows(self.columns.first(count), count, self.place)

    def spot(self, row: int) -> RowLocation:
        """Return the location of a row."""
        return self.place.spot(row if self._order is None else int(self._order[row]))

    def add(self, name: str, make: "Callable[[Rows], Column]") -> None:
        """Add a computed column to a batch.

        `make` is called when the column is first used, and must not refer to the rows: that would
        be a cycle.
        """
        self.columns.added[name] = make

    def of_whole(self, codes: Codes) -> Codes:
        """Return these rows' part of per-row values of the batch."""
        return codes if self._order is None else take(codes, self._order)

    def _name(self, name: str) -> str | None:
        return name if name in self.columns.added else self.columns.name(name)

    def _column(self, name: str) -> Column:
        make, whole = self.columns.added.get(name), self.batch
        if make is None:
            return self.columns.column(name)
        return whole.once(("added", name), lambda: make(whole))

    def has(self, name: str) -> bool:
        return self._name(name) is not None

    def spelling(self, name: str) -> str:
        """Return the file's own name of the column."""
        return self._name(name) or name

    def text(self, name: str) -> pa.DictionaryArray:
        """Return the column as text; missing values are null."""
        found = self._name(name)
        if found is None:
            return constant(None, self.count)
        return self.once(("text", found), lambda: self._column(found).text(self._order))

    def _numbered(self, name: str) -> Codes:
        """Return the code of each row in the batch's column."""
        column = self._column(name)
        return self.once(("numbered", name), lambda: column.numbered(self._order))

    def value(self, name: str, row: int) -> str | None:
        """Return the text of one row."""
        found = self._name(name)
        place = row if self._order is None else int(self._order[row])
        return None if found is None else self._column(found).value(place)

    def is_missing(self, name: str) -> Flags:
        """Return a mask of missing values."""
        found = self._name(name)
        if found is None:
            return np.ones(self.count, np.bool_)
        return self._column(found).missing(self._order)

    def distinct(self, name: str) -> set[str]:
        """Return the values that occur."""
        return {value for value in self.text(name).unique().to_pylist() if value is not None}

    def coded(self, name: str) -> tuple[Codes, pa.Array]:
        """Return the codes of the rows and the values of the batch; a missing value has the code
        after the last one.
        """
        found = self._name(name)
        if found is None:
            return np.zeros(self.count, np.uint8), pa.array([], pa.string())
        column = self.columns.once(("coded", found), self._column(found).coded)
        return self.of_whole(column.numbered()), column.values

    def combined(self, names: Sequence[str]) -> tuple[Codes, list[tuple[str | None, ...]]]:
        """Return the codes of the rows' combinations of values, and the combinations of the
        batch.
        """
        names = tuple(names)
        if self._whole is None:
            return self.once(("combined", names), lambda: self._paired(names))
        codes, combinations = self._whole.combined(names)
        return self.of_whole(codes), combinations

    def _paired(self, names: Sequence[str]) -> tuple[Codes, list[tuple[str | None, ...]]]:
        columns = [self.coded(name) for name in names]
        codes, combinations = combine_columns(
            [(own, [*values.to_pylist(), None]) for own, values in columns], self.count
        )
        return compact(codes, len(combinations)), combinations

    def derive(self, function: Callable[..., str | None], *names: str) -> pa.DictionaryArray:
        """Return a text column: `function` of the values of `names`."""
        return self.derived(function, *names).text(self._order)

    def derived(self, function: Callable[..., str | None], *names: str) -> Column:
        """Return that column of the batch."""
        if self._whole is None:
            return self.once((function, names), lambda: self._derived(function, names))
        return self._whole.derived(function, *names)

    def _derived(self, function: Callable[..., str | None], names: Sequence[str]) -> Column:
        codes, combinations = self.combined(names)
        results = pa.array([function(*values) for values in combinations], pa.string())
        encoded = results.dictionary_encode()
        size = len(encoded.dictionary)
        return Column(
            compact(take(downcast(codes_of(encoded), size), codes), size), encoded.dictionary
        )

    def where(self, condition: Callable[..., bool], *names: str) -> Flags:
        """Return a mask of the rows whose values of `names` satisfy `condition`."""
        codes, combinations = self.combined(names)
        found = np.array([condition(*values) for values in combinations], np.bool_)
        return take(found, codes) if self.count else np.zeros(0, np.bool_)

    def numbers(self, name: str) -> Numbers:
        """Return the column as numbers, NaN for missing values.

        Raises DeliveryError at the first value that is not a finite number.
        """
        return self._read(name, scalars.number, "not a number")

    def numbers_where_possible(self, name: str) -> Numbers:
        """Return numbers as `numbers` does; other text counts as missing."""
        return self._read(name, scalars.number)

    def timestamps(self, name: str) -> pa.Array:
        """Return the column as UTC timestamps. Raises DeliveryError at the first value that is not
        a date.
        """
        return scalars.timestamps(self._read(name, scalars.milliseconds, "not a date"))

    def timestamps_where_possible(self, name: str) -> pa.Array:
        """Return timestamps as `timestamps` does; other text counts as missing."""
        return scalars.timestamps(self._read(name, scalars.milliseconds))

    def exact_sum(self, name: str, of: Flags) -> Decimal:
        """Return the exact sum of a column's decimal text over the rows `of`; missing values are 0.

        Raises DeliveryError for a value that is not a number, or has more than 38 digits before or
        after the point.
        """
        found = self._name(name)
        if found is None:
            return Decimal(0)
        values = self._column(found).values
        codes = self._numbered(found)[of]
        if len(values) >= len(codes):
            # Plain text, or few rows: parse only the values to add.
            present = codes[codes < len(values)]
            limbs, wrong = exact.limbs(values.take(pa.array(present)))
            wrong = [int(present[number]) for number in wrong]
            codes = np.arange(len(present))
        else:
            limbs, wrong = self.columns.once((found, exact.limbs), lambda: exact.limbs(values))
        if wrong:
            self.numbers(name)
            self._refuse_any(name, wrong, "outside the range of money")
        return exact.total(limbs, codes)

    def maps(self, name: str) -> Coded:
        """Return a map column: the code of each row's map, and the maps of the batch.

        Each distinct text is parsed once. Raises DeliveryError for a text that is not a JSON object
        of scalars.
        """
        found = self._name(name)
        if found is None:
            return np.zeros(self.count, np.uint8), Maps.of([{}])
        values = self._column(found).values
        texts = pa.concat_arrays([values, pa.nulls(1, pa.string())])
        maps, wrong = self.columns.once((found, decoded_maps), lambda: decoded_maps(texts))
        if wrong:
            self._refuse_any(name, wrong, "not a JSON object of scalars")
        return self._numbered(found), maps

    def refused(self, name: str, row: int, what: str, value: str | None) -> DeliveryError:
        """Return the error for a value of `row` that is `what`."""
        return invalid_value(self.spot(row), self.spelling(name), what, value)

    def _refuse_any(self, name: str, wrong: Sequence[int], what: str) -> None:
        """Raise the error for the first row whose code is one of `wrong`, if any."""
        rows = np.flatnonzero(np.isin(self._numbered(self.spelling(name)), wrong))
        if len(rows):
            raise self.refused(name, int(rows[0]), what, self.value(name, int(rows[0])))

    def _read(self, name: str, reading: scalars.ScalarParser, otherwise: str = "") -> Numbers:
        """Parse each row's value with `reading`, NaN for a missing one.

        Values that it cannot parse are refused as being `otherwise`, if that is given.
        """
        found = self._name(name)
        if found is None:
            return np.full(self.count, np.nan)
        results, wrong = self._found(found, reading)
        if wrong and otherwise:
            self._refuse_any(name, wrong, otherwise)
        return self.once((found, reading), lambda: take(results, self._numbered(found)))

    def _found(self, name: str, reading: scalars.ScalarParser) -> tuple[Numbers, list[int]]:
        """Parse a column's distinct values; also return the codes of those that cannot be
        parsed.
        """
        values = self._column(name).values
        return self.columns.once((name, reading), lambda: scalars.read(values, reading))

    def unread(self, name: str, reading: scalars.ScalarParser) -> Coded | None:
        """Return for each row the number of a map with its text, by the file's own column name, if
        `reading` cannot parse it; None if all of the batch can be parsed.
        """
        found = self._name(name)
        wrong = [] if found is None else self._found(found, reading)[1]
        if found is None or not wrong:
            return None
        values = self._column(found).values
        numbers = np.full(len(values) + 1, len(wrong), np.int64)
        numbers[wrong] = np.arange(len(wrong))
        texts = values.take(pa.array(wrong)).to_pylist()
        return take(numbers, self._numbered(found)), Maps.of(
            [*({found: text} for text in texts), {}]
        )

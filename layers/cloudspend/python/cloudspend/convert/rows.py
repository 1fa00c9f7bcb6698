"""Rows of delivered files as text, column by column, every column a dictionary.

A bill has a million rows and a few thousand distinct values in most columns. So whatever reads a
value here is evaluated once per distinct value (or distinct combination), not once per row.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cloudspend.convert import exact
from cloudspend.convert.maps import TEXT_MAP, TextMap, decoded, map_array
from cloudspend.convert.names import column_key
from cloudspend.errors import DeliveryError

MOMENT = pa.timestamp("ms")

T = TypeVar("T")

Codes = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# What stands for "no value" where a number or a date is expected.
MISSING = {"", "None"}
SHOWN = 100


@dataclass(frozen=True)
class Spot:
    """A row of a file; `at` is its line, or its row group and row, each with its name."""

    file: str
    at: Mapping[str, int]

    def __str__(self) -> str:
        return ", ".join([self.file, *(f"{k.replace('_', ' ')} {n}" for k, n in self.at.items())])


class Origin(Protocol):
    """Where rows came from."""

    def spot(self, row: int) -> Spot:
        """Where the row of that index (from 0) stands."""


@dataclass(frozen=True)
class Place:
    """Rows of a text file: the file, and how a row's index becomes a line."""

    file: str
    line_of: Callable[[int], int]

    def spot(self, row: int) -> Spot:
        return Spot(self.file, {"line": self.line_of(row)})


class Rows:
    """Text columns, found by name or by `column_key`; a column that is not there is empty."""

    def __init__(
        self,
        columns: "Mapping[str, pa.DictionaryArray] | Columns",
        count: int,
        place: Origin,
        order: Codes | None = None,
    ) -> None:
        self.columns = columns if isinstance(columns, Columns) else Columns.of(columns)
        self.count = count
        self.place = place
        self._order = order
        self._texts: dict[str, pa.DictionaryArray] = {}
        # Several rules read the same costs; each is converted once.
        self._read: dict[tuple[str, object], Numbers] = {}
        self._made: dict[Hashable, Any] = {}
        self._added: dict[str, pa.DictionaryArray] = {}

    @classmethod
    def together(cls, parts: Sequence["Rows"]) -> "Rows":
        """The rows of all `parts`, which have the same columns, as one."""
        columns = Columns.joined([part.columns for part in parts])
        return cls(columns, sum(part.count for part in parts), _Places(parts))

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
        if self._order is None:
            return self.columns.array(found)
        if found not in self._texts:
            array = self.columns.array(found)
            indices = array.indices.take(pa.array(self._order))
            self._texts[found] = pa.DictionaryArray.from_arrays(indices, array.dictionary)
        return self._texts[found]

    def distinct(self, name: str) -> set[str]:
        """The values that occur."""
        return {value for value in pc.unique(self.text(name)).to_pylist() if value is not None}

    def codes(self, name: str) -> tuple[Codes, list[str | None]]:
        """For each row the number of its value, and the values; null is the last one."""
        array = self.text(name)
        return _codes(array), [*array.dictionary.to_pylist(), None]

    def combined(self, names: Sequence[str]) -> tuple[Codes, list[tuple[str | None, ...]]]:
        """For each row the number of its combination of values, and the combinations."""
        return paired([self.codes(name) for name in names], self.count)

    def derive(self, function: Callable[..., str | None], *names: str) -> pa.DictionaryArray:
        """A text column: `function` of the values of `names`."""
        codes, combinations = self.combined(names)
        results = pa.array([function(*values) for values in combinations], pa.string())
        encoded = results.dictionary_encode()
        return pa.DictionaryArray.from_arrays(encoded.indices.take(codes), encoded.dictionary)

    def where(self, condition: Callable[..., bool], *names: str) -> Flags:
        """For each row whether `condition` holds of its values of `names`."""
        codes, combinations = self.combined(names)
        found = np.array([condition(*values) for values in combinations], np.bool_)
        return found[codes] if self.count else np.zeros(0, np.bool_)

    def numbers(self, name: str) -> Numbers:
        """The column as numbers, NaN where a value is missing.

        Raises DeliveryError at the first value that is not a finite number.
        """
        return self._converted(name, _number, "not a number")

    def numbers_where_possible(self, name: str) -> Numbers:
        """As `numbers`, but text that is no number counts as missing."""
        return self._converted(name, _number_or_missing, "")

    def moments(self, name: str) -> pa.Array:
        """The column as UTC timestamps. Raises DeliveryError at the first that is not a date."""
        return _timestamps(self._converted(name, _milliseconds, "not a date"))

    def moments_where_possible(self, name: str) -> pa.Array:
        """As `moments`, but text that is no date counts as missing."""
        return _timestamps(self._converted(name, _milliseconds_or_missing, ""))

    def exact_sum(self, name: str, of: Flags) -> Decimal:
        """The exact sum of a column's decimal text over the rows `of`; missing values are 0.

        Raises DeliveryError where a value is no number, or has more than 38 digits before or after
        the point.
        """
        array = self.text(name)
        key = (self.spelling(name), exact.limbs)
        if key not in self.columns.shared:
            texts = ["0" if text in MISSING else text for text in array.dictionary.to_pylist()]
            self.columns.shared[key] = exact.limbs(texts)
        limbs, wrong = self.columns.shared[key]
        codes = _codes(array)
        if wrong:
            self.numbers(name)
            self._refuse_any(name, codes, wrong, "outside the range of money")
        return exact.total(limbs, codes[of])

    def maps(self, name: str) -> tuple[Codes, list[dict[str, str] | None]]:
        """A map column: for each row the number of its map, and the maps; null is the last one.

        Each distinct text is decoded once. Raises DeliveryError at a text that is no JSON object
        of scalars.
        """
        array = self.text(name)
        key = (self.spelling(name), decoded)
        if key not in self.columns.shared:
            self.columns.shared[key] = _all_decoded(array.dictionary.to_pylist())
        maps, wrong = self.columns.shared[key]
        codes = _codes(array)
        if wrong:
            self._refuse_any(name, codes, wrong, "not a JSON object of scalars")
        return codes, maps

    def derive_map(
        self,
        function: Callable[..., TextMap | None],
        *names: str,
        kind: pa.MapType = TEXT_MAP,
    ) -> pa.MapArray:
        """A map column: `function` of the maps of `names`, once per distinct combination."""
        columns = [self.maps(name) for name in names]
        codes, combinations = paired(columns, self.count)
        return map_array(codes, [function(*maps) for maps in combinations], kind)

    def refused(self, name: str, row: int, what: str, value: str | None) -> DeliveryError:
        """The error for a value of `row` that is `what`."""
        return refusal(self.spot(row), self.spelling(name), what, value)

    def _refuse_any(self, name: str, codes: Codes, wrong: Sequence[int], what: str) -> None:
        """Raise at the first row whose value is one of `wrong`, if there is such a row."""
        rows = np.flatnonzero(np.isin(codes, wrong))
        if len(rows):
            raise self.refused(name, int(rows[0]), what, self.text(name)[int(rows[0])].as_py())

    def _converted(self, name: str, function: Callable[[str], float | None], what: str) -> Numbers:
        key = (self.spelling(name), function)
        if key not in self._read:
            self._read[key] = self._evaluated(name, function, what)
        return self._read[key]

    def _evaluated(self, name: str, function: Callable[[str], float | None], what: str) -> Numbers:
        array = self.text(name)
        key = (self.spelling(name), function)
        if key not in self.columns.shared:
            self.columns.shared[key] = _results(array.dictionary, function)
        results, wrong = self.columns.shared[key]
        codes = _codes(array)
        if wrong:
            self._refuse_any(name, codes, wrong, what)
        return np.asarray(results[codes])


class Columns:
    """Columns in as many pieces as were read; put together when first asked for.

    `shared` holds what was found out of a column's distinct values, for every order of the rows.
    """

    def __init__(self, pieces: dict[str, list[pa.DictionaryArray]]) -> None:
        self.pieces = pieces
        self._by_key = {column_key(name): name for name in pieces}
        self.shared: dict[tuple[str, object], Any] = {}

    @classmethod
    def of(cls, columns: Mapping[str, pa.DictionaryArray]) -> "Columns":
        return cls({name: [array] for name, array in columns.items()})

    @classmethod
    def joined(cls, parts: Sequence["Columns"]) -> "Columns":
        names = parts[0].pieces
        return cls(
            {name: [piece for part in parts for piece in part.pieces[name]] for name in names}
        )

    def name(self, name: str) -> str | None:
        """The column that is meant; two tags may differ in nothing but case."""
        return name if name in self.pieces else self._by_key.get(column_key(name))

    def array(self, name: str) -> pa.DictionaryArray:
        pieces = self.pieces[name]
        if len(pieces) > 1:
            whole = pa.chunked_array(pieces).unify_dictionaries().combine_chunks()
            pieces = self.pieces[name] = [whole]
        return pieces[0]


class _Places:
    """Where the rows of several parts were read."""

    def __init__(self, parts: Sequence[Rows]) -> None:
        self._places = [part.place for part in parts]
        self._ends = np.cumsum([part.count for part in parts])

    def spot(self, row: int) -> Spot:
        part = int(np.searchsorted(self._ends, row, side="right"))
        return self._places[part].spot(row - int(self._ends[part - 1]) if part else row)


def refusal(spot: Spot, column: str, what: str, value: str | None) -> DeliveryError:
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


def constant(value: str | None, count: int) -> pa.DictionaryArray:
    """A text column of one value."""
    values = pa.array([] if value is None else [value], pa.string())
    indices = pa.nulls(count, pa.int32()) if value is None else pa.array(np.zeros(count, np.int32))
    return pa.DictionaryArray.from_arrays(indices, values)


def paired(
    columns: Sequence[tuple[Codes, Sequence[Any]]], count: int
) -> tuple[Codes, list[tuple[Any, ...]]]:
    """Columns of codes and values as one: for each row its combination, and the combinations.

    Every combination that occurs is there; of a single column also values that do not.
    """
    if len(columns) == 1:
        numbers, values = columns[0]
        return numbers, [(value,) for value in values]
    codes = np.zeros(count, np.int64)
    for numbers, values in columns:
        both = pa.array(codes * len(values) + numbers).dictionary_encode()
        codes = both.indices.to_numpy().astype(np.int64)
    first = _first_rows(codes)
    values_at = [[values[number] for number in numbers[first]] for numbers, values in columns]
    return codes, list(zip(*values_at, strict=True)) if columns else [()] * len(first)


def _codes(array: pa.DictionaryArray) -> Codes:
    numbers = pc.fill_null(array.indices, len(array.dictionary)).to_numpy(zero_copy_only=False)
    return np.asarray(numbers.astype(np.int64))


def _first_rows(codes: Codes) -> Codes:
    """The first row of each code; codes count up from 0 in order of appearance."""
    if not len(codes):
        return np.zeros(0, np.int64)
    first = np.empty(int(codes.max()) + 1, np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return first


def _results(
    values: pa.Array, function: Callable[[str], float | None]
) -> tuple[Numbers, list[int]]:
    """`function` of each value, NaN for a missing one and at the end; the numbers of wrong ones."""
    if function in {_number, _number_or_missing} and (plain := _plain_numbers(values)) is not None:
        return np.append(plain, np.nan), []
    results, wrong = np.full(len(values) + 1, np.nan), []
    for number, value in enumerate(values.to_pylist()):
        result = np.nan if value in MISSING else function(value)
        if result is None:
            wrong.append(number)
        else:
            results[number] = result
    return results, wrong


def _all_decoded(texts: Sequence[str]) -> tuple[list[dict[str, str] | None], list[int]]:
    """Each text as a map, None at the end; the numbers of those that are none."""
    maps: list[dict[str, str] | None] = []
    wrong = []
    for number, text in enumerate(texts):
        try:
            maps.append(decoded(text))
        except ValueError:
            maps.append(None)
            wrong.append(number)
    return [*maps, None], wrong


def _plain_numbers(values: pa.Array) -> Numbers | None:
    """All of `values` as numbers, the fast way; None when one of them needs a closer look."""
    try:
        numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    return np.asarray(numbers, np.float64) if np.isfinite(numbers).all() else None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) and "_" not in text else None


def _number_or_missing(text: str) -> float:
    value = _number(text)
    return np.nan if value is None else value


def _milliseconds(text: str) -> float | None:
    """AWS writes `2026-10-01T00:00:00Z`; a blank for the T and any offset are accepted."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return round(moment.timestamp() * 1000)


def _milliseconds_or_missing(text: str) -> float:
    value = _milliseconds(text)
    return np.nan if value is None else value


def _timestamps(milliseconds: Numbers) -> pa.Array:
    missing = np.isnan(milliseconds)
    whole = np.where(missing, 0, milliseconds).astype(np.int64)
    return pa.array(whole, mask=missing).cast(MOMENT)

"""Rows of a delivered file as text, column by column, every column a dictionary.

A bill has a million rows and a few thousand distinct values in most columns. So whatever reads a
value here is evaluated once per distinct value (or distinct combination), not once per row.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cloudspend.convert.maps import TEXT_MAP, TextMap, decoded, map_array
from cloudspend.convert.names import column_key
from cloudspend.errors import DeliveryError

MOMENT = pa.timestamp("ms")

Codes = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# What stands for "no value" where a number or a date is expected.
MISSING = {"", "None"}
SHOWN = 100


@dataclass(frozen=True)
class Place:
    """Where rows came from: the file, and how a row's index becomes a line."""

    file: str
    line_of: Callable[[int], int]


class Rows:
    """Text columns of one block, found by `column_key`; a column that is not there is empty."""

    def __init__(self, columns: Mapping[str, pa.DictionaryArray], count: int, place: Place) -> None:
        self._columns = {column_key(name): array for name, array in columns.items()}
        self._names = {column_key(name): name for name in columns}
        self.count = count
        self._place = place
        # Several rules read the same costs; each is converted once.
        self._read: dict[tuple[str, object], Numbers] = {}

    def has(self, name: str) -> bool:
        return column_key(name) in self._columns

    def text(self, name: str) -> pa.DictionaryArray:
        """The column as it stands; missing values are null."""
        found = self._columns.get(column_key(name))
        return constant(None, self.count) if found is None else found

    def distinct(self, name: str) -> set[str]:
        """The values that occur."""
        return {value for value in pc.unique(self.text(name)).to_pylist() if value is not None}

    def codes(self, name: str) -> tuple[Codes, list[str | None]]:
        """For each row the number of its value, and the values; null is the last one."""
        array = self.text(name)
        values = array.dictionary.to_pylist()
        numbers = pc.fill_null(array.indices, len(values)).to_numpy(zero_copy_only=False)
        return numbers.astype(np.int64), [*values, None]

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
        milliseconds = self._converted(name, _milliseconds, "not a date")
        missing = np.isnan(milliseconds)
        whole = np.where(missing, 0, milliseconds).astype(np.int64)
        return pa.array(whole, mask=missing).cast(MOMENT)

    def decimals(self, name: str) -> pa.Array:
        """The column as exact decimals, missing ones as null. Raises DeliveryError."""
        array = self.text(name)
        values = [None if text in MISSING else text for text in array.dictionary.to_pylist()]
        try:
            exact = pa.array(values, pa.string()).cast(pa.decimal256(76, 38))
        except pa.ArrowInvalid:
            self.numbers(name)
            raise self.refused(name, 0, "outside the range of money", "") from None
        return exact.take(array.indices)

    def maps(self, name: str) -> tuple[Codes, list[dict[str, str] | None]]:
        """A map column: for each row the number of its map, and the maps; null is the last one.

        Each distinct text is decoded once. Raises DeliveryError at a text that is no JSON object
        of scalars.
        """
        codes, texts = self.codes(name)
        maps: list[dict[str, str] | None] = []
        for number, text in enumerate(texts):
            try:
                maps.append(None if text is None else decoded(text))
            except ValueError:
                at = np.flatnonzero(codes == number)
                if len(at):
                    what = "not a JSON object of scalars"
                    raise self.refused(name, int(at[0]), what, text) from None
                maps.append(None)
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
        column = self._names.get(column_key(name), name)
        line = self._place.line_of(row)
        shown = None if value is None else value[:SHOWN]
        return DeliveryError(
            f"{self._place.file}, line {line}, column {column}: {shown!r} is {what}.",
            remedy="Have AWS deliver the report again, or open a case with AWS support.",
            file=self._place.file,
            line=line,
            column=column,
            value=shown,
        )

    def _converted(self, name: str, function: Callable[[str], float | None], what: str) -> Numbers:
        key = (column_key(name), function)
        if key not in self._read:
            self._read[key] = self._evaluated(name, function, what)
        return self._read[key]

    def _evaluated(self, name: str, function: Callable[[str], float | None], what: str) -> Numbers:
        codes, values = self.codes(name)
        if (
            function is _number
            and (plain := _plain_numbers(self.text(name).dictionary)) is not None
        ):
            return np.append(plain, np.nan)[codes]
        converted = np.full(len(values), np.nan)
        for number, value in enumerate(values):
            result = np.nan if value is None or value in MISSING else function(value)
            if result is None:
                at = np.flatnonzero(codes == number)
                if len(at):
                    raise self.refused(name, int(at[0]), what, value)
                continue
            converted[number] = result
        return converted[codes]


def constant(value: str | None, count: int) -> pa.DictionaryArray:
    """A text column of one value."""
    values = pa.array([] if value is None else [value], pa.string())
    indices = pa.nulls(count, pa.int32()) if value is None else pa.array(np.zeros(count, np.int32))
    return pa.DictionaryArray.from_arrays(indices, values)


def text_map(rows: Rows, columns: Iterable[tuple[str, str]]) -> pa.Array:
    """A map column from (key, column) pairs: keys with a value only, null where there is none."""
    present = [(key, name) for key, name in columns if rows.text(name).null_count < rows.count]
    if not present:
        return pa.nulls(rows.count, TEXT_MAP)
    keys = [key for key, _ in present]
    codes, combinations = rows.combined([name for _, name in present])
    maps = [
        {key: value for key, value in zip(keys, values, strict=True) if value is not None} or None
        for values in combinations
    ]
    return map_array(codes, maps)


def paired(
    columns: Sequence[tuple[Codes, Sequence[Any]]], count: int
) -> tuple[Codes, list[tuple[Any, ...]]]:
    """Columns of codes and values as one: for each row its combination, and the combinations."""
    codes = np.zeros(count, np.int64)
    for numbers, values in columns:
        both = pa.array(codes * len(values) + numbers).dictionary_encode()
        codes = both.indices.to_numpy().astype(np.int64)
    first = _first_rows(codes)
    values_at = [[values[numbers[row]] for row in first] for numbers, values in columns]
    return codes, list(zip(*values_at, strict=True)) if columns else [()] * len(first)


def _first_rows(codes: Codes) -> list[int]:
    """The first row of each code; codes count up from 0 in order of appearance."""
    if not len(codes):
        return []
    first = np.empty(int(codes.max()) + 1, np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return [int(row) for row in first]


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
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def by_name(table: pa.Table) -> dict[str, Any]:
    """The columns of a parsed block, each in one piece."""
    return {
        name: pa.concat_arrays(column.chunks) if column.num_chunks > 1 else column.chunk(0)
        for name, column in zip(table.column_names, table.unify_dictionaries().columns, strict=True)
        if column.num_chunks
    }

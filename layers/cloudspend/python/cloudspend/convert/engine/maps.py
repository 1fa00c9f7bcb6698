"""Map columns stored flat from text to Parquet: keys and values as codes, never row by row."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cloudspend.convert.engine.codes import (
    Codes,
    Flags,
    combine_codes,
    reindex,
    take,
    text_of_codes,
    used_mask,
)
from cloudspend.convert.engine.columns import Column
from cloudspend.convert.engine.json_text import decoded

TEXT = pa.dictionary(pa.int32(), pa.string())
# Keys and values repeat, so they are stored and written as dictionaries.
TEXT_MAP = pa.map_(TEXT, TEXT)
NUMBER_MAP = pa.map_(TEXT, pa.float64())

TextMap = Mapping[str, str]

# JSON objects as AWS writes them, with only plain text values or only numbers: their keys and
# values are the parts between quotes.
_TEXT = r'"[^"\\\x00-\x1f]*"'
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
TEXT_ENTRIES = rf"^\{{(?:{_TEXT}: ?{_TEXT}(?:, ?{_TEXT}: ?{_TEXT})*)?\}}$"
NUMBER_ENTRIES = rf"^\{{(?:{_TEXT}: ?{_NUMBER}(?:, ?{_TEXT}: ?{_NUMBER})*)?\}}$"


# Combinations per entry up to which a lookup table detects duplicates.
MARKED = 64


@dataclass(frozen=True)
class Maps:
    """Numbered maps of text.

    The entries of map `n` are those from `starts[n]` to `starts[n + 1]`. `keys` are indices into
    `names`, `values` indices into `texts`. No map has a name twice, and names and texts are
    distinct: Arrow writes a dictionary with duplicates as plain text, which is several times larger
    in Parquet.
    """

    starts: Codes
    keys: Codes
    names: tuple[str, ...]
    values: Codes
    texts: pa.Array

    @classmethod
    def of(cls, maps: Sequence[TextMap]) -> "Maps":
        keys = pa.array(chain.from_iterable(maps), pa.string()).dictionary_encode()
        every = chain.from_iterable(one.values() for one in maps)
        values = pa.array(every, pa.string()).dictionary_encode()
        names = tuple(keys.dictionary.to_pylist())
        starts = _starts(np.fromiter(map(len, maps), np.int64, len(maps)))
        return cls(starts, _numbers(keys), names, _numbers(values), values.dictionary)

    @classmethod
    def of_columns(cls, columns: Mapping[str, pa.Array], count: int) -> "Maps":
        """Create a map for each row of text columns: non-missing values by column name."""
        there = [column.is_valid().to_numpy(zero_copy_only=False) for column in columns.values()]
        of_map, keys = np.nonzero(np.array(there, np.bool_).reshape(len(there), count).T)
        pieces = [column.cast(pa.string()) for column in columns.values()]
        values = pa.concat_arrays([pa.array([], pa.string()), *pieces])
        encoded = values.take(pa.array(keys * count + of_map)).dictionary_encode()
        starts = _starts(np.bincount(of_map, minlength=count))
        return cls(starts, keys, tuple(columns), _numbers(encoded), encoded.dictionary)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Codes:
        """Return the number of entries of each map."""
        return np.diff(self.starts)

    @property
    def of_entries(self) -> Codes:
        """Return the map of each entry."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def dicts(self) -> list[dict[str, str]]:
        """Return the maps as Python dictionaries (slow)."""
        names = np.array(self.names, object)[self.keys]
        entries = list(zip(names, self.texts.take(pa.array(self.values)).to_pylist(), strict=True))
        return [
            dict(entries[start:end])
            for start, end in zip(self.starts[:-1], self.starts[1:], strict=True)
        ]

    def taken(self, numbers: Codes) -> "Maps":
        """Return the maps at these numbers."""
        starts, entries = self._gathered(numbers)
        keys, values = take(self.keys, entries), take(self.values, entries)
        return replace(self, starts=starts, keys=keys, values=values)

    def compact(self) -> "Maps":
        """Return the maps without unused texts."""
        used = used_mask(self.values, len(self.texts))
        texts = self.texts.take(pa.array(np.flatnonzero(used)))
        return replace(self, values=reindex(self.values, used), texts=texts)

    def and_an_empty_one(self) -> "Maps":
        """Return the maps with an empty one at the end."""
        return replace(self, starts=np.append(self.starts, self.starts[-1]))

    def kept(self, entries: Flags) -> "Maps":
        """Return the maps with only these entries."""
        starts = _starts(entries)[self.starts]
        return replace(self, starts=starts, keys=self.keys[entries], values=self.values[entries])

    def without(self, names: Iterable[str]) -> "Maps":
        """Return the maps without the entries of these names."""
        unwanted = set(names)
        wanted = np.array([name not in unwanted for name in self.names], np.bool_)
        if wanted.all():
            return self
        left = self.kept(take(wanted, self.keys))
        numbers = np.cumsum(wanted) - 1
        others = tuple(name for name in self.names if name not in unwanted)
        return replace(left, keys=take(numbers, left.keys), names=others)

    def where(self, condition: Callable[[pa.Array], pa.Array]) -> "Maps":
        """Return the maps with only the entries whose texts satisfy `condition`, without null."""
        holds = condition(self.texts).to_numpy(zero_copy_only=False)
        return self if holds.all() else self.kept(take(holds, self.values))

    def by_name(self) -> "Maps":
        """Return the maps with entries ordered by name."""
        ranks = np.empty(len(self.names), np.int64)
        ranks[np.argsort(np.array(self.names, object))] = np.arange(len(self.names))
        order = np.lexsort([take(ranks, self.keys), self.of_entries])
        return replace(self, keys=take(self.keys, order), values=take(self.values, order))

    def column(self, name: str, codes: Codes) -> Column:
        """Return a text column: the value under `name` in the map of each code; missing if there is
        none.
        """
        found = np.full(len(self), len(self.texts), np.int32)
        if name in self.names:
            entries = np.flatnonzero(self.keys == self.names.index(name))
            found[take(self.of_entries, entries)] = self.values[entries]
        return Column(take(found, codes), self.texts).compact()

    def array(self, codes: Codes, kind: pa.MapType = TEXT_MAP) -> pa.MapArray:
        """Return a map array: the map of each code, null for an empty one.

        Raises ValueError for NUMBER_MAP if a value is not a number.
        """
        starts, entries = self._gathered(codes)
        if starts[-1] > np.iinfo(np.int32).max:
            raise ValueError("the maps have more entries than one array can hold")
        empty = np.append(np.diff(starts) == 0, False)
        keys = text_of_codes(take(self.keys, entries), pa.array(self.names, pa.string()))
        values = text_of_codes(take(self.values, entries), self.texts)
        if kind == NUMBER_MAP:
            values = values.dictionary.cast(pa.float64()).take(values.indices)
        return pa.MapArray.from_arrays(pa.array(starts.astype(np.int32), mask=empty), keys, values)

    def _gathered(self, numbers: Codes) -> tuple[Codes, Codes]:
        """Return the offsets of the maps at these numbers when concatenated, and their entries."""
        first = take(self.starts, numbers)
        lengths = take(self.starts[1:], numbers) - first
        starts = _starts(lengths)
        shift = np.repeat(first - starts[:-1], lengths)
        return starts, shift + np.arange(starts[-1])


# The maps, and for each row the number of its map.
Coded = tuple[Codes, Maps]


def each(function: Callable[..., TextMap], *maps: Maps) -> Maps:
    """Apply `function` to the maps of each number, one by one."""
    return Maps.of([function(*ones) for ones in zip(*(one.dicts() for one in maps), strict=True)])


def joined(first: Maps, second: Maps) -> Maps:
    """Merge the maps of each number; `second` wins for a key in both."""
    if not len(second.keys):
        return first
    if not set(first.names).isdisjoint(second.names):
        return each(lambda one, other: {**one, **other}, first, second)
    places = np.concatenate(
        [
            np.arange(len(first.keys)) + take(second.starts, first.of_entries),
            np.arange(len(second.keys)) + take(first.starts, second.of_entries + 1),
        ]
    )
    # Each position has one entry, so sorting is unnecessary.
    order = np.empty(len(places), np.int64)
    order[places] = np.arange(len(places))
    texts = pa.concat_arrays([first.texts, second.texts]).dictionary_encode()
    values = np.concatenate([first.values, second.values + len(first.texts)])
    return Maps(
        first.starts + second.starts,
        take(np.concatenate([first.keys, second.keys + len(first.names)]), order),
        (*first.names, *second.names),
        take(take(_numbers(texts), values), order),
        texts.dictionary,
    )


def together(found: Sequence[Coded], count: int) -> tuple[Codes, list[Maps]]:
    """Combine several maps per row: the code of each row's combination, and the maps of each
    combination.
    """
    if len(found) == 1:
        codes, maps = found[0]
        return codes, [maps]
    codes, numbers = combine_codes([(own, len(maps)) for own, maps in found], count)
    return codes, [maps.taken(at) for (_, maps), at in zip(found, numbers, strict=True)]


def decoded_maps(texts: pa.Array) -> tuple[Maps, list[int]]:
    """Parse JSON texts as maps; also return the indices of invalid ones. Null has no entries."""
    texts = texts.fill_null("{}")
    for pattern, apart in ((TEXT_ENTRIES, 4), (NUMBER_ENTRIES, 2)):
        if pc.all(pc.match_substring_regex(texts, pattern), min_count=0).as_py():
            found = _between_quotes(texts, apart)
            if not _repeats_a_name(found):
                return found, []
    return _one_by_one(texts.to_pylist())


def _between_quotes(texts: pa.Array, apart: int) -> Maps:
    """Split texts that match one of the patterns at their quotes.

    The parts alternate between punctuation (and numbers) and keys (and values), `apart` parts from
    key to key.
    """
    pieces = pc.split_pattern(texts, '"')
    offsets = pieces.offsets.to_numpy()
    cut = pieces.flatten()
    at = np.arange(len(cut)) - np.repeat(offsets[:-1], np.diff(offsets))
    keys = cut.take(pa.array(np.flatnonzero(at % apart == 1))).dictionary_encode()
    # After a key and the colon follows a text, or the number with the colon before it.
    after = (at % apart == 3) if apart == 4 else (at % apart == 0) & (at > 0)
    values = cut.take(pa.array(np.flatnonzero(after)))
    encoded = (values if apart == 4 else pc.ascii_trim(values, " :,}")).dictionary_encode()
    starts = _starts(np.diff(offsets) // apart)
    names = tuple(keys.dictionary.to_pylist())
    return Maps(starts, _numbers(keys), names, _numbers(encoded), encoded.dictionary)


def _repeats_a_name(maps: Maps) -> bool:
    entries = maps.of_entries * len(maps.names) + maps.keys
    size = len(maps) * len(maps.names)
    if size <= MARKED * len(entries):
        # Marking each name of each map is faster than sorting entries.
        return int(used_mask(entries, size).sum()) < len(entries)
    return len(np.unique(entries)) < len(entries)


def _one_by_one(texts: Sequence[str]) -> tuple[Maps, list[int]]:
    found: list[TextMap] = []
    wrong = []
    for number, text in enumerate(texts):
        try:
            found.append(decoded(text))
        except ValueError:
            found.append({})
            wrong.append(number)
    return Maps.of(found), wrong


def _starts(lengths: Codes | Flags) -> Codes:
    """Return the offsets of consecutive entries, and the end of the last one."""
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts


def _numbers(encoded: pa.DictionaryArray) -> Codes:
    return np.asarray(encoded.indices.to_numpy())

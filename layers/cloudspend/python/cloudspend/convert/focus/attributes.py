"""Attributes that a row can have any number of: tags, cost categories, product attributes,
discounts.

AWS delivers them as separate columns (the legacy report, and exports whose query names the keys),
as one map column (CUR 2.0, FOCUS), or as both.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cloudspend.convert.engine.codes import combine_codes
from cloudspend.convert.engine.columns import Column
from cloudspend.convert.engine.maps import Coded, Maps, each, joined
from cloudspend.convert.engine.rows import Rows

Entries = Mapping[str, str]


@dataclass(frozen=True)
class Attributes:
    """Where a file has attributes of one kind.

    `flat` pairs a key with the file's column for it; `packed` is the map column. For a key in both,
    the separate column wins.
    """

    flat: tuple[tuple[str, str], ...] = ()
    packed: str | None = None

    def columns(self) -> tuple[str, ...]:
        """Return the columns of the file that must be read."""
        return (*(name for _, name in self.flat), *((self.packed,) if self.packed else ()))

    def read(self, rows: Rows) -> Coded:
        """Return the distinct attribute maps, and for each row of a batch the code of its map.

        Raises DeliveryError at a map that cannot be parsed.
        """
        return rows.once(self, lambda: self._read(rows))

    def _read(self, rows: Rows) -> Coded:
        flat = [pair for pair in self.flat if len(rows.coded(pair[1])[1])]
        if self.packed and not flat:
            return rows.maps(self.packed)
        own, named = _named(rows, flat)
        if not self.packed:
            return own, named
        codes, packed = rows.maps(self.packed)
        both, (numbers, others) = combine_codes(
            [(codes, len(packed)), (own, len(named))], rows.count
        )
        return both, joined(packed.taken(numbers), named.taken(others))


def _named(rows: Rows, flat: Sequence[tuple[str, str]]) -> Coded:
    """Return the values of columns by their keys. Several columns can have the same key."""
    columns = [rows.coded(name) for _, name in flat]
    codes, numbers = combine_codes([(own, len(values) + 1) for own, values in columns], rows.count)
    texts = [Column(at, values).text() for at, (_, values) in zip(numbers, columns, strict=True)]
    named = dict(zip((key for key, _ in flat), texts, strict=True))
    if len(named) == len(texts):
        return codes, Maps.of_columns(named, int(codes.max(initial=-1)) + 1)
    keys = [key for key, _ in flat]
    every = zip(*(text.to_pylist() for text in texts), strict=True)
    return codes, Maps.of([_merged_values(keys, values) for values in every])


def _merged_values(keys: Sequence[str], values: Sequence[str | None]) -> dict[str, str]:
    return merged((key, value) for key, value in zip(keys, values, strict=True) if value)


def merged(entries: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Merge entries whose keys can be equal, without losing a value.

    The first entry gets the key. Another entry with a different value gets a numbered key:
    `team#2`.
    """
    found: dict[str, str] = {}
    for key, value in entries:
        free, number = key, 1
        while found.get(free, value) != value:
            number += 1
            free = f"{key}#{number}"
        found[free] = value
    return found


def renamed(entries: Entries, name: Callable[[str], str]) -> dict[str, str]:
    """Rename the keys of entries with `name`; equal new keys are handled as by `merged`.

    The order of equal keys depends on the original keys alone.
    """
    keys = [name(key) for key in entries]
    if len(set(keys)) == len(keys):
        return dict(zip(keys, entries.values(), strict=True))
    return merged((name(key), value) for key, value in sorted(entries.items()))


def all_renamed(maps: Maps, name: Callable[[str], str]) -> Maps:
    """Rename the keys of each map as `renamed` does, in one step where no two keys can become
    equal.
    """
    names = tuple(name(key) for key in maps.names)
    if len(set(names)) == len(names):
        return replace(maps, names=names)
    return each(lambda entries: renamed(entries, name), maps)

"""Attributes that a row may have any of: tags, cost categories, product attributes, discounts.

AWS delivers them as columns of their own (the legacy report, and exports whose query names the
keys), as one map column (CUR 2.0, FOCUS), or as both.
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

    `flat` pairs a key with the file's column of it; `packed` is the map column. A key that stands
    in both keeps what its own column says.
    """

    flat: tuple[tuple[str, str], ...] = ()
    packed: str | None = None

    def columns(self) -> tuple[str, ...]:
        """The file's columns that must be read."""
        return (*(name for _, name in self.flat), *((self.packed,) if self.packed else ()))

    def read(self, rows: Rows) -> Coded:
        """For each row of a whole the number of its attributes, and the distinct attributes.

        Raises DeliveryError at a map that cannot be read.
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
    """The values of columns by their keys, which may coincide."""
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
    """Entries whose keys may coincide, without loss of a value.

    The first one has the key, a further one with another value has it with a number: `team#2`.
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
    """Entries under the keys that `name` gives, those whose keys coincide as `merged` has them.

    Which of those comes first depends on the original keys alone, not on their order.
    """
    keys = [name(key) for key in entries]
    if len(set(keys)) == len(keys):
        return dict(zip(keys, entries.values(), strict=True))
    return merged((name(key), value) for key, value in sorted(entries.items()))


def all_renamed(maps: Maps, name: Callable[[str], str]) -> Maps:
    """Each of the maps as `renamed` has it: at once where no two keys can coincide."""
    names = tuple(name(key) for key in maps.names)
    if len(set(names)) == len(names):
        return replace(maps, names=names)
    return each(lambda entries: renamed(entries, name), maps)

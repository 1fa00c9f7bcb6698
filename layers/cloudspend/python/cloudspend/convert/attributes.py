"""Attributes that a row may have any of: tags, cost categories, product attributes, discounts.

AWS delivers them as columns of their own (the legacy report, and exports whose query names the
keys), as one map column (CUR 2.0, FOCUS), or as both.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cloudspend.convert.rows import Codes, Rows, paired

Entries = Mapping[str, str]
# Many rows have one and the same set of keys; what it is renamed to is found once.
KEY_SETS = 4096


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

    def read(self, rows: Rows) -> tuple[Codes, Sequence[Entries]]:
        """For each row the number of its attributes, and the distinct attributes.

        Raises DeliveryError at a map that cannot be read.
        """
        return rows.once(self, lambda: self._read(rows))

    def _read(self, rows: Rows) -> tuple[Codes, Sequence[Entries]]:
        flat = [pair for pair in self.flat if rows.text(pair[1]).null_count < rows.count]
        if self.packed and not flat:
            codes, maps = rows.maps(self.packed)
            return codes, [one or {} for one in maps]
        keys = [key for key, _ in flat]
        own, combinations = rows.combined([name for _, name in flat])
        found = [
            merged((key, value) for key, value in zip(keys, values, strict=True) if value)
            for values in combinations
        ]
        if not self.packed:
            return own, found
        codes, both = paired([(own, found), rows.maps(self.packed)], rows.count)
        return codes, [{**(packed or {}), **named} for named, packed in both]


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
    keys = _renamed_keys(tuple(entries), name)
    if keys:
        return dict(zip(keys, entries.values(), strict=True))
    return merged((name(key), value) for key, value in sorted(entries.items()))


@lru_cache(KEY_SETS)
def _renamed_keys(keys: tuple[str, ...], name: Callable[[str], str]) -> tuple[str, ...] | None:
    """The new keys in the order of the old ones, None where two coincide."""
    found = tuple(name(key) for key in keys)
    return found if len(set(found)) == len(found) else None

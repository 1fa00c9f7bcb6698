"""Attributes that a row may have any of: tags, cost categories, product attributes, discounts.

AWS delivers them as columns of their own (the legacy report, and exports whose query names the
keys), as one map column (CUR 2.0, FOCUS), or as both.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cloudspend.convert.rows import Codes, Rows, paired


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

    def read(self, rows: Rows) -> tuple[Codes, list[Mapping[str, str]]]:
        """For each row the number of its attributes, and the distinct attributes.

        Raises DeliveryError at a map that cannot be read.
        """
        return rows.once(self, lambda: self._read(rows))

    def _read(self, rows: Rows) -> tuple[Codes, list[Mapping[str, str]]]:
        flat = [pair for pair in self.flat if rows.text(pair[1]).null_count < rows.count]
        keys = [key for key, _ in flat]
        own, combinations = rows.combined([name for _, name in flat])
        found: list[Mapping[str, str]] = [
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

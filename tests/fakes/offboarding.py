"""What the platform holds of accounts, in memory."""

from collections.abc import Iterator, Mapping
from itertools import islice


class FakeHolding:
    """`Holding` of named things; a removal takes up to `page` of them."""

    def __init__(self, kind: str, things: Mapping[str, list[str]], page: int = 2) -> None:
        self.kind = kind
        self._things = {account_id: list(names) for account_id, names in things.items()}
        self._page = page

    def of(self, account_id: str) -> Iterator[str]:
        return iter(list(self._things.get(account_id, ())))

    def remove(self, account_id: str) -> int:
        gone = list(islice(self.of(account_id), self._page))
        for name in gone:
            self._things[account_id].remove(name)
        return len(gone)

    def put(self, account_id: str, name: str) -> None:
        """Something comes once more."""
        self._things.setdefault(account_id, []).append(name)

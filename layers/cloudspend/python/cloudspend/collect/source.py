"""What a source is: a description over the one runner (`cloudspend.collect.runner`).

A module of `cloudspend.collect.sources` holds one source each. Its `read` asks AWS and yields what
it says, row by row with the day that a row is of; everything else is the runner's.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from cloudspend.accounts.model import Account, AccountType
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.alerts.event import Bus
from cloudspend.collect.calls import Call
from cloudspend.collect.model import Days, Granularity
from cloudspend.errors import Defect
from cloudspend.lake.tables import ACCOUNT_KEY, Column, Table

Row = Mapping[str, Any]
Found = tuple[date, Row]
Page = Mapping[str, Any]

EVERY_TYPE = frozenset(AccountType)
ORGANIZATION = frozenset({AccountType.ORGANIZATION})
# Months of history that Cost Explorer has for every account, the current one not counted (AWS Cost
# Management user guide, "Exploring your data using Cost Explorer").
HISTORY = 13

COLLECTED_AT = Column("collected_at", "timestamp", "When AWS was asked, in UTC")
CURRENCY = Column("currency", "string", "ISO 4217 currency of all costs")
MONTH_KEY = Column("billing_period", "string", "The calendar month in UTC, as yyyy-mm")
SNAPSHOT_KEY = Column(
    "billing_period", "string", "The month in which AWS was last asked, as yyyy-mm"
)


class Ask(Protocol):
    """Asks one question with all its pages. Raises what `ports.Services` raises, and CapReached."""

    def __call__(self, call: Call, request: Mapping[str, Any]) -> Sequence[Page]: ...


Read = Callable[[Ask, Account, Days], Iterable[Found]]
Learn = Callable[[Account, Sequence[Row], AccountRegistry, Bus, datetime], object]


@dataclass(frozen=True)
class Source:
    """One thing that AWS tells of an account.

    `key` are the columns by which AWS tells a row of a piece from another: the same twice is
    refused. `overlap`: for a grain of days or months, how many of them are asked for again; for a
    snapshot, after how many days. `histories` are how many months back AWS may answer, most first;
    `at_once` is how many months one question asks for. `learn` is what else is made of the rows
    once they are stored.
    """

    name: str
    table: Table
    grain: Granularity
    key: tuple[str, ...]
    overlap: int
    calls: tuple[Call, ...]
    read: Read
    histories: tuple[int, ...] = (HISTORY,)
    at_once: int = 1
    types: frozenset[AccountType] = EVERY_TYPE
    learn: Learn | None = None

    def is_for(self, account: Account) -> bool:
        """Whether the account can have it."""
        return account.type in self.types


def table(name: str, comment: str, grain: Granularity, *columns: Column) -> Table:
    """A table of collected rows: by account and month, with the time of collection in each row."""
    month = SNAPSHOT_KEY if grain is Granularity.SNAPSHOT else MONTH_KEY
    return Table(
        name=name,
        comment=comment,
        partition_keys=(ACCOUNT_KEY, month),
        columns=(*columns, COLLECTED_AT),
    )


def number(text: str | None, what: str) -> float | None:
    """A figure as AWS writes it; None where it writes none. Raises Defect that names it."""
    if text is None or text == "":
        return None
    try:
        figure = Decimal(text)
    except InvalidOperation:
        figure = Decimal("NaN")
    if not figure.is_finite():
        raise Defect(
            f"AWS's {what} is no number: {text!r}.",
            remedy="Look at the answer of AWS: its format must have changed.",
        )
    return float(figure)


def day_of(result: Page) -> date:
    """The first day that a result with a TimePeriod is of."""
    return date.fromisoformat(result["TimePeriod"]["Start"][:10])

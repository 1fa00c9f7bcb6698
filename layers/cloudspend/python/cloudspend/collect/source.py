"""Definition of a source, which `cloudspend.collect.runner` collects.

A module of `cloudspend.collect.sources` defines one source. Its `read` asks AWS and yields rows,
each with its day. The runner does everything else.
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
# Months of history that Cost Explorer has for every account, without the current one (AWS Cost
# Management user guide, "Exploring your data using Cost Explorer").
HISTORY = 13

COLLECTED_AT = Column("collected_at", "timestamp", "When AWS was asked, in UTC")
CURRENCY = Column("currency", "string", "ISO 4217 currency of all costs")
MONTH_KEY = Column("billing_period", "string", "The calendar month in UTC, as yyyy-mm")
SNAPSHOT_KEY = Column(
    "billing_period", "string", "The month in which AWS was last asked, as yyyy-mm"
)


class Ask(Protocol):
    """Asks one question with all its pages. Raises the errors of `ports.Services`, and
    CapReached.
    """

    def __call__(self, call: Call, request: Mapping[str, Any]) -> Sequence[Page]: ...


Read = Callable[[Ask, Account, Days], Iterable[Found]]
Learn = Callable[[Account, Sequence[Row], AccountRegistry, Bus, datetime], object]


@dataclass(frozen=True)
class Source:
    """A kind of data that AWS has about an account.

    `key` are the columns that identify a row of a slice; a duplicate is refused. `overlap`: for
    days or months, how many are requested again; for a snapshot, its interval in days. `histories`
    are the months back that AWS may answer, most first. `at_once` are the months of one question.
    `learn` is called with the rows after they are stored.
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
        """Return whether the account can have the data."""
        return account.type in self.types


def table(name: str, comment: str, grain: Granularity, *columns: Column) -> Table:
    """Return a table of collected rows, by account and month, with the time of collection in each
    row.
    """
    month = SNAPSHOT_KEY if grain is Granularity.SNAPSHOT else MONTH_KEY
    return Table(
        name=name,
        comment=comment,
        partition_keys=(ACCOUNT_KEY, month),
        columns=(*columns, COLLECTED_AT),
    )


def number(text: str | None, what: str) -> float | None:
    """Parse a figure of AWS; None where there is none. Raises Defect that names it."""
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
    """Return the first day of a result with a TimePeriod."""
    return date.fromisoformat(result["TimePeriod"]["Start"][:10])

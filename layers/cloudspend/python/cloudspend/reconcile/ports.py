"""Ports of reconciliation, in addition to those of other rooms."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from cloudspend.accounts.model import Member
from cloudspend.alerts.event import Bus
from cloudspend.lake.ports import Catalog, PeriodRegistry, Queries
from cloudspend.lake.tables import Table


class TableWriter(Protocol):
    """Writes rows as Parquet into the lake bucket."""

    @property
    def bucket(self) -> str:
        """Return the bucket's name."""

    def write(self, table: Table, prefix: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write `rows` as the only file under `prefix`, which ends with a slash, replacing an
        earlier one.

        A row has a value or None for each column of `table`. Raises TransientError.
        """


# Returns the present and former members of an organization; empty for other accounts.
MembersOf = Callable[[str], Iterable[Member]]


def no_members(_: str) -> Iterable[Member]:
    """Return no members, for an account that is not an organization."""
    return ()


@dataclass(frozen=True)
class ReconcilePorts:
    """Ports of a reconciliation, the age up to which a period's newest charge is fresh, and the
    members of an organization.
    """

    queries: Queries
    registry: PeriodRegistry
    catalog: Catalog
    tables: TableWriter
    bus: Bus
    fresh_for: timedelta = timedelta(hours=36)
    members: MembersOf = no_members

"""Completeness and freshness: what only one side has, and the age of a period's newest data."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from cloudspend.reconcile.cells import Cell, Side
from cloudspend.reconcile.compare import Comparison


@dataclass(frozen=True)
class Coverage:
    """Services and linked accounts that only one side has, in order."""

    services_missing: tuple[str, ...]
    services_extra: tuple[str, ...]
    accounts_missing: tuple[str, ...]
    accounts_extra: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Return whether both sides have the same services and accounts."""
        return self == Coverage((), (), (), ())


def coverage(comparison: Comparison) -> Coverage:
    """Return the coverage: `missing` is only in Cost Explorer, `extra` only in the export."""
    lake, cost_explorer = comparison.lake, comparison.cost_explorer
    services = _only(cost_explorer, lake, _service), _only(lake, cost_explorer, _service)
    accounts = _only(cost_explorer, lake, _account), _only(lake, cost_explorer, _account)
    return Coverage(*services, *accounts)


@dataclass(frozen=True)
class Membership:
    """The organization's members of the period, compared with the accounts that have charges.

    `absent` members have no charges, as an empty account; `unexpected` accounts have charges
    without having been a member, for example a refund after leaving.
    """

    absent: tuple[str, ...]
    unexpected: tuple[str, ...]


def membership(comparison: Comparison, expected: frozenset[str]) -> Membership:
    """Compare the `expected` members of the period with the lake's accounts."""
    charged = {cell.account_id for cell in comparison.lake.cells}
    return Membership(tuple(sorted(expected - charged)), tuple(sorted(charged - expected)))


@dataclass(frozen=True)
class Freshness:
    """Age of a period's delivery and of its newest charge at `now`, and the account's target.

    A month that is over does not age: its newest charge counts up to its end.
    """

    delivered_at: datetime
    newest_charge: date | None
    end: datetime
    now: datetime
    target: timedelta

    @property
    def delivery_age(self) -> timedelta:
        return self.now - self.delivered_at

    @property
    def charge_age(self) -> timedelta | None:
        """Return the time since the day of the newest charge ended; None for a bill without
        charges.
        """
        if self.newest_charge is None:
            return None
        over = datetime.combine(self.newest_charge, datetime.min.time(), UTC) + timedelta(days=1)
        return max(min(self.now, self.end) - over, timedelta(0))

    @property
    def is_within_target(self) -> bool:
        """Return whether the newest charge is within the account's target."""
        return self.charge_age is not None and self.charge_age <= self.target


def _only(one: Side, other: Side, of: Callable[[Cell], str]) -> tuple[str, ...]:
    return tuple(sorted({of(cell) for cell in one.cells} - {of(cell) for cell in other.cells}))


def _service(cell: Cell) -> str:
    return cell.service


def _account(cell: Cell) -> str:
    return cell.account_id

"""Differences between two generations of a billing period."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.ports import Queries
from cloudspend.lake.statements import statement

ZERO = Decimal(0)


@dataclass(frozen=True)
class Change:
    """The cost of an account, service and charge type in two generations.

    Exact, in the bill's currency; `charge_type` is AWS's line item type. A missing cost is 0.
    """

    account: str
    service: str
    charge_type: str
    billed_before: Decimal
    billed_after: Decimal
    effective_before: Decimal
    effective_after: Decimal

    @property
    def billed(self) -> Decimal:
        """Return the difference of the billed cost."""
        return self.billed_after - self.billed_before

    @property
    def effective(self) -> Decimal:
        """Return the difference of the amortized cost."""
        return self.effective_after - self.effective_before


def changes_between(
    account_id: str, period: BillingPeriod, before: str, after: str, queries: Queries
) -> list[Change]:
    """Return every account, service and charge type whose billed or effective cost differs.

    Largest difference of the billed cost first. Raises as `Queries.run` does.
    """
    compared = _compared(account_id, period, before, after, queries)
    return [change for change in compared if change.billed or change.effective]


def services_between(
    account_id: str, period: BillingPeriod, before: str, after: str, queries: Queries
) -> list[tuple[str, str, Decimal, Decimal]]:
    """Return account, service, and its different billed costs before and after.

    Largest difference first. Raises as `Queries.run` does.
    """
    sums: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    for change in _compared(account_id, period, before, after, queries):
        key = change.account, change.service
        was, now = sums.get(key, (ZERO, ZERO))
        sums[key] = was + change.billed_before, now + change.billed_after
    found = [(*key, *costs) for key, costs in sums.items() if costs[0] != costs[1]]
    return sorted(found, key=lambda each: (-abs(each[3] - each[2]), each[:2]))


def _compared(
    account_id: str, period: BillingPeriod, before: str, after: str, queries: Queries
) -> list[Change]:
    """Return all rows of each account and service with a difference, including unchanged ones."""
    sql = statement(
        "generation_changes",
        account_id=account_id,
        period=str(period),
        generation=after,
        previous_generation=before,
    )
    return [_change(row) for row in queries.run(sql)]


def _change(row: Mapping[str, str | None]) -> Change:
    return Change(
        row["account"] or "",
        row["service"] or "",
        row["charge_type"] or "",
        *(
            Decimal(row[name] or 0)
            for name in ("billed_before", "billed_after", "effective_before", "effective_after")
        ),
    )

"""What one generation of a billing period changed against another."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.ports import Queries
from cloudspend.lake.statements import statement

ZERO = Decimal(0)


@dataclass(frozen=True)
class Change:
    """What an account, service and charge type costs in two generations.

    Exact, in the bill's currency; `charge_type` is AWS's line item type. What one of the two lacks
    costs 0 there.
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
        """How much more is billed."""
        return self.billed_after - self.billed_before

    @property
    def effective(self) -> Decimal:
        """How much more the amortized cost is."""
        return self.effective_after - self.effective_before


def changes_between(
    account_id: str, period: BillingPeriod, before: str, after: str, queries: Queries
) -> list[Change]:
    """Every account, service and charge type whose billed or effective cost differs, the largest
    difference of the billed cost first. Raises what `Queries.run` raises."""
    compared = _compared(account_id, period, before, after, queries)
    return [change for change in compared if change.billed or change.effective]


def services_between(
    account_id: str, period: BillingPeriod, before: str, after: str, queries: Queries
) -> list[tuple[str, str, Decimal, Decimal]]:
    """Account, service, its billed cost before and after, where they differ, the largest
    difference first. Raises what `Queries.run` raises."""
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
    """Also what did not change, beside something of the same account and service that did."""
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

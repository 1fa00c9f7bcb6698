"""Control totals: the exact sums that the written rows must have, computed from the source text.

This is a second path through the same bill. It shares no code with the mapping on purpose: it
states the rules of each export kind again, as sums over whole classes of rows, in exact decimals.
An error in either path becomes a difference, and the generation is not published.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Context, Decimal

import numpy as np

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.engine.codes import Flags
from cloudspend.convert.engine.rows import Rows

EXACT = Context(prec=100)
Sum = Callable[[Rows, Flags], Decimal]

TYPE = "lineItem/LineItemType"
COST = "lineItem/UnblendedCost"
PUBLIC = "pricing/publicOnDemandCost"
PRICED = {
    "Usage",
    "DiscountedUsage",
    "SavingsPlanCoveredUsage",
    "Fee",
    "RIFee",
    "SavingsPlanRecurringFee",
    "SavingsPlanUpfrontFee",
    "FlatRateSubscription",
}


@dataclass(frozen=True)
class ControlRules:
    """The sums of one export kind. Every sum raises DeliveryError at a value that is not a number.

    `kept` selects the rows that `cost_and_usage` must contain; `billed`, `effective` and `listed`
    are sums over those rows. `charge_type` and `unblended` name the columns with AWS's line item
    type and with the cost that all rows of `billing_detail` add up to; None where a kind has no
    line items.
    """

    kept: Callable[[Rows], Flags]
    billed: Sum
    effective: Sum
    listed: Sum
    charge_type: str | None = None
    unblended: str | None = None


class ControlTotals:
    """Control totals that accumulate one batch after another."""

    def __init__(self, rules: ControlRules) -> None:
        self._rules = rules
        self.rows_read = 0
        self.rows_expected = 0
        self.billed_cost = Decimal(0)
        self.effective_cost = Decimal(0)
        self.list_cost = Decimal(0)
        self.unblended_cost = Decimal(0)
        self.charge_types: set[str] = set()

    def add(self, rows: Rows) -> None:
        """Add a batch of rows. Raises DeliveryError at a cost that is not a number."""
        rules = self._rules
        kept = rules.kept(rows)
        self.rows_read += rows.count
        self.rows_expected += int(kept.sum())
        self.billed_cost = EXACT.add(self.billed_cost, rules.billed(rows, kept))
        self.effective_cost = EXACT.add(self.effective_cost, rules.effective(rows, kept))
        self.list_cost = EXACT.add(self.list_cost, rules.listed(rows, kept))
        if rules.charge_type:
            self.charge_types |= rows.distinct(rules.charge_type)
        if rules.unblended:
            unblended = _sum(rows, rules.unblended, _all(rows))
            self.unblended_cost = EXACT.add(self.unblended_cost, unblended)


def control_totals(kind: ExportKind) -> ControlTotals:
    """Return empty control totals for a bill of `kind`."""
    return ControlTotals(RULES[kind])


def _kept(rows: Rows) -> Flags:
    return ~(_of(rows, "SavingsPlanNegation") | _split_cost(rows))


def _billed(rows: Rows, kept: Flags) -> Decimal:
    return _sum(rows, COST, kept & ~_of(rows, "SavingsPlanCoveredUsage"))


def _list(rows: Rows, kept: Flags) -> Decimal:
    """Return the sum of public prices, with the billed cost for rows that have no public price."""
    priced = kept & rows.where(lambda kind: kind in PRICED, TYPE)
    public = priced & ~np.isnan(rows.numbers(PUBLIC))
    return EXACT.add(_sum(rows, PUBLIC, public), _sum(rows, COST, kept & ~public))


def _effective(rows: Rows, kept: Flags) -> Decimal:
    plan_used = kept & _of(rows, "SavingsPlanCoveredUsage")
    plan_fee = kept & _of(rows, "SavingsPlanRecurringFee")
    reserved = kept & _of(rows, "DiscountedUsage")
    reservation_fee = kept & _of(rows, "RIFee")
    prepaid = kept & (
        _of(rows, "SavingsPlanUpfrontFee")
        | rows.where(
            lambda kind, arn: kind == "Fee" and bool(arn), TYPE, "reservation/ReservationARN"
        )
        | _upfront_fee_refunded(rows)
    )
    amortized = plan_used | plan_fee | reserved | reservation_fee | prepaid
    terms = (
        _sum(rows, COST, kept & ~amortized),
        _sum(rows, "savingsPlan/SavingsPlanEffectiveCost", plan_used),
        _sum(rows, "savingsPlan/TotalCommitmentToDate", plan_fee),
        EXACT.minus(_sum(rows, "savingsPlan/UsedCommitment", plan_fee)),
        _sum(rows, "reservation/EffectiveCost", reserved),
        _sum(rows, "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod", reservation_fee),
        _sum(rows, "reservation/UnusedRecurringFee", reservation_fee),
    )
    total = Decimal(0)
    for term in terms:
        total = EXACT.add(total, term)
    return total


def _upfront_fee_refunded(rows: Rows) -> Flags:
    refunded = rows.where(
        lambda kind, product: kind == "Refund" and product == "ComputeSavingsPlans",
        TYPE,
        "lineItem/ProductCode",
    )
    if not refunded.any():
        return refunded
    return refunded & rows.where(
        lambda text: bool(text) and text.startswith("Refund for one-time fee for Savings Plan ID"),
        "lineItem/LineItemDescription",
    )


def _of(rows: Rows, charge_type: str) -> Flags:
    return rows.where(lambda kind: kind == charge_type, TYPE)


def _split_cost(rows: Rows) -> Flags:
    operations: AbstractSet[str | None] = {"EKSPod-EC2", "ECSTask-EC2"}
    return rows.where(lambda operation: operation in operations, "lineItem/Operation")


def _sum(rows: Rows, column: str, of: Flags) -> Decimal:
    if not np.any(of):
        return Decimal(0)
    return rows.exact_sum(column, of)


def _all(rows: Rows) -> Flags:
    return np.ones(rows.count, np.bool_)


def _straight(column: str) -> Sum:
    """Return the sum of a column that AWS already delivers in FOCUS's terms."""
    return lambda rows, kept: _sum(rows, column, kept)


LINE_ITEMS = ControlRules(
    kept=_kept,
    billed=_billed,
    effective=_effective,
    listed=_list,
    charge_type=TYPE,
    unblended=COST,
)
FOCUS = ControlRules(
    kept=_all,
    billed=_straight("BilledCost"),
    effective=_straight("EffectiveCost"),
    listed=_straight("ListCost"),
)
RULES: Mapping[ExportKind, ControlRules] = {
    ExportKind.CUR_LEGACY: LINE_ITEMS,
    ExportKind.CUR_2_0: LINE_ITEMS,
    ExportKind.FOCUS_1_0: FOCUS,
    ExportKind.FOCUS_1_2: FOCUS,
}

"""Billed and effective (amortized) cost of a line item.

Source of the table: AWS Cloud Intelligence Dashboards, `summary_view.sql`, and the AWS CUR user
guide on reservation and savings plan line items. A net figure is used where AWS delivers one
(accounts with private discounts), otherwise the gross one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cloudspend.convert.engine.codes import Codes, Flags, Numbers, take
from cloudspend.convert.engine.rows import Rows

CHARGE_TYPE = "lineItem/LineItemType"
COST = "lineItem/UnblendedCost"
OPERATION = "lineItem/Operation"
PRODUCT = "lineItem/ProductCode"
RESERVATION = "reservation/ReservationARN"

DESCRIPTION = "lineItem/LineItemDescription"

# The upfront fee of a savings plan is spread over its term and never part of an effective cost, and
# neither is its refund. A refund of a recurring fee is.
UPFRONT_REFUND = "Refund for one-time fee for Savings Plan ID"

# Split cost allocation data repeats the cost of an instance that another row contains. Tasks and
# pods on Fargate (FargateTask, FargatePod) are billed themselves, so their rows have a cost of
# their own. Source: the same views, and "SCAD Containers Cost Allocation" of the same dashboards.
SPLIT_COST_OPERATIONS = {"EKSPod-EC2", "ECSTask-EC2"}


class Treatment(StrEnum):
    """How to compute a row's amortized cost."""

    AS_BILLED = "as billed"
    NOTHING = "nothing"
    SAVINGS_PLAN_USED = "savings plan used"
    SAVINGS_PLAN_UNUSED = "savings plan unused"
    RESERVATION_USED = "reservation used"
    RESERVATION_UNUSED = "reservation unused"
    PLAN_REFUNDED = "savings plan refunded"


@dataclass(frozen=True)
class Part:
    """A column to add (or, with sign -1, to subtract), with its net form."""

    gross: str
    net: str
    sign: int = 1


BY_CHARGE_TYPE: Mapping[str, Treatment] = {
    "SavingsPlanCoveredUsage": Treatment.SAVINGS_PLAN_USED,
    "SavingsPlanRecurringFee": Treatment.SAVINGS_PLAN_UNUSED,
    "SavingsPlanNegation": Treatment.NOTHING,
    "SavingsPlanUpfrontFee": Treatment.NOTHING,
    "DiscountedUsage": Treatment.RESERVATION_USED,
    "RIFee": Treatment.RESERVATION_UNUSED,
}

PARTS: Mapping[Treatment, tuple[Part, ...]] = {
    Treatment.AS_BILLED: (Part(COST, "lineItem/NetUnblendedCost"),),
    Treatment.NOTHING: (),
    Treatment.PLAN_REFUNDED: (Part(COST, "lineItem/NetUnblendedCost"),),
    Treatment.SAVINGS_PLAN_USED: (
        Part("savingsPlan/SavingsPlanEffectiveCost", "savingsPlan/NetSavingsPlanEffectiveCost"),
    ),
    Treatment.SAVINGS_PLAN_UNUSED: (
        Part("savingsPlan/TotalCommitmentToDate", "savingsPlan/TotalCommitmentToDate"),
        Part("savingsPlan/UsedCommitment", "savingsPlan/UsedCommitment", sign=-1),
    ),
    Treatment.RESERVATION_USED: (
        Part("reservation/EffectiveCost", "reservation/NetEffectiveCost"),
    ),
    Treatment.RESERVATION_UNUSED: (
        Part(
            "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod",
            "reservation/NetUnusedAmortizedUpfrontFeeForBillingPeriod",
        ),
        Part("reservation/UnusedRecurringFee", "reservation/NetUnusedRecurringFee"),
    ),
}

READS = (
    CHARGE_TYPE,
    OPERATION,
    PRODUCT,
    RESERVATION,
    DESCRIPTION,
    *(name for parts in PARTS.values() for part in parts for name in (part.gross, part.net)),
)


def treatment(
    charge_type: str | None, reservation: str | None = None, product: str | None = None
) -> Treatment:
    """Return the treatment of a line item: its row in the table."""
    if charge_type == "Fee" and reservation:
        return Treatment.NOTHING
    if charge_type == "Refund" and product == "ComputeSavingsPlans":
        return Treatment.PLAN_REFUNDED
    return BY_CHARGE_TYPE.get(charge_type or "", Treatment.AS_BILLED)


def repeats_other_rows(charge_type: str | None, operation: str | None) -> bool:
    """Return whether other rows already contain this row's cost, in which case the row is excluded.

    A negation takes back the on-demand cost of covered usage. Covered usage bills nothing here, so
    both rows are excluded.
    """
    return charge_type == "SavingsPlanNegation" or operation in SPLIT_COST_OPERATIONS


def refunds_upfront_fee(description: str | None) -> bool:
    return (description or "").startswith(UPFRONT_REFUND)


def billed(rows: Rows) -> Numbers:
    """Return BilledCost: unblended cost, except that a plan's fee pays for usage under a savings
    plan.
    """
    return _billed(rows, rows.numbers(COST))


def net_billed(rows: Rows) -> Numbers:
    """Return BilledCost after discounts."""
    return _billed(rows, _figures(rows, PARTS[Treatment.AS_BILLED][0], net=True))


def effective(rows: Rows) -> Numbers:
    """Return EffectiveCost by the table."""
    return rows.once("effective", lambda: _amortized(rows, net=False))


def net_effective(rows: Rows) -> Numbers:
    """Return EffectiveCost by the table, after discounts."""
    return _amortized(rows, net=True)


def excluded(rows: Rows) -> Flags:
    """Return a mask of the rows that repeat the cost of other rows."""
    return rows.where(repeats_other_rows, CHARGE_TYPE, OPERATION)


def _billed(rows: Rows, cost: Numbers) -> Numbers:
    covered = rows.where(lambda kind: kind == "SavingsPlanCoveredUsage", CHARGE_TYPE)
    return np.where(covered, 0.0, cost)


def _amortized(rows: Rows, *, net: bool) -> Numbers:
    total = np.zeros(rows.count)
    whole = rows.batch
    treatments = rows.of_whole(whole.once("treatments", lambda: _treatments(whole)))
    for number, (kind, parts) in enumerate(PARTS.items()):
        under = treatments == number
        if kind is Treatment.PLAN_REFUNDED and under.any():
            under &= ~rows.where(refunds_upfront_fee, DESCRIPTION)
        if under.any():
            for part in parts:
                total[under] += part.sign * np.nan_to_num(_figures(rows, part, net=net)[under])
    return total


def _treatments(rows: Rows) -> Codes:
    """Return for each row of a batch the number of its treatment in PARTS."""
    numbers = {kind: number for number, kind in enumerate(PARTS)}
    codes, combinations = rows.combined((CHARGE_TYPE, RESERVATION, PRODUCT))
    found = np.array([numbers[treatment(*values)] for values in combinations], np.int8)
    return take(found, codes)


def _figures(rows: Rows, part: Part, *, net: bool) -> Numbers:
    gross = rows.numbers(part.gross)
    if not net or not rows.has(part.net):
        return gross
    figures = rows.numbers(part.net)
    return np.where(np.isnan(figures), gross, figures)

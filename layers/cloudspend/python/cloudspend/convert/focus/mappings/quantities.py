"""Quantities, prices and costs of a line item, as FOCUS 1.2 asks for them (column library).

All are arrays of one number a row, NaN where FOCUS wants none. Raises DeliveryError at a value that
is no number; unit prices are text in AWS's own manifests, so that one in words counts as none.
"""

import numpy as np

from cloudspend.convert.engine.codes import Numbers
from cloudspend.convert.engine.rows import Rows
from cloudspend.convert.focus import rules
from cloudspend.convert.focus.amortization import CHARGE_TYPE, COST

AMOUNT = "lineItem/UsageAmount"
CURRENCY = "lineItem/CurrencyCode"
PLAN_TOTAL = "savingsPlan/TotalCommitmentToDate"
PLAN_USED = "savingsPlan/SavingsPlanEffectiveCost"
PLAN_USED_COMMITMENT = "savingsPlan/UsedCommitment"
PRICE_CURRENCY = "pricing/currency"
PUBLIC_COST = "pricing/publicOnDemandCost"
PUBLIC_RATE = "pricing/publicOnDemandRate"
RATE = "lineItem/UnblendedRate"
# Which column holds the part of an upfront payment that a row stands for.
UPFRONT = {
    "DiscountedUsage": "reservation/AmortizedUpfrontCostForUsage",
    "RIFee": "reservation/AmortizedUpfrontFeeForBillingPeriod",
    "SavingsPlanRecurringFee": "savingsPlan/AmortizedUpfrontCommitmentForBillingPeriod",
}


def _only(rows: Rows, figures: Numbers, *charge_types: str) -> Numbers:
    chosen = rows.where(lambda kind: kind in charge_types, CHARGE_TYPE)
    return np.where(chosen, figures, np.nan)


def _priced(rows: Rows, figures: Numbers) -> Numbers:
    return np.where(rows.where(rules.is_priced, CHARGE_TYPE), figures, np.nan)


def commitment_quantity(rows: Rows) -> Numbers:
    quantity = _only(rows, rows.numbers(AMOUNT), "DiscountedUsage", "RIFee")
    used = _only(rows, rows.numbers(PLAN_USED), "SavingsPlanCoveredUsage")
    paid = _only(rows, rows.numbers(PLAN_TOTAL), "SavingsPlanRecurringFee")
    upfront = _only(rows, rows.numbers(COST), "SavingsPlanUpfrontFee")
    return _first(quantity, used, paid, upfront)


def consumed(rows: Rows) -> Numbers:
    return _only(rows, rows.numbers(AMOUNT), *rules.USAGE)


def contracted_cost(rows: Rows) -> Numbers:
    """Reserved usage is billed nothing: without the reservation it would cost the public price."""
    public = _only(rows, rows.numbers(PUBLIC_COST), "DiscountedUsage")
    return np.where(np.isnan(public), rows.numbers(COST), public)


def contracted_price(rows: Rows) -> Numbers:
    public = _only(rows, rows.numbers_where_possible(PUBLIC_RATE), "DiscountedUsage")
    agreed = rows.numbers_where_possible(RATE)
    return _priced(rows, _first(public, agreed, _per_unit(rows, contracted_cost(rows))))


def list_cost(rows: Rows) -> Numbers:
    """FOCUS: where there is no list price, the list cost is what is billed."""
    public = _priced(rows, rows.numbers(PUBLIC_COST))
    return np.where(np.isnan(public), rows.numbers(COST), public)


def list_price(rows: Rows) -> Numbers:
    public = rows.numbers_where_possible(PUBLIC_RATE)
    return _priced(rows, _first(public, _per_unit(rows, list_cost(rows))))


def pricing_currency_list_price(rows: Rows) -> Numbers:
    """AWS's public rate is in the currency of its price list, a cost in that of the bill."""
    public = rows.numbers_where_possible(PUBLIC_RATE)
    return _priced(rows, _first(public, if_same_currency(rows, list_price(rows))))


def _per_unit(rows: Rows, costs: Numbers) -> Numbers:
    """The price that makes up the cost, for a line item that bears no rate: a fee, a subscription.

    FOCUS: a unit price times the quantity is the cost.
    """
    quantity = rows.numbers(AMOUNT)
    with np.errstate(over="ignore"):
        price = np.divide(costs, quantity, out=np.full(rows.count, np.nan), where=quantity != 0)
    return np.where(np.isfinite(price), price, np.nan)


def _first(*choices: Numbers) -> Numbers:
    """In each row the first figure that is known."""
    chosen = choices[0]
    for other in choices[1:]:
        chosen = np.where(np.isnan(chosen), other, chosen)
    return chosen


def quantity(rows: Rows) -> Numbers:
    return _priced(rows, rows.numbers(AMOUNT))


def amortized_upfront(rows: Rows) -> Numbers:
    """The part of an upfront payment that falls on the row."""
    found = np.full(rows.count, np.nan)
    for charge_type, name in UPFRONT.items():
        part = rows.numbers_where_possible(name)
        found = np.where(np.isnan(found), _only(rows, part, charge_type), found)
    return found


def public_cost(rows: Rows) -> Numbers:
    """The public on-demand cost as AWS gives it."""
    return rows.numbers(PUBLIC_COST)


def plan_commitment(rows: Rows) -> Numbers:
    """What a savings plan's fee has committed to spend so far."""
    return _only(rows, rows.numbers(PLAN_TOTAL), "SavingsPlanRecurringFee")


def plan_used(rows: Rows) -> Numbers:
    """How much of that was used."""
    return _only(rows, rows.numbers(PLAN_USED_COMMITMENT), "SavingsPlanRecurringFee")


def if_same_currency(rows: Rows, figures: Numbers) -> Numbers:
    """CUR gives no exchange rate: in another currency than the bill's a figure is not known."""
    same = rows.where(lambda price, bill: price in {None, bill}, PRICE_CURRENCY, CURRENCY)
    return np.where(same, figures, np.nan)

"""Quantities, prices and costs of a line item as FOCUS 1.2 defines them (column library).

Every function returns an array with one number per row, NaN where FOCUS requires null, and raises
DeliveryError at a value that is not a number. Unit prices are text in AWS's own manifests, so a
price in words counts as missing.
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
# The column with the amortized part of an upfront payment, by charge type.
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
    """Return ContractedCost. Reserved usage bills nothing: without the reservation it costs the
    public price.
    """
    public = _only(rows, rows.numbers(PUBLIC_COST), "DiscountedUsage")
    return np.where(np.isnan(public), rows.numbers(COST), public)


def contracted_price(rows: Rows) -> Numbers:
    public = _only(rows, rows.numbers_where_possible(PUBLIC_RATE), "DiscountedUsage")
    agreed = rows.numbers_where_possible(RATE)
    return _priced(rows, _first(public, agreed, _per_unit(rows, contracted_cost(rows))))


def list_cost(rows: Rows) -> Numbers:
    """Return ListCost: the billed cost where there is no list price (FOCUS)."""
    public = _priced(rows, rows.numbers(PUBLIC_COST))
    return np.where(np.isnan(public), rows.numbers(COST), public)


def list_price(rows: Rows) -> Numbers:
    public = rows.numbers_where_possible(PUBLIC_RATE)
    return _priced(rows, _first(public, _per_unit(rows, list_cost(rows))))


def pricing_currency_list_price(rows: Rows) -> Numbers:
    """Return the list price in the currency of AWS's price list; costs are in the currency of the
    bill.
    """
    public = rows.numbers_where_possible(PUBLIC_RATE)
    return _priced(rows, _first(public, if_same_currency(rows, list_price(rows))))


def _per_unit(rows: Rows, costs: Numbers) -> Numbers:
    """Return the unit price of a line item without a rate, such as a fee or a subscription.

    FOCUS: the unit price times the quantity is the cost.
    """
    quantity = rows.numbers(AMOUNT)
    with np.errstate(over="ignore"):
        price = np.divide(costs, quantity, out=np.full(rows.count, np.nan), where=quantity != 0)
    return np.where(np.isfinite(price), price, np.nan)


def _first(*choices: Numbers) -> Numbers:
    """Return the first known figure of each row."""
    chosen = choices[0]
    for other in choices[1:]:
        chosen = np.where(np.isnan(chosen), other, chosen)
    return chosen


def quantity(rows: Rows) -> Numbers:
    return _priced(rows, rows.numbers(AMOUNT))


def amortized_upfront(rows: Rows) -> Numbers:
    """Return the part of an upfront payment that belongs to the row."""
    found = np.full(rows.count, np.nan)
    for charge_type, name in UPFRONT.items():
        part = rows.numbers_where_possible(name)
        found = np.where(np.isnan(found), _only(rows, part, charge_type), found)
    return found


def public_cost(rows: Rows) -> Numbers:
    """Return the public on-demand cost as AWS delivers it."""
    return rows.numbers(PUBLIC_COST)


def plan_commitment(rows: Rows) -> Numbers:
    """Return the amount that a savings plan's fee has committed to spend to date."""
    return _only(rows, rows.numbers(PLAN_TOTAL), "SavingsPlanRecurringFee")


def plan_used(rows: Rows) -> Numbers:
    """Return how much of that commitment was used."""
    return _only(rows, rows.numbers(PLAN_USED_COMMITMENT), "SavingsPlanRecurringFee")


def if_same_currency(rows: Rows, figures: Numbers) -> Numbers:
    """Return figures only in the bill's currency: CUR contains no exchange rate."""
    same = rows.where(lambda price, bill: price in {None, bill}, PRICE_CURRENCY, CURRENCY)
    return np.where(same, figures, np.nan)

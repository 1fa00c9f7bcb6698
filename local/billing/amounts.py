"""What a line item costs, in each of Cost Explorer's metrics.

Source of the amortization: AWS's Cloud Intelligence Dashboards, `summary_view.sql`.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

ZERO = Decimal()
Item = Mapping[str, str]


def money(item: Item, column: str) -> Decimal:
    """The column's figure, zero where it is empty. Raises ValueError that names the column."""
    text = item.get(column, "")
    if not text:
        return ZERO
    try:
        figure = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{column} is {text!r}, which is no number.") from None
    if not figure.is_finite():
        raise ValueError(f"{column} is {text!r}, which is no finite number.")
    return figure


def metrics(item: Item) -> dict[str, Decimal]:
    """All metrics of one line item. Net figures are the gross ones where AWS states no net."""
    return {
        "UnblendedCost": money(item, "lineItem/UnblendedCost"),
        "NetUnblendedCost": _net(item, "lineItem/UnblendedCost"),
        "BlendedCost": money(item, "lineItem/BlendedCost"),
        "AmortizedCost": _amortized(item, net=False),
        "NetAmortizedCost": _amortized(item, net=True),
        "UsageQuantity": money(item, "lineItem/UsageAmount"),
    }


def _net(item: Item, column: str) -> Decimal:
    category, _, name = column.partition("/")
    net = f"{category}/Net{name}"
    return money(item, net if item.get(net) else column)


def _amortized(item: Item, *, net: bool) -> Decimal:
    figure = _net if net else money
    kind = item.get("lineItem/LineItemType", "")
    if kind == "SavingsPlanCoveredUsage":
        return figure(item, "savingsPlan/SavingsPlanEffectiveCost")
    if kind == "DiscountedUsage":
        return figure(item, "reservation/EffectiveCost")
    if kind == "SavingsPlanRecurringFee":
        commitment = money(item, "savingsPlan/TotalCommitmentToDate")
        return commitment - money(item, "savingsPlan/UsedCommitment")
    if kind == "RIFee":
        upfront = figure(item, "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod")
        return upfront + figure(item, "reservation/UnusedRecurringFee")
    if _is_paid_elsewhere(item, kind):
        return ZERO
    return figure(item, "lineItem/UnblendedCost")


def _is_paid_elsewhere(item: Item, kind: str) -> bool:
    """Charges whose money amortization spreads over the usage that they were paid for."""
    if kind in {"SavingsPlanNegation", "SavingsPlanUpfrontFee"}:
        return True
    if kind == "Fee":
        return bool(item.get("reservation/ReservationARN"))
    refunded = kind == "Refund" and item.get("lineItem/ProductCode") == "ComputeSavingsPlans"
    description = item.get("lineItem/LineItemDescription", "")
    return refunded and description.startswith("Refund for one-time fee for Savings Plan ID")

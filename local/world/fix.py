"""What koku-nise does otherwise than AWS documents, put right before the bill is delivered.

Only what would make the bill wrong, or no bill at all, is fixed. What a careful reader can accept
(dates with a space, the word `None` in columns of numbers, availability zones that wander) stays as
nise made it, so that the platform meets it. The list is in
docs/decisions/0066-demo-bills-and-deliveries.md.
"""

from collections.abc import Callable
from decimal import Decimal

from local.world import estate

Row = dict[str, str]


def _reserved(row: Row) -> None:
    """nise writes the offering's words into the public price and no effective cost at all."""
    row["pricing/publicOnDemandCost"] = estate.RESERVED_ON_DEMAND
    row["pricing/publicOnDemandRate"] = estate.RESERVED_ON_DEMAND
    row["pricing/OfferingClass"] = "convertible"
    row["pricing/PurchaseOption"] = "No Upfront"
    row["pricing/term"] = "Reserved"
    row["reservation/ReservationARN"] = estate.RESERVATION_ARN
    row["reservation/EffectiveCost"] = estate.RESERVED_EFFECTIVE


def _covered(row: Row) -> None:
    """nise names no Savings Plan on the usage that one covers."""
    row["savingsPlan/SavingsPlanArn"] = estate.SAVINGS_PLAN_ARN


def _negation(row: Row) -> None:
    """nise gives a negation the price that the usage would have had; AWS leaves it empty."""
    _covered(row)
    row["pricing/publicOnDemandCost"] = ""
    row["pricing/publicOnDemandRate"] = ""


def _recurring_fee(row: Row) -> None:
    """nise leaves the commitment out, of which the unused part is the fee's amortized cost."""
    _covered(row)
    row["savingsPlan/RecurringCommitmentForBillingPeriod"] = estate.SAVINGS_PLAN_COMMITMENT
    row["savingsPlan/TotalCommitmentToDate"] = estate.SAVINGS_PLAN_COMMITMENT
    row["savingsPlan/UsedCommitment"] = estate.SAVINGS_PLAN_USED
    row["pricing/publicOnDemandCost"] = ""
    row["pricing/publicOnDemandRate"] = ""
    row["product/instanceType"] = ""
    row["product/servicecode"] = "ComputeSavingsPlans"
    row["product/usagetype"] = row["lineItem/UsageType"]


_BY_TYPE: dict[str, Callable[[Row], None]] = {
    "DiscountedUsage": _reserved,
    "SavingsPlanCoveredUsage": _covered,
    "SavingsPlanNegation": _negation,
    "SavingsPlanRecurringFee": _recurring_fee,
}


def fix(row: Row, invoice_id: str) -> Row:
    """The row as AWS would have delivered it. `invoice_id` is empty while the month is open.

    nise draws a new invoice number for each file; AWS has one for a bill. nise multiplies floats,
    so that money has binary noise at its end; AWS's figures are decimals with up to 10 places.
    """
    fixed = dict(row)
    fixed["bill/InvoiceId"] = invoice_id
    fixed["pricing/currency"] = fixed["lineItem/CurrencyCode"]
    if fixed["lineItem/LineItemType"] in _BY_TYPE:
        _BY_TYPE[fixed["lineItem/LineItemType"]](fixed)
    for column in ("lineItem/UnblendedCost", "lineItem/BlendedCost", "pricing/publicOnDemandCost"):
        fixed[column] = _ten_places(fixed[column])
    return fixed


def _ten_places(text: str) -> str:
    if not text:
        return text
    return f"{round(Decimal(text), 10).normalize():f}"

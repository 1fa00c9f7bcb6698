"""Columns of a legacy Cost and Usage Report: their order and their types in the manifest.

Source: AWS Cost and Usage Reports user guide, "Data dictionary" and the manifest example of
"Using the manifest file". Types are those of AWS's own manifests.
"""

from collections.abc import Iterable

CATEGORIES = (
    "identity",
    "bill",
    "lineItem",
    "product",
    "pricing",
    "reservation",
    "savingsPlan",
    "resourceTags",
    "costCategory",
)

# AWS leaves columns of the other categories out where no row of the report has a value for them.
ALWAYS = frozenset({"identity", "bill", "lineItem"})

_REQUIRED = frozenset(
    {
        "identity/LineItemId",
        "bill/BillType",
        "bill/PayerAccountId",
        "lineItem/UsageAccountId",
        "lineItem/LineItemType",
        "lineItem/ProductCode",
        "lineItem/CurrencyCode",
    }
)
_DATES = ("bill/BillingPeriodStartDate", "bill/BillingPeriodEndDate")
_OPTIONAL_DATES = ("lineItem/UsageStartDate", "lineItem/UsageEndDate")
_NUMBERS = frozenset(
    {
        "lineItem/UsageAmount",
        "lineItem/NormalizationFactor",
        "lineItem/NormalizedUsageAmount",
        "lineItem/UnblendedRate",
        "lineItem/UnblendedCost",
        "lineItem/BlendedRate",
        "lineItem/BlendedCost",
        "pricing/publicOnDemandCost",
        "pricing/publicOnDemandRate",
        "reservation/EffectiveCost",
        "savingsPlan/RecurringCommitmentForBillingPeriod",
        "savingsPlan/SavingsPlanEffectiveCost",
        "savingsPlan/SavingsPlanRate",
        "savingsPlan/TotalCommitmentToDate",
        "savingsPlan/UsedCommitment",
    }
)


def aws_type(column: str) -> str:
    """The type that AWS's manifest states for `column` (`category/Name`)."""
    if column == "identity/TimeInterval":
        return "Interval"
    if column in _DATES:
        return "DateTime"
    if column in _OPTIONAL_DATES:
        return "OptionalDateTime"
    if column in _NUMBERS:
        return "OptionalBigDecimal"
    return "String" if column in _REQUIRED else "OptionalString"


def in_aws_order(columns: Iterable[str]) -> list[str]:
    """Category by category; within one as given."""
    return sorted(columns, key=lambda column: CATEGORIES.index(category(column)))


def category(column: str) -> str:
    return column.partition("/")[0]

"""The columns of the legacy report that CloudSpend knows, and what becomes of all the others.

Source: AWS CUR user guide, data dictionary. Attributes under `product/` come and go with AWS's
price list, so that every one of them is known; so are tags and cost categories, which the customer
names. A column under any other heading that is not listed here is carried along as unknown.
"""

from collections.abc import Sequence

from cloudspend.convert.mapping import Layout
from cloudspend.convert.names import column_key

KNOWN = {
    "identity": "LineItemId TimeInterval",
    "bill": "BillType BillingEntity BillingPeriodEndDate BillingPeriodStartDate InvoiceId "
    "InvoicingEntity PayerAccountId PayerAccountName",
    "lineItem": "AvailabilityZone BlendedCost BlendedRate CurrencyCode LegalEntity "
    "LineItemDescription LineItemType NetUnblendedCost NetUnblendedRate NormalizationFactor "
    "NormalizedUsageAmount Operation ProductCode ResourceId TaxType UnblendedCost UnblendedRate "
    "UsageAccountId UsageAccountName UsageAmount UsageEndDate UsageStartDate UsageType",
    "pricing": "LeaseContractLength OfferingClass PurchaseOption RateCode RateId currency "
    "publicOnDemandCost publicOnDemandRate term unit",
    "reservation": "AmortizedUpfrontCostForUsage AmortizedUpfrontFeeForBillingPeriod "
    "AvailabilityZone EffectiveCost EndTime ModificationStatus "
    "NetAmortizedUpfrontCostForUsage NetAmortizedUpfrontFeeForBillingPeriod NetEffectiveCost "
    "NetRecurringFeeForUsage NetUnusedAmortizedUpfrontFeeForBillingPeriod NetUnusedRecurringFee "
    "NetUpfrontValue NormalizedUnitsPerReservation NumberOfReservations RecurringFeeForUsage "
    "ReservationARN StartTime SubscriptionId TotalReservedNormalizedUnits TotalReservedUnits "
    "UnitsPerReservation UnusedAmortizedUpfrontFeeForBillingPeriod UnusedNormalizedUnitQuantity "
    "UnusedQuantity UnusedRecurringFee UpfrontValue",
    "savingsPlan": "AmortizedUpfrontCommitmentForBillingPeriod EndTime InstanceTypeFamily "
    "NetAmortizedUpfrontCommitmentForBillingPeriod NetRecurringCommitmentForBillingPeriod "
    "NetSavingsPlanEffectiveCost OfferingType PaymentOption PurchaseTerm "
    "RecurringCommitmentForBillingPeriod Region SavingsPlanARN SavingsPlanEffectiveCost "
    "SavingsPlanRate StartTime TotalCommitmentToDate UsedCommitment",
    "discount": "BundledDiscount EdpDiscount PrivateRateDiscount TotalDiscount",
    "splitLineItem": "ActualUsage NetSplitCost NetUnusedCost ParentResourceId "
    "PublicOnDemandSplitCost PublicOnDemandUnusedCost ReservedUsage SplitCost SplitUsage "
    "SplitUsageRatio UnusedCost",
}
KNOWN_KEYS = {
    column_key(f"{category}/{name}") for category, names in KNOWN.items() for name in names.split()
}

TAGS = ("resourceTags/", "resource_tags_")
CATEGORIES = ("costCategory/", "cost_category_")
PRODUCT = ("product/", "product_")
# AWS puts this before the keys that a person has chosen; FOCUS wants those as they were chosen.
USER_TAG = ("user:", "user_")

# FOCUS's own names for properties of a price (FOCUS 1.2, SkuPriceDetails).
DETAILS = {
    "instanceType": "InstanceType",
    "operatingSystem": "OperatingSystem",
    "storageClass": "StorageClass",
    "vcpu": "CoreCount",
}


def layout(names: Sequence[str], read: set[str]) -> Layout:
    """Sort the columns of a file; `read` are the keys of those that rules read by name."""
    tags, categories, details, unknown, wanted = [], [], [], [], []
    for name in names:
        if rest := _after(TAGS, name):
            tags.append((_after(USER_TAG, rest) or rest, name))
        elif rest := _after(CATEGORIES, name):
            categories.append((rest, name))
        elif rest := _after(PRODUCT, name):
            details.append((DETAILS.get(rest, f"x_{rest}"), name))
        elif column_key(name) not in KNOWN_KEYS:
            unknown.append((name, name))
        elif column_key(name) in read:
            wanted.append(name)
    mapped = (name for pairs in (tags, categories, details, unknown) for _, name in pairs)
    return Layout((*wanted, *mapped), *map(tuple, (tags, categories, details, unknown)))


def _after(prefixes: Sequence[str], name: str) -> str:
    """What follows the first of `prefixes` that `name` starts with, else nothing."""
    return next((name.removeprefix(prefix) for prefix in prefixes if name.startswith(prefix)), "")

"""FOCUS rules for line items, each a small pure function.

Source: FOCUS 1.2, column library; "FOCUS 1.2 with AWS columns", AWS Data Exports user guide. Every
function receives text as AWS wrote it, None for a missing value, and is evaluated once per distinct
combination of arguments.
"""

import re

from cloudspend.convert.focus.services import service

AWS = "Amazon Web Services, Inc."
MARKETPLACE = "AWS Marketplace"

USAGE = {"Usage", "DiscountedUsage", "SavingsPlanCoveredUsage"}
# A subscription at a flat rate (CID summary_view.sql) is purchased again each month.
SUBSCRIPTION = "FlatRateSubscription"
PURCHASE = {
    "Fee",
    "RIFee",
    "SavingsPlanRecurringFee",
    "SavingsPlanUpfrontFee",
    SUBSCRIPTION,
}
PLAN_FEES = {"SavingsPlanRecurringFee", "SavingsPlanUpfrontFee"}
RECURRING = {"RIFee", "SavingsPlanRecurringFee", SUBSCRIPTION}
COVERED = {"DiscountedUsage", "SavingsPlanCoveredUsage"}
# Line item types by the promise of the commitment (FOCUS, CommitmentDiscountCategory).
COVERED_BY = {"Usage": "DiscountedUsage", "Spend": "SavingsPlanCoveredUsage"}
FEE_OF = {"Usage": "RIFee", "Spend": "SavingsPlanRecurringFee"}
UPFRONT_OF = {"Usage": "Fee", "Spend": "SavingsPlanUpfrontFee"}
# Discounts that AWS lists as separate rows, and refunds, correct a cost of another row: FOCUS calls
# that an adjustment. A credit is granted independently.
ADJUSTMENT = {
    "BundledDiscount",
    "Discount",
    "EdpDiscount",
    "PrivateRateDiscount",
    "Refund",
    "RiVolumeDiscount",
    "SppDiscount",
}
KNOWN_CHARGE_TYPES = {*USAGE, *PURCHASE, *ADJUSTMENT, "SavingsPlanNegation", "Credit", "Tax"}

# Units of time as AWS's price list spells them, in lower case.
TIME_UNITS = {
    spelling: name
    for name, spellings in {
        "Seconds": "s sec second seconds",
        "Minutes": "min minute minutes",
        "Hours": "hr hrs hour hours",
        "Days": "day days",
        "Months": "mo month months",
        "Years": "yr year years",
    }.items()
    for spelling in spellings.split()
}

ARN_TYPE = re.compile(r"arn:[^:]*:[^:]*:[^:]*:[^:]*:([A-Za-z][\w-]*)[:/]")
ID_PREFIX = re.compile(r"([a-z]+)-[0-9a-f]")
RESOURCE_TYPES = {
    "ami": "Image",
    "eipalloc": "Elastic IP Address",
    "eni": "Network Interface",
    "fs": "File System",
    "i": "Instance",
    "nat": "NAT Gateway",
    "snap": "Snapshot",
    "tgw": "Transit Gateway",
    "vol": "Volume",
    "vpce": "VPC Endpoint",
    "vpn": "VPN Connection",
}


def capacity_status(reservation: str | None, status: str | None) -> str | None:
    """Return Used or Unused, the only values of FOCUS; AWS also has Reserved and Cancelled."""
    return status if reservation and status in {"Used", "Unused"} else None


def charge_category(charge_type: str | None) -> str:
    """Return Usage, Purchase, Tax, Credit or Adjustment. An unknown type never becomes Usage."""
    if charge_type in USAGE:
        return "Usage"
    if charge_type in PURCHASE:
        return "Purchase"
    return charge_type if charge_type in {"Tax", "Credit"} else "Adjustment"


def charge_class(bill_type: str | None, charge_type: str | None) -> str | None:
    return "Correction" if "Refund" in {bill_type, charge_type} else None


def charge_frequency(charge_type: str | None) -> str:
    if charge_type in RECURRING:
        return "Recurring"
    return "Usage-Based" if charge_type in USAGE else "One-Time"


def commitment_category(reservation: str | None, savings_plan: str | None) -> str | None:
    """Return Usage for a reservation, Spend for a savings plan."""
    return _by_commitment(reservation, savings_plan, "Usage", "Spend")


def commitment_type(reservation: str | None, savings_plan: str | None) -> str | None:
    return _by_commitment(reservation, savings_plan, "Reserved Instance", "Savings Plan")


def commitment_status(
    charge_type: str | None, reservation: str | None, savings_plan: str | None
) -> str | None:
    """Return the status of usage. The unused part of a commitment stays in the row of its fee."""
    return "Used" if charge_type in COVERED and (reservation or savings_plan) else None


def commitment_unit(charge_type: str | None, unit: str | None, currency: str | None) -> str | None:
    """Return the unit of a commitment: the currency for savings plans, the priced unit for
    reservations.
    """
    if charge_type in {"SavingsPlanCoveredUsage", *PLAN_FEES}:
        return currency
    return focus_unit(unit) if charge_type in {"DiscountedUsage", "RIFee"} else None


def focus_charge_type(
    category: str | None,
    charge_class: str | None,
    frequency: str | None,
    commitment: str | None,
    status: str | None,
) -> str | None:
    """Return the line item type closest to a FOCUS row; `commitment` is Usage or Spend.

    FOCUS does not distinguish discounts from other adjustments; both become `Adjustment`.
    """
    if category == "Usage":
        by_status = {"Used": COVERED_BY, "Unused": FEE_OF}.get(status or "", {})
        return by_status.get(commitment or "", "Usage")
    if category == "Purchase":
        paid = FEE_OF if frequency == "Recurring" else UPFRONT_OF
        return paid.get(commitment or "", "Fee")
    if category == "Adjustment" and charge_class == "Correction":
        return "Refund"
    return category


def focus_frequency(frequency: str | None, category: str | None) -> str:
    """Return the charge frequency. FOCUS 1.0 allows rows without one."""
    return frequency or ("Usage-Based" if category == "Usage" else "One-Time")


def category_named(category: str | None, product_code: str | None) -> str:
    return category or service(product_code).category


def subcategory_named(subcategory: str | None, product_code: str | None) -> str:
    """Return the service subcategory, which FOCUS 1.0 does not have."""
    return subcategory or service(product_code).subcategory


def consumed_unit(charge_type: str | None, unit: str | None) -> str | None:
    return focus_unit(unit) if charge_type in USAGE else None


def of_commitment(reservation: str | None, reserved: str | None, planned: str | None) -> str | None:
    """Return a property of the commitment: of the savings plan, otherwise of the reservation, if
    any.

    Columns under `pricing/` also describe prices that are unrelated to a reservation.
    """
    return planned or (reserved if reservation else None)


def priced_unit(charge_type: str | None, unit: str | None) -> str | None:
    return focus_unit(unit) if is_priced(charge_type) else None


def focus_unit(unit: str | None) -> str | None:
    """Convert AWS's unit to FOCUS's spelling: Hrs is Hours, GB-Mo is GB-Months (FOCUS, UnitFormat).

    Only words of time are converted; the counted thing keeps AWS's word.
    """
    if not unit:
        return None
    *counted, last = unit.split("-")
    time = TIME_UNITS.get(last.lower())
    if not time:
        return unit
    return "-".join([" ".join(counted), time]) if counted else time


def sku_meter(sku: str | None, usage_type: str | None) -> str | None:
    """Return the SKU meter. It is a property of a SKU: without a SKU, FOCUS has no meter."""
    return usage_type if sku else None


def is_priced(charge_type: str | None) -> bool:
    """Return whether the charge has a price: usage and purchases do, other charges do not."""
    return charge_category(charge_type) in {"Usage", "Purchase"}


def pricing_category(charge_type: str | None, usage_type: str | None) -> str | None:
    if not is_priced(charge_type):
        return None
    if charge_type in COVERED:
        return "Committed"
    return "Dynamic" if "SpotUsage" in (usage_type or "") else "Standard"


def publisher(billing_entity: str | None, legal_entity: str | None) -> str | None:
    """Return the publisher. In the Marketplace, the seller is the legal entity of the line item."""
    return legal_entity if billing_entity == MARKETPLACE else AWS


def region_name(code: str | None, region: str | None, location: str | None) -> str | None:
    """Return AWS's name of the region, or the region code where a line item has no name."""
    return (location or code or region) if code or region else None


def resource_type(resource: str | None, family: str | None, product_code: str | None) -> str | None:
    """Return the resource type by the id's prefix (`i-`, `vol-`), the type in an ARN, or the
    product family.
    """
    if not resource:
        return None
    if arn := ARN_TYPE.match(resource):
        return arn[1]
    prefix = ID_PREFIX.match(resource)
    if prefix and prefix[1] in RESOURCE_TYPES:
        return RESOURCE_TYPES[prefix[1]]
    return family or service(product_code).name


def service_name(product_name: str | None, product_code: str | None) -> str:
    return product_name or service(product_code).name


def service_category(product_code: str | None) -> str:
    return service(product_code).category


def service_subcategory(product_code: str | None) -> str:
    return service(product_code).subcategory


def first(*values: str | None) -> str | None:
    """Return the first value that is not None."""
    return next((value for value in values if value), None)


def _by_commitment(
    reservation: str | None, savings_plan: str | None, reserved: str, planned: str
) -> str | None:
    if reservation:
        return reserved
    return planned if savings_plan else None

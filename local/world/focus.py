"""A bill as FOCUS 1.0 or 1.2 with AWS columns, the tables of AWS Data Exports.

Source: AWS Data Exports user guide, "FOCUS 1.0 with AWS columns", "FOCUS 1.2 with AWS columns" and
"Migrating from FOCUS 1.0 to FOCUS 1.2"; FOCUS 1.2, "Cost and Usage Attributes". Costs come from
the rules of the local Cost Explorer: this is AWS's side, which shares nothing with the converter.

Usage that a Savings Plan covers bills nothing and its negation is no row. The unused part of a
commitment is usage of its own, so that the fee's own row has no effective cost.
"""

import json
from collections.abc import Iterator, Mapping

from local.billing import amounts, vocabulary
from local.world.bill import Bill
from local.world.tables import Field, Item, Table, items, moment, of_records, published

AWS = "AWS"
SELLER = "Amazon Web Services, Inc."

FIELDS_1_0 = published("FOCUS_1_0_AWS")
FIELDS_1_2 = published("FOCUS_1_2_AWS")

_USAGE = {"Usage", "DiscountedUsage", "SavingsPlanCoveredUsage"}
_PURCHASE = {"Fee", "RIFee", "SavingsPlanRecurringFee", "SavingsPlanUpfrontFee"}
_RECURRING = {"RIFee", "SavingsPlanRecurringFee"}
_COVERED = {"DiscountedUsage", "SavingsPlanCoveredUsage"}
_NEGATION = "SavingsPlanNegation"

_SERVICES = {
    "AmazonEC2": ("Compute", "Virtual Machines"),
    "AmazonRDS": ("Databases", "Relational Databases"),
    "AmazonRoute53": ("Networking", "Network Infrastructure"),
    "AmazonS3": ("Storage", "Object Storage"),
    "AmazonVPC": ("Networking", "Network Connectivity"),
    "ComputeSavingsPlans": ("Compute", "Virtual Machines"),
}
_OTHER_SERVICE = ("Other", "Other (Other)")
_DETAILS = {
    "InstanceType": "product/instanceType",
    "CoreCount": "product/vcpu",
    "OperatingSystem": "product/operatingSystem",
}


def focus_1_0(bill: Bill, names: Mapping[str, str]) -> Table:
    """The bill as `FOCUS_1_0_AWS`. `names` are those of accounts."""
    return _table(bill, names, FIELDS_1_0, categories_among_tags=False)


def focus_1_2(bill: Bill, names: Mapping[str, str]) -> Table:
    """The bill as `FOCUS_1_2_AWS`, which has the cost categories among the tags."""
    return _table(bill, names, FIELDS_1_2, categories_among_tags=True)


def _table(
    bill: Bill, names: Mapping[str, str], fields: tuple[Field, ...], *, categories_among_tags: bool
) -> Table:
    def records(file: list[Item]) -> Iterator[Item]:
        for item in file:
            labels = _labels(item, among_tags=categories_among_tags)
            for row in _rows(item):
                yield _described(item, names) | labels | row

    return of_records(fields, (list(records(file)) for file in items(bill)))


def _rows(item: Item) -> Iterator[dict[str, str]]:
    """What differs between the rows of one line item: none, one, or the fee and its unused part."""
    charge, metrics = item["lineItem/LineItemType"], amounts.metrics(item)
    billed, effective = f"{metrics['UnblendedCost']:f}", f"{metrics['AmortizedCost']:f}"
    if charge == _NEGATION:
        return
    if charge in _RECURRING:
        yield _charged(item, "Purchase", billed, "0") | _priced(item)
        if metrics["AmortizedCost"]:
            yield _charged(item, "Usage", "0", effective) | {"CommitmentDiscountStatus": "Unused"}
        return
    category = _category(charge)
    covered = charge in _COVERED
    row = _charged(item, category, "0" if covered else billed, effective)
    if category in {"Usage", "Purchase"}:
        row |= _priced(item)
    if category == "Usage":
        quantity = item.get("lineItem/UsageAmount", "")
        row |= {"ConsumedQuantity": quantity, "ConsumedUnit": item.get("pricing/unit", "")}
    yield row | ({"CommitmentDiscountStatus": "Used"} if covered else {})


def _category(charge: str) -> str:
    if charge in _USAGE:
        return "Usage"
    if charge in _PURCHASE:
        return "Purchase"
    return charge if charge in {"Tax", "Credit"} else "Adjustment"


def _charged(item: Item, category: str, billed: str, effective: str) -> dict[str, str]:
    recurring = item["lineItem/LineItemType"] in _RECURRING and category == "Purchase"
    usual = "Usage-Based" if category == "Usage" else "One-Time"
    return {
        "BilledCost": billed,
        "EffectiveCost": effective,
        "ContractedCost": billed,
        "ListCost": billed,
        "PricingCurrencyEffectiveCost": effective,
        "ChargeCategory": category,
        "ChargeFrequency": "Recurring" if recurring else usual,
    }


def _priced(item: Item) -> dict[str, str]:
    """Prices and what they come to: the public ones, and AWS's own where nothing was agreed."""
    charge = item["lineItem/LineItemType"]
    public = item.get("pricing/publicOnDemandRate", "")
    unblended = item.get("lineItem/UnblendedCost", "") or "0"
    listed = item.get("pricing/publicOnDemandCost", "") or unblended
    agreed = public if charge == "DiscountedUsage" else item.get("lineItem/UnblendedRate", "")
    spot = "SpotUsage" in item["lineItem/UsageType"]
    return {
        "ContractedCost": listed if charge == "DiscountedUsage" else unblended,
        "ContractedUnitPrice": agreed,
        "ListCost": listed,
        "ListUnitPrice": public,
        "PricingCategory": "Committed" if charge in _COVERED else "Dynamic" if spot else "Standard",
        "PricingCurrencyContractedUnitPrice": agreed,
        "PricingCurrencyListUnitPrice": public,
        "PricingQuantity": item.get("lineItem/UsageAmount", ""),
        "PricingUnit": item.get("pricing/unit", ""),
    }


def _described(item: Item, names: Mapping[str, str]) -> dict[str, str]:
    """What a charge is, for whom and of what, without its cost."""
    payer, account = item["bill/PayerAccountId"], item["lineItem/UsageAccountId"]
    code = item["lineItem/ProductCode"]
    category, subcategory = _SERVICES.get(code, _OTHER_SERVICE)
    resource = item.get("lineItem/ResourceId", "")
    return {
        "AvailabilityZone": item.get("lineItem/AvailabilityZone", ""),
        "BillingAccountId": payer,
        "BillingAccountName": names.get(payer, ""),
        "BillingAccountType": "Billing Account",
        "BillingCurrency": item["lineItem/CurrencyCode"],
        "BillingPeriodEnd": moment(item["bill/BillingPeriodEndDate"]),
        "BillingPeriodStart": moment(item["bill/BillingPeriodStartDate"]),
        "ChargeClass": "Correction" if "Refund" in _kinds(item) else "",
        "ChargeDescription": item.get("lineItem/LineItemDescription", ""),
        "ChargePeriodEnd": moment(item["lineItem/UsageEndDate"]),
        "ChargePeriodStart": moment(item["lineItem/UsageStartDate"]),
        "InvoiceId": item.get("bill/InvoiceId", ""),
        "InvoiceIssuerName": SELLER,
        "PricingCurrency": item.get("pricing/currency") or item["lineItem/CurrencyCode"],
        "ProviderName": AWS,
        "PublisherName": SELLER,
        "RegionId": item.get("product/region", ""),
        "RegionName": item.get("product/location", ""),
        "ResourceId": resource,
        "ResourceType": item.get("product/productFamily", "") if resource else "",
        "ServiceCategory": category,
        "ServiceName": item.get("product/ProductName") or vocabulary.SERVICES.get(code, code),
        "ServiceSubcategory": subcategory,
        "SkuId": item.get("product/sku", ""),
        "SkuMeter": item["lineItem/UsageType"],
        "SkuPriceDetails": _json({name: item.get(column, "") for name, column in _DETAILS.items()}),
        "SkuPriceId": item.get("pricing/RateCode", ""),
        "SubAccountId": account,
        "SubAccountName": names.get(account, ""),
        "SubAccountType": "Account",
        "x_Discounts": _json({}),
        "x_Operation": item.get("lineItem/Operation", ""),
        "x_ServiceCode": code,
        "x_UsageType": item["lineItem/UsageType"],
        **_commitment(item),
    }


def _kinds(item: Item) -> set[str]:
    return {item["lineItem/LineItemType"], item.get("bill/BillType", "")}


def _commitment(item: Item) -> dict[str, str]:
    """The commitment that a charge pays for or draws on."""
    reservation = item.get("reservation/ReservationARN", "")
    plan = item.get("savingsPlan/SavingsPlanArn", "")
    if reservation:
        return {
            "CommitmentDiscountCategory": "Usage",
            "CommitmentDiscountId": reservation,
            "CommitmentDiscountQuantity": item.get("lineItem/UsageAmount", ""),
            "CommitmentDiscountType": "Reserved Instance",
            "CommitmentDiscountUnit": item.get("pricing/unit", ""),
        }
    if plan:
        paid = item["lineItem/LineItemType"] in _RECURRING
        quantity = "savingsPlan/TotalCommitmentToDate" if paid else "savingsPlan/UsedCommitment"
        return {
            "CommitmentDiscountCategory": "Spend",
            "CommitmentDiscountId": plan,
            "CommitmentDiscountQuantity": item.get(quantity, ""),
            "CommitmentDiscountType": "Compute Savings Plan",
            "CommitmentDiscountUnit": item["lineItem/CurrencyCode"],
        }
    return {}


def _labels(item: Item, *, among_tags: bool) -> dict[str, str]:
    """Tags by the user's own keys, and cost categories where the version has them."""
    tags = _named(item, "resourceTags/user:")
    categories = _named(item, "costCategory/")
    if among_tags:
        tags |= {f"costCategory/{name}": value for name, value in categories.items()}
    return {
        "ResourceName": tags.get("Name", ""),
        "Tags": _json(tags),
        "x_CostCategories": _json(categories),
    }


def _named(item: Item, prefix: str) -> dict[str, str]:
    return {
        column.removeprefix(prefix): value
        for column, value in item.items()
        if column.startswith(prefix) and value
    }


def _json(values: Mapping[str, str]) -> str:
    return json.dumps({key: value for key, value in values.items() if value}, separators=(",", ":"))

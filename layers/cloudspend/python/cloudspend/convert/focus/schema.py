"""Columns of `cost_and_usage`.

Names and order follow FOCUS 1.2 as AWS exports it ("FOCUS 1.2 with AWS columns", AWS Data Exports
user guide), in lower case as in Glue. Columns that FOCUS does not define follow with the prefix
`x_`. This module imports no engine code: stacks and queries read it too.
"""

from dataclasses import dataclass

COST_AND_USAGE = "cost_and_usage"
BILLING_DETAIL = "billing_detail"

STRING = "string"
DOUBLE = "double"
TIMESTAMP = "timestamp"
TEXT_MAP = "map<string,string>"
NUMBER_MAP = "map<string,double>"


@dataclass(frozen=True)
class Column:
    """A column with its Athena type. Money is in units of the billing currency, time is in UTC.

    `nullable` is FOCUS's property: a column that is not nullable is never null. Parquet allows null
    in every column.
    """

    name: str
    type: str
    nullable: bool
    comment: str


def _column(name: str, type_: str, comment: str, *, nullable: bool = True) -> Column:
    return Column(name.lower(), type_, nullable, comment)


def _always(name: str, type_: str, comment: str) -> Column:
    return _column(name, type_, comment, nullable=False)


COLUMNS: tuple[Column, ...] = (
    _column("AvailabilityZone", STRING, "Zone within the region where the charge arose"),
    _always("BilledCost", DOUBLE, "What is invoiced: the cash view; sums to the invoice"),
    _always("BillingAccountId", STRING, "Account that pays (management account)"),
    _column("BillingAccountName", STRING, "Name of the paying account, where AWS gives one"),
    _always("BillingAccountType", STRING, "Always Billing Account"),
    _always("BillingCurrency", STRING, "ISO 4217 currency of every cost in the row"),
    _always("BillingPeriodEnd", TIMESTAMP, "First moment after the billing period"),
    _always("BillingPeriodStart", TIMESTAMP, "First moment of the billing period"),
    _column("CapacityReservationId", STRING, "Capacity reservation the charge belongs to"),
    _column("CapacityReservationStatus", STRING, "Used or Unused"),
    _always("ChargeCategory", STRING, "Usage, Purchase, Tax, Credit or Adjustment"),
    _column("ChargeClass", STRING, "Correction when it corrects an earlier invoice"),
    _column("ChargeDescription", STRING, "What the charge is for, in AWS's words"),
    _always("ChargeFrequency", STRING, "One-Time, Recurring or Usage-Based"),
    _always("ChargePeriodEnd", TIMESTAMP, "First moment after the charge's own period"),
    _always("ChargePeriodStart", TIMESTAMP, "First moment of the charge's own period"),
    _column("CommitmentDiscountCategory", STRING, "Usage (reservation) or Spend (savings plan)"),
    _column("CommitmentDiscountId", STRING, "ARN of the reservation or savings plan"),
    _column("CommitmentDiscountName", STRING, "Name of the commitment, where AWS gives one"),
    _column("CommitmentDiscountQuantity", DOUBLE, "How much of the commitment the row covers"),
    _column("CommitmentDiscountStatus", STRING, "Used or Unused"),
    _column("CommitmentDiscountType", STRING, "Reserved Instance or Savings Plan"),
    _column("CommitmentDiscountUnit", STRING, "Unit of CommitmentDiscountQuantity"),
    _column("ConsumedQuantity", DOUBLE, "How much was used"),
    _column("ConsumedUnit", STRING, "Unit of ConsumedQuantity"),
    _always("ContractedCost", DOUBLE, "Cost at negotiated prices, before commitment discounts"),
    _column("ContractedUnitPrice", DOUBLE, "Negotiated price of one pricing unit"),
    _always("EffectiveCost", DOUBLE, "Amortized cost: commitments spread over what they cover"),
    _column("InvoiceId", STRING, "Invoice of the charge; empty until the bill is final"),
    _column("InvoiceIssuerName", STRING, "Who issues the invoice"),
    _always("ListCost", DOUBLE, "Cost at public on-demand prices"),
    _column("ListUnitPrice", DOUBLE, "Public on-demand price of one pricing unit"),
    _column("PricingCategory", STRING, "Standard, Dynamic or Committed"),
    _column("PricingCurrency", STRING, "ISO 4217 currency of the price list"),
    _column("PricingCurrencyContractedUnitPrice", DOUBLE, "In PricingCurrency"),
    _column("PricingCurrencyEffectiveCost", DOUBLE, "In PricingCurrency"),
    _column("PricingCurrencyListUnitPrice", DOUBLE, "In PricingCurrency"),
    _column("PricingQuantity", DOUBLE, "How much was priced, in PricingUnit"),
    _column("PricingUnit", STRING, "Unit that the price is for"),
    _always("ProviderName", STRING, "Always AWS"),
    _column("PublisherName", STRING, "Who makes the service: AWS or a Marketplace seller"),
    _column("RegionId", STRING, "Region, e.g. eu-central-1"),
    _column("RegionName", STRING, "Region in words"),
    _column("ResourceId", STRING, "Id or ARN of the resource"),
    _column("ResourceName", STRING, "The resource's Name tag"),
    _column("ResourceType", STRING, "Kind of resource"),
    _always("ServiceCategory", STRING, "FOCUS category of the service"),
    _always("ServiceName", STRING, "The service's name, as AWS's price list has it"),
    _always("ServiceSubcategory", STRING, "FOCUS subcategory of the service"),
    _column("SkuId", STRING, "SKU of the price list"),
    _column("SkuMeter", STRING, "What is metered (AWS usage type)"),
    _column("SkuPriceDetails", TEXT_MAP, "Properties of the SKU price"),
    _column("SkuPriceId", STRING, "Price within the SKU (AWS rate code)"),
    _column("SubAccountId", STRING, "Account that used the service (linked account)"),
    _column("SubAccountName", STRING, "Name of the using account, where AWS gives one"),
    _column("SubAccountType", STRING, "Always Account"),
    _column("Tags", TEXT_MAP, "Tags: the user's keys as they are, AWS's as aws:<key>"),
    _column("x_ChargeType", STRING, "Line item type as AWS names it; FOCUS exports: the nearest"),
    _column("x_Operation", STRING, "Operation as AWS names it"),
    _column("x_UsageType", STRING, "Usage type as AWS names it"),
    _column("x_ServiceCode", STRING, "Product code of the line item as AWS names it"),
    _column("x_CostCategories", TEXT_MAP, "Cost categories by name"),
    _column("x_CostCategoriesNormalized", TEXT_MAP, "The same by name in letters and digits only"),
    _column("x_TagsNormalized", TEXT_MAP, "Tags by key in lower-case letters and digits only"),
    _column("x_Discounts", NUMBER_MAP, "Discounts within the cost, by kind of discount"),
    _column("x_PublicOnDemandCost", DOUBLE, "Public on-demand cost, where AWS gives one"),
    _always("x_NetBilledCost", DOUBLE, "BilledCost after discounts, where AWS gives it"),
    _always("x_NetEffectiveCost", DOUBLE, "EffectiveCost after discounts, where AWS gives it"),
    _column("x_NormalizedUsageAmount", DOUBLE, "Usage in normalized units of the instance family"),
    _column("x_CommitmentOffering", STRING, "Offering class or type of the commitment"),
    _column("x_CommitmentPaymentOption", STRING, "All, Partial or No Upfront"),
    _column("x_CommitmentTerm", STRING, "Length of the commitment, as AWS writes it"),
    _column("x_AmortizedUpfrontCost", DOUBLE, "Upfront payment's part within the row"),
    _column("x_ReservationUnusedQuantity", DOUBLE, "Reserved hours that nothing used"),
    _column("x_ReservationUnusedNormalizedUnits", DOUBLE, "The same in normalized units"),
    _column("x_SavingsPlanCommitment", DOUBLE, "Spending committed to date, on the plan's fee"),
    _column("x_SavingsPlanUsedCommitment", DOUBLE, "How much of it was used"),
    _column("x_Other", TEXT_MAP, "Columns of the delivery that CloudSpend does not know"),
)

# Rows that are queried together are adjacent, which lets Parquet's statistics skip row groups.
SORT_ORDER = ("subaccountid", "servicename", "resourceid", "chargeperiodstart")
# The costs that queries sum, in either table.
SUMMED = {"billedcost", "effectivecost", "line_item_unblended_cost"}
# Columns that the row order clusters, in either table: only their minimum and maximum can rule out
# a row group.
GOES_WITH_ORDER = {
    *SORT_ORDER,
    "chargeperiodend",
    "resourcename",
    "resourcetype",
    "servicecategory",
    "servicesubcategory",
    "subaccountname",
    "x_servicecode",
    "line_item_product_code",
    "line_item_resource_id",
    "line_item_usage_account_id",
    "line_item_usage_account_name",
    "line_item_usage_end_date",
    "line_item_usage_start_date",
    "product_servicecode",
}

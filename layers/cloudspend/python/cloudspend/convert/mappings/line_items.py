"""Line items to FOCUS 1.2: the legacy Cost and Usage Report and CUR 2.0.

CUR 2.0 "provides the same information" (AWS Data Exports user guide, "Migrating from CUR to Data
Exports CUR 2.0"): rules name a column as the legacy report does and find it in any spelling, and
what CUR 2.0 keeps in maps is unpacked for them. Columns that one of the two lacks are null.

Each entry names the column, the rule and its source: FOCUS is the FOCUS 1.2 column library, CUR
the data dictionary of the AWS Cost and Usage Report user guide, CID the queries of AWS's Cloud
Intelligence Dashboards. What could be read in two ways is in the decision records.
"""

from cloudspend.convert import amortization, rules
from cloudspend.convert.amortization import CHARGE_TYPE, COST, PRODUCT, RESERVATION
from cloudspend.convert.mapping import (
    ARROW_SCHEMA,
    Found,
    InMaps,
    KindMapping,
    Layout,
    TableMapping,
    Target,
    always,
    as_far_as_numbers,
    copied,
    cost,
    derived,
    figure,
    moment,
    never,
)
from cloudspend.convert.mappings import columns, detail, figures, packed
from cloudspend.convert.mappings.figures import (
    AMOUNT,
    CURRENCY,
    PLAN_TOTAL,
    PLAN_USED,
    PLAN_USED_COMMITMENT,
    PRICE_CURRENCY,
    PUBLIC_COST,
    PUBLIC_RATE,
    RATE,
)
from cloudspend.convert.mappings.packed import (
    BUNDLED,
    DETAIL_COLUMNS,
    NAME_TAG,
    PRODUCT_NAME,
    PRODUCT_REGION,
    RATE_CODE,
)
from cloudspend.convert.readings import number
from cloudspend.convert.rows import Rows
from cloudspend.convert.schema import BILLING_DETAIL, COST_AND_USAGE

ACCOUNT = "lineItem/UsageAccountId"
LEGAL_ENTITY = "lineItem/LegalEntity"
PAYER = "bill/PayerAccountId"
NORMALIZED = "lineItem/NormalizedUsageAmount"
PERIOD_START = "bill/BillingPeriodStartDate"
PLAN = "savingsPlan/SavingsPlanARN"
PLAN_OFFERING = "savingsPlan/OfferingType"
PLAN_PAYMENT = "savingsPlan/PaymentOption"
PLAN_TERM = "savingsPlan/PurchaseTerm"
REGION = ("product/regionCode", PRODUCT_REGION)
RESOURCE = "lineItem/ResourceId"
SKU = "product/sku"
START, END = "lineItem/UsageStartDate", "lineItem/UsageEndDate"
UNIT = "pricing/unit"
UNUSED = "reservation/UnusedQuantity"
UNUSED_UNITS = "reservation/UnusedNormalizedUnitQuantity"
USAGE_TYPE = "lineItem/UsageType"
COMMITMENT = (RESERVATION, PLAN)
CAPACITY = "capacityReservation/CapacityReservationArn"
CAPACITY_STATUS = "capacityReservation/CapacityReservationStatus"
CURRENCIES = (PRICE_CURRENCY, CURRENCY)
PLAN_COSTS = (PLAN_USED, PLAN_TOTAL)
LIST_PRICE = (CHARGE_TYPE, AMOUNT, COST, PUBLIC_COST, PUBLIC_RATE)
CONTRACTED_PRICE = (*LIST_PRICE, RATE)


FOCUS, CUR, CID = "FOCUS 1.2", "AWS CUR data dictionary", "CID summary_view.sql"

TARGETS = (
    Target("AvailabilityZone", copied("lineItem/AvailabilityZone"), CUR),
    Target("BilledCost", cost(amortization.billed, COST, CHARGE_TYPE), CID),
    Target("BillingAccountId", copied(PAYER), CUR),
    Target("BillingAccountName", copied("bill/PayerAccountName"), CUR),
    Target("BillingAccountType", always("Billing Account"), FOCUS),
    Target("BillingCurrency", copied(CURRENCY), CUR),
    Target("BillingPeriodEnd", moment("bill/BillingPeriodEndDate"), CUR),
    Target("BillingPeriodStart", moment(PERIOD_START), CUR),
    Target("CapacityReservationId", copied(CAPACITY), CUR),
    Target(
        "CapacityReservationStatus",
        derived(rules.capacity_status, CAPACITY, CAPACITY_STATUS),
        FOCUS,
    ),
    Target("ChargeCategory", derived(rules.charge_category, CHARGE_TYPE), FOCUS),
    Target("ChargeClass", derived(rules.charge_class, "bill/BillType", CHARGE_TYPE), FOCUS),
    Target("ChargeDescription", copied("lineItem/LineItemDescription"), CUR),
    Target("ChargeFrequency", derived(rules.charge_frequency, CHARGE_TYPE), FOCUS),
    Target("ChargePeriodEnd", moment(END), CUR),
    Target("ChargePeriodStart", moment(START), CUR),
    Target("CommitmentDiscountCategory", derived(rules.commitment_category, *COMMITMENT), FOCUS),
    Target("CommitmentDiscountId", derived(rules.first, *COMMITMENT), FOCUS),
    Target("CommitmentDiscountName", never(), "in no report"),
    Target(
        "CommitmentDiscountQuantity",
        figure(figures.commitment_quantity, CHARGE_TYPE, AMOUNT, COST, *PLAN_COSTS),
        FOCUS,
    ),
    Target(
        "CommitmentDiscountStatus",
        derived(rules.commitment_status, CHARGE_TYPE, *COMMITMENT),
        FOCUS,
    ),
    Target("CommitmentDiscountType", derived(rules.commitment_type, *COMMITMENT), FOCUS),
    Target(
        "CommitmentDiscountUnit", derived(rules.commitment_unit, CHARGE_TYPE, UNIT, CURRENCY), FOCUS
    ),
    Target("ConsumedQuantity", figure(figures.consumed, CHARGE_TYPE, AMOUNT), FOCUS),
    Target("ConsumedUnit", derived(rules.consumed_unit, CHARGE_TYPE, UNIT), FOCUS),
    Target("ContractedCost", cost(figures.contracted_cost, COST, CHARGE_TYPE, PUBLIC_COST), FOCUS),
    Target(
        "ContractedUnitPrice",
        figure(figures.contracted_price, *CONTRACTED_PRICE),
        FOCUS,
    ),
    Target("EffectiveCost", cost(amortization.effective, COST, *amortization.READS), CID),
    Target("InvoiceId", copied("bill/InvoiceId"), CUR),
    Target("InvoiceIssuerName", derived(rules.first, "bill/InvoicingEntity", LEGAL_ENTITY), FOCUS),
    Target("ListCost", cost(figures.list_cost, COST, CHARGE_TYPE, PUBLIC_COST), FOCUS),
    Target("ListUnitPrice", figure(figures.list_price, *LIST_PRICE), FOCUS),
    Target("PricingCategory", derived(rules.pricing_category, CHARGE_TYPE, USAGE_TYPE), FOCUS),
    Target("PricingCurrency", derived(rules.first, PRICE_CURRENCY, CURRENCY), FOCUS),
    Target(
        "PricingCurrencyContractedUnitPrice",
        figure(
            lambda rows: figures.if_same_currency(rows, figures.contracted_price(rows)),
            *CURRENCIES,
            *CONTRACTED_PRICE,
        ),
        FOCUS,
    ),
    Target(
        "PricingCurrencyEffectiveCost",
        figure(
            lambda rows: figures.if_same_currency(rows, amortization.effective(rows)),
            *CURRENCIES,
            *amortization.READS,
        ),
        FOCUS,
    ),
    Target(
        "PricingCurrencyListUnitPrice",
        figure(figures.pricing_currency_list_price, *CURRENCIES, *LIST_PRICE),
        FOCUS,
    ),
    Target("PricingQuantity", figure(figures.quantity, CHARGE_TYPE, AMOUNT), FOCUS),
    Target("PricingUnit", derived(rules.priced_unit, CHARGE_TYPE, UNIT), FOCUS),
    Target("ProviderName", always("AWS"), FOCUS),
    Target("PublisherName", derived(rules.publisher, "bill/BillingEntity", LEGAL_ENTITY), FOCUS),
    Target("RegionId", derived(rules.first, *REGION), CUR),
    Target("RegionName", derived(rules.region_name, *REGION, "product/location"), FOCUS),
    Target("ResourceId", copied(RESOURCE), CUR),
    Target("ResourceName", copied(NAME_TAG, beside=RESOURCE), FOCUS),
    Target(
        "ResourceType",
        derived(rules.resource_type, RESOURCE, "product/productFamily", PRODUCT),
        FOCUS,
    ),
    Target("ServiceCategory", derived(rules.service_category, PRODUCT), FOCUS),
    Target("ServiceName", derived(rules.service_name, PRODUCT_NAME, PRODUCT), FOCUS),
    Target("ServiceSubcategory", derived(rules.service_subcategory, PRODUCT), FOCUS),
    Target("SkuId", copied(SKU), CUR),
    Target("SkuMeter", derived(rules.sku_meter, SKU, USAGE_TYPE), FOCUS),
    Target("SkuPriceId", copied(RATE_CODE), CUR),
    Target("SubAccountId", copied(ACCOUNT), CUR),
    Target("SubAccountName", copied("lineItem/UsageAccountName"), CUR),
    Target("SubAccountType", always("Account"), FOCUS),
    Target("x_ChargeType", copied(CHARGE_TYPE), CUR),
    Target("x_Operation", copied(amortization.OPERATION), CUR),
    Target("x_UsageType", copied(USAGE_TYPE), CUR),
    Target("x_ServiceCode", copied(PRODUCT), CUR),
    Target("x_PublicOnDemandCost", figure(figures.public_cost, PUBLIC_COST), CUR),
    Target("x_NetBilledCost", cost(amortization.net_billed, COST, *amortization.READS), CID),
    Target("x_NetEffectiveCost", cost(amortization.net_effective, COST, *amortization.READS), CID),
    Target("x_NormalizedUsageAmount", as_far_as_numbers(NORMALIZED), CUR),
    Target(
        "x_CommitmentOffering",
        derived(rules.of_commitment, RESERVATION, "pricing/OfferingClass", PLAN_OFFERING),
        CUR,
    ),
    Target(
        "x_CommitmentPaymentOption",
        derived(rules.of_commitment, RESERVATION, "pricing/PurchaseOption", PLAN_PAYMENT),
        CUR,
    ),
    Target(
        "x_CommitmentTerm",
        derived(rules.of_commitment, RESERVATION, "pricing/LeaseContractLength", PLAN_TERM),
        CUR,
    ),
    Target(
        "x_AmortizedUpfrontCost",
        figure(figures.amortized_upfront, CHARGE_TYPE, *figures.UPFRONT.values()),
        CUR,
    ),
    Target("x_ReservationUnusedQuantity", as_far_as_numbers(UNUSED), CUR),
    Target("x_ReservationUnusedNormalizedUnits", as_far_as_numbers(UNUSED_UNITS), CUR),
    Target(
        "x_SavingsPlanCommitment",
        figure(figures.plan_commitment, CHARGE_TYPE, PLAN_TOTAL),
        CUR,
    ),
    Target(
        "x_SavingsPlanUsedCommitment",
        figure(figures.plan_used, CHARGE_TYPE, PLAN_USED_COMMITMENT),
        CUR,
    ),
)

REQUIRED = (CHARGE_TYPE, COST, ACCOUNT, PAYER, CURRENCY, PERIOD_START, START, END)
# Figures that nothing is added up from: one in words is carried along instead of stopping the bill.
LENIENT = (NORMALIZED, UNUSED, UNUSED_UNITS, *figures.UPFRONT.values())


def _normalized_tags(rows: Rows, layout: Layout) -> Found:
    return packed.normalized(rows, layout, packed.tags)


def _other(rows: Rows, layout: Layout) -> Found:
    return packed.other_columns(rows, layout, dict.fromkeys(LENIENT, number))


COST_AND_USAGE_MAPPING = TableMapping(
    schema=ARROW_SCHEMA,
    targets=TARGETS,
    maps={
        "SkuPriceDetails": InMaps(packed.price_details),
        **packed.label_columns(packed.tags, packed.tags, packed.categories),
        "x_Discounts": InMaps(packed.discounts),
        "x_Other": InMaps(_other),
    },
    map_reads=(RATE_CODE, BUNDLED, *DETAIL_COLUMNS.values()),
    unpack=packed.unpack,
    left_out=amortization.left_out,
    tags=_normalized_tags,
)
MAPPING = KindMapping(
    tables={COST_AND_USAGE: COST_AND_USAGE_MAPPING, BILLING_DETAIL: detail.MAPPING},
    required=REQUIRED,
    period_start=PERIOD_START,
    currency=CURRENCY,
    sort_columns=columns.layout,
)

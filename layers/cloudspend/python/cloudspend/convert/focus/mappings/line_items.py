"""Mapping of line items to FOCUS 1.2: the legacy Cost and Usage Report and CUR 2.0.

CUR 2.0 "provides the same information" (AWS Data Exports user guide, "Migrating from CUR to Data
Exports CUR 2.0"): rules name a column as the legacy report does and find it in any spelling. Values
that CUR 2.0 packs in maps are unpacked for them. Columns that one of the two lacks are null.

Each entry lists the column, the rule and its source: FOCUS is the FOCUS 1.2 column library, CUR the
data dictionary of the AWS Cost and Usage Report user guide, CID the queries of AWS's Cloud
Intelligence Dashboards. The decision records explain rules that allow two readings.
"""

from cloudspend.convert.engine.rows import Rows
from cloudspend.convert.engine.scalars import number
from cloudspend.convert.focus import amortization, rules
from cloudspend.convert.focus.amortization import CHARGE_TYPE, COST, PRODUCT, RESERVATION
from cloudspend.convert.focus.mapping import (
    ARROW_SCHEMA,
    EncodedMaps,
    KindMapping,
    Layout,
    MapColumn,
    TableMapping,
    Target,
    constant_value,
    copy,
    cost,
    derived,
    figure,
    moment,
    null,
    number_or_null,
)
from cloudspend.convert.focus.mappings import columns, detail, map_columns, quantities
from cloudspend.convert.focus.mappings.map_columns import (
    BUNDLED,
    DETAIL_COLUMNS,
    NAME_TAG,
    PRODUCT_NAME,
    PRODUCT_REGION,
    RATE_CODE,
)
from cloudspend.convert.focus.mappings.quantities import (
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
from cloudspend.convert.focus.schema import BILLING_DETAIL, COST_AND_USAGE

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
    Target("AvailabilityZone", copy("lineItem/AvailabilityZone"), CUR),
    Target("BilledCost", cost(amortization.billed, COST, CHARGE_TYPE), CID),
    Target("BillingAccountId", copy(PAYER), CUR),
    Target("BillingAccountName", copy("bill/PayerAccountName"), CUR),
    Target("BillingAccountType", constant_value("Billing Account"), FOCUS),
    Target("BillingCurrency", copy(CURRENCY), CUR),
    Target("BillingPeriodEnd", moment("bill/BillingPeriodEndDate"), CUR),
    Target("BillingPeriodStart", moment(PERIOD_START), CUR),
    Target("CapacityReservationId", copy(CAPACITY), CUR),
    Target(
        "CapacityReservationStatus",
        derived(rules.capacity_status, CAPACITY, CAPACITY_STATUS),
        FOCUS,
    ),
    Target("ChargeCategory", derived(rules.charge_category, CHARGE_TYPE), FOCUS),
    Target("ChargeClass", derived(rules.charge_class, "bill/BillType", CHARGE_TYPE), FOCUS),
    Target("ChargeDescription", copy("lineItem/LineItemDescription"), CUR),
    Target("ChargeFrequency", derived(rules.charge_frequency, CHARGE_TYPE), FOCUS),
    Target("ChargePeriodEnd", moment(END), CUR),
    Target("ChargePeriodStart", moment(START), CUR),
    Target("CommitmentDiscountCategory", derived(rules.commitment_category, *COMMITMENT), FOCUS),
    Target("CommitmentDiscountId", derived(rules.first, *COMMITMENT), FOCUS),
    Target("CommitmentDiscountName", null(), "in no report"),
    Target(
        "CommitmentDiscountQuantity",
        figure(quantities.commitment_quantity, CHARGE_TYPE, AMOUNT, COST, *PLAN_COSTS),
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
    Target("ConsumedQuantity", figure(quantities.consumed, CHARGE_TYPE, AMOUNT), FOCUS),
    Target("ConsumedUnit", derived(rules.consumed_unit, CHARGE_TYPE, UNIT), FOCUS),
    Target(
        "ContractedCost", cost(quantities.contracted_cost, COST, CHARGE_TYPE, PUBLIC_COST), FOCUS
    ),
    Target(
        "ContractedUnitPrice",
        figure(quantities.contracted_price, *CONTRACTED_PRICE),
        FOCUS,
    ),
    Target("EffectiveCost", cost(amortization.effective, COST, *amortization.READS), CID),
    Target("InvoiceId", copy("bill/InvoiceId"), CUR),
    Target("InvoiceIssuerName", derived(rules.first, "bill/InvoicingEntity", LEGAL_ENTITY), FOCUS),
    Target("ListCost", cost(quantities.list_cost, COST, CHARGE_TYPE, PUBLIC_COST), FOCUS),
    Target("ListUnitPrice", figure(quantities.list_price, *LIST_PRICE), FOCUS),
    Target("PricingCategory", derived(rules.pricing_category, CHARGE_TYPE, USAGE_TYPE), FOCUS),
    Target("PricingCurrency", derived(rules.first, PRICE_CURRENCY, CURRENCY), FOCUS),
    Target(
        "PricingCurrencyContractedUnitPrice",
        figure(
            lambda rows: quantities.if_same_currency(rows, quantities.contracted_price(rows)),
            *CURRENCIES,
            *CONTRACTED_PRICE,
        ),
        FOCUS,
    ),
    Target(
        "PricingCurrencyEffectiveCost",
        figure(
            lambda rows: quantities.if_same_currency(rows, amortization.effective(rows)),
            *CURRENCIES,
            *amortization.READS,
        ),
        FOCUS,
    ),
    Target(
        "PricingCurrencyListUnitPrice",
        figure(quantities.pricing_currency_list_price, *CURRENCIES, *LIST_PRICE),
        FOCUS,
    ),
    Target("PricingQuantity", figure(quantities.quantity, CHARGE_TYPE, AMOUNT), FOCUS),
    Target("PricingUnit", derived(rules.priced_unit, CHARGE_TYPE, UNIT), FOCUS),
    Target("ProviderName", constant_value("AWS"), FOCUS),
    Target("PublisherName", derived(rules.publisher, "bill/BillingEntity", LEGAL_ENTITY), FOCUS),
    Target("RegionId", derived(rules.first, *REGION), CUR),
    Target("RegionName", derived(rules.region_name, *REGION, "product/location"), FOCUS),
    Target("ResourceId", copy(RESOURCE), CUR),
    Target("ResourceName", copy(NAME_TAG, unless_missing=RESOURCE), FOCUS),
    Target(
        "ResourceType",
        derived(rules.resource_type, RESOURCE, "product/productFamily", PRODUCT),
        FOCUS,
    ),
    Target("ServiceCategory", derived(rules.service_category, PRODUCT), FOCUS),
    Target("ServiceName", derived(rules.service_name, PRODUCT_NAME, PRODUCT), FOCUS),
    Target("ServiceSubcategory", derived(rules.service_subcategory, PRODUCT), FOCUS),
    Target("SkuId", copy(SKU), CUR),
    Target("SkuMeter", derived(rules.sku_meter, SKU, USAGE_TYPE), FOCUS),
    Target("SkuPriceId", copy(RATE_CODE), CUR),
    Target("SubAccountId", copy(ACCOUNT), CUR),
    Target("SubAccountName", copy("lineItem/UsageAccountName"), CUR),
    Target("SubAccountType", constant_value("Account"), FOCUS),
    Target("x_ChargeType", copy(CHARGE_TYPE), CUR),
    Target("x_Operation", copy(amortization.OPERATION), CUR),
    Target("x_UsageType", copy(USAGE_TYPE), CUR),
    Target("x_ServiceCode", copy(PRODUCT), CUR),
    Target("x_PublicOnDemandCost", figure(quantities.public_cost, PUBLIC_COST), CUR),
    Target("x_NetBilledCost", cost(amortization.net_billed, COST, *amortization.READS), CID),
    Target("x_NetEffectiveCost", cost(amortization.net_effective, COST, *amortization.READS), CID),
    Target("x_NormalizedUsageAmount", number_or_null(NORMALIZED), CUR),
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
        figure(quantities.amortized_upfront, CHARGE_TYPE, *quantities.UPFRONT.values()),
        CUR,
    ),
    Target("x_ReservationUnusedQuantity", number_or_null(UNUSED), CUR),
    Target("x_ReservationUnusedNormalizedUnits", number_or_null(UNUSED_UNITS), CUR),
    Target(
        "x_SavingsPlanCommitment",
        figure(quantities.plan_commitment, CHARGE_TYPE, PLAN_TOTAL),
        CUR,
    ),
    Target(
        "x_SavingsPlanUsedCommitment",
        figure(quantities.plan_used, CHARGE_TYPE, PLAN_USED_COMMITMENT),
        CUR,
    ),
)

REQUIRED = (CHARGE_TYPE, COST, ACCOUNT, PAYER, CURRENCY, PERIOD_START, START, END)
# Figures that no total is computed from: text in one of them is kept in `x_other` and does not stop
# the bill.
LENIENT = (NORMALIZED, UNUSED, UNUSED_UNITS, *quantities.UPFRONT.values())


def _normalized_tags(rows: Rows, layout: Layout) -> EncodedMaps:
    return map_columns.normalized(rows, layout, map_columns.tags)


def _other(rows: Rows, layout: Layout) -> EncodedMaps:
    return map_columns.other_columns(rows, layout, dict.fromkeys(LENIENT, number))


COST_AND_USAGE_MAPPING = TableMapping(
    schema=ARROW_SCHEMA,
    targets=TARGETS,
    maps={
        "SkuPriceDetails": MapColumn(map_columns.price_details),
        **map_columns.label_columns(map_columns.tags, map_columns.tags, map_columns.categories),
        "x_Discounts": MapColumn(map_columns.discounts),
        "x_Other": MapColumn(_other),
    },
    map_reads=(RATE_CODE, BUNDLED, *DETAIL_COLUMNS.values()),
    unpack=map_columns.unpack,
    left_out=amortization.excluded,
    tags=_normalized_tags,
)
MAPPING = KindMapping(
    tables={COST_AND_USAGE: COST_AND_USAGE_MAPPING, BILLING_DETAIL: detail.MAPPING},
    required=REQUIRED,
    period_start=PERIOD_START,
    currency=CURRENCY,
    sort_columns=columns.layout,
)

"""Legacy Cost and Usage Report to FOCUS 1.2.

Each entry names the column, the rule and its source: FOCUS is the FOCUS 1.2 column library, CUR
the data dictionary of the AWS Cost and Usage Report user guide, CID the queries of AWS's Cloud
Intelligence Dashboards. What could be read in two ways is in the decision records.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from cloudspend.convert import amortization, rules
from cloudspend.convert.amortization import CHARGE_TYPE, COST, PRODUCT, RESERVATION
from cloudspend.convert.mapping import (
    ARROW_SCHEMA,
    KindMapping,
    Layout,
    TableMapping,
    Target,
    always,
    copied,
    cost,
    derived,
    figure,
    maps_of,
    moment,
    never,
)
from cloudspend.convert.mappings import columns
from cloudspend.convert.maps import TEXT_MAP
from cloudspend.convert.rows import Numbers, Rows, text_map
from cloudspend.convert.schema import COST_AND_USAGE

ACCOUNT = "lineItem/UsageAccountId"
AMOUNT = "lineItem/UsageAmount"
CURRENCY = "lineItem/CurrencyCode"
LEGAL_ENTITY = "lineItem/LegalEntity"
PAYER = "bill/PayerAccountId"
PERIOD_START = "bill/BillingPeriodStartDate"
PLAN = "savingsPlan/SavingsPlanARN"
PLAN_TOTAL = "savingsPlan/TotalCommitmentToDate"
PLAN_USED = "savingsPlan/SavingsPlanEffectiveCost"
PRICE_CURRENCY = "pricing/currency"
PUBLIC_COST = "pricing/publicOnDemandCost"
PUBLIC_RATE = "pricing/publicOnDemandRate"
RATE = "lineItem/UnblendedRate"
RATE_CODE = "pricing/RateCode"
REGION = ("product/regionCode", "product/region")
RESOURCE = "lineItem/ResourceId"
SKU = "product/sku"
START, END = "lineItem/UsageStartDate", "lineItem/UsageEndDate"
UNIT = "pricing/unit"
USAGE_TYPE = "lineItem/UsageType"
NAME_TAG = "resourceTags/user:Name"
COMMITMENT = (RESERVATION, PLAN)
CURRENCIES = (PRICE_CURRENCY, CURRENCY)
PLAN_COSTS = (PLAN_USED, PLAN_TOTAL)
LIST_PRICE = (CHARGE_TYPE, AMOUNT, COST, PUBLIC_COST, PUBLIC_RATE)
CONTRACTED_PRICE = (*LIST_PRICE, RATE)


def _only(rows: Rows, figures: Numbers, *charge_types: str) -> Numbers:
    chosen = rows.where(lambda kind: kind in charge_types, CHARGE_TYPE)
    return np.where(chosen, figures, np.nan)


def _priced(rows: Rows, figures: Numbers) -> Numbers:
    return np.where(rows.where(rules.is_priced, CHARGE_TYPE), figures, np.nan)


def _commitment_quantity(rows: Rows) -> Numbers:
    quantity = _only(rows, rows.numbers(AMOUNT), "DiscountedUsage", "RIFee")
    used = _only(rows, rows.numbers(PLAN_USED), "SavingsPlanCoveredUsage")
    paid = _only(rows, rows.numbers(PLAN_TOTAL), "SavingsPlanRecurringFee")
    upfront = _only(rows, rows.numbers(COST), "SavingsPlanUpfrontFee")
    return _first(quantity, used, paid, upfront)


def _consumed(rows: Rows) -> Numbers:
    return _only(rows, rows.numbers(AMOUNT), *rules.USAGE)


def _contracted_cost(rows: Rows) -> Numbers:
    """Reserved usage is billed nothing: without the reservation it would cost the public price."""
    public = _only(rows, rows.numbers(PUBLIC_COST), "DiscountedUsage")
    return np.where(np.isnan(public), rows.numbers(COST), public)


def _contracted_price(rows: Rows) -> Numbers:
    public = _only(rows, rows.numbers_where_possible(PUBLIC_RATE), "DiscountedUsage")
    agreed = rows.numbers_where_possible(RATE)
    return _priced(rows, _first(public, agreed, _per_unit(rows, _contracted_cost(rows))))


def _list_cost(rows: Rows) -> Numbers:
    """FOCUS: where there is no list price, the list cost is what is billed."""
    public = _priced(rows, rows.numbers(PUBLIC_COST))
    return np.where(np.isnan(public), rows.numbers(COST), public)


def _list_price(rows: Rows) -> Numbers:
    public = rows.numbers_where_possible(PUBLIC_RATE)
    return _priced(rows, _first(public, _per_unit(rows, _list_cost(rows))))


def _pricing_currency_list_price(rows: Rows) -> Numbers:
    """AWS's public rate is in the currency of its price list, a cost in that of the bill."""
    public = rows.numbers_where_possible(PUBLIC_RATE)
    return _priced(rows, _first(public, _if_same_currency(rows, _list_price(rows))))


def _per_unit(rows: Rows, costs: Numbers) -> Numbers:
    """The price that makes up the cost, for a line item that bears no rate: a fee, a subscription.

    FOCUS: a unit price times the quantity is the cost.
    """
    quantity = rows.numbers(AMOUNT)
    with np.errstate(over="ignore"):
        price = np.divide(costs, quantity, out=np.full(rows.count, np.nan), where=quantity != 0)
    return np.where(np.isfinite(price), price, np.nan)


def _first(*choices: Numbers) -> Numbers:
    """In each row the first figure that is known."""
    chosen = choices[0]
    for other in choices[1:]:
        chosen = np.where(np.isnan(chosen), other, chosen)
    return chosen


def _quantity(rows: Rows) -> Numbers:
    return _priced(rows, rows.numbers(AMOUNT))


def _if_same_currency(rows: Rows, figures: Numbers) -> Numbers:
    """CUR gives no exchange rate: in another currency than the bill's a figure is not known."""
    same = rows.where(lambda price, bill: price in {None, bill}, PRICE_CURRENCY, CURRENCY)
    return np.where(same, figures, np.nan)


def _details(rows: Rows, layout: Layout) -> pa.Array:
    """Properties of the price, null where there is no price id (FOCUS)."""
    if not rows.has(RATE_CODE) or rows.text(RATE_CODE).null_count == rows.count:
        return pa.nulls(rows.count, TEXT_MAP)
    details = text_map(rows, layout.details)
    priced = rows.text(RATE_CODE).is_valid()
    indices = pa.array(np.arange(rows.count)).filter(priced)
    positions = np.full(rows.count, -1)
    positions[indices.to_numpy()] = indices.to_numpy()
    return details.take(pa.array(positions, mask=positions < 0))


def _tags(layout: Layout) -> list[tuple[str, str]]:
    """FOCUS 1.2: all of a customer's own labels, each further kind of them under a prefix."""
    return [*layout.tags, *((f"costCategory/{key}", name) for key, name in layout.categories)]


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
    Target("CapacityReservationId", never(), "not in the legacy report"),
    Target("CapacityReservationStatus", never(), "not in the legacy report"),
    Target("ChargeCategory", derived(rules.charge_category, CHARGE_TYPE), FOCUS),
    Target("ChargeClass", derived(rules.charge_class, "bill/BillType", CHARGE_TYPE), FOCUS),
    Target("ChargeDescription", copied("lineItem/LineItemDescription"), CUR),
    Target("ChargeFrequency", derived(rules.charge_frequency, CHARGE_TYPE), FOCUS),
    Target("ChargePeriodEnd", moment(END), CUR),
    Target("ChargePeriodStart", moment(START), CUR),
    Target("CommitmentDiscountCategory", derived(rules.commitment_category, *COMMITMENT), FOCUS),
    Target("CommitmentDiscountId", derived(rules.first, *COMMITMENT), FOCUS),
    Target("CommitmentDiscountName", never(), "not in the legacy report"),
    Target(
        "CommitmentDiscountQuantity",
        figure(_commitment_quantity, CHARGE_TYPE, AMOUNT, COST, *PLAN_COSTS),
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
    Target("ConsumedQuantity", figure(_consumed, CHARGE_TYPE, AMOUNT), FOCUS),
    Target("ConsumedUnit", derived(rules.consumed_unit, CHARGE_TYPE, UNIT), FOCUS),
    Target("ContractedCost", cost(_contracted_cost, COST, CHARGE_TYPE, PUBLIC_COST), FOCUS),
    Target("ContractedUnitPrice", figure(_contracted_price, *CONTRACTED_PRICE), FOCUS),
    Target("EffectiveCost", cost(amortization.effective, COST, *amortization.READS), CID),
    Target("InvoiceId", copied("bill/InvoiceId"), CUR),
    Target("InvoiceIssuerName", derived(rules.first, "bill/InvoicingEntity", LEGAL_ENTITY), FOCUS),
    Target("ListCost", cost(_list_cost, COST, CHARGE_TYPE, PUBLIC_COST), FOCUS),
    Target("ListUnitPrice", figure(_list_price, *LIST_PRICE), FOCUS),
    Target("PricingCategory", derived(rules.pricing_category, CHARGE_TYPE, USAGE_TYPE), FOCUS),
    Target("PricingCurrency", derived(rules.first, PRICE_CURRENCY, CURRENCY), FOCUS),
    Target(
        "PricingCurrencyContractedUnitPrice",
        figure(
            lambda rows: _if_same_currency(rows, _contracted_price(rows)),
            *CURRENCIES,
            *CONTRACTED_PRICE,
        ),
        FOCUS,
    ),
    Target(
        "PricingCurrencyEffectiveCost",
        figure(
            lambda rows: _if_same_currency(rows, amortization.effective(rows)),
            *CURRENCIES,
            *amortization.READS,
        ),
        FOCUS,
    ),
    Target(
        "PricingCurrencyListUnitPrice",
        figure(_pricing_currency_list_price, *CURRENCIES, *LIST_PRICE),
        FOCUS,
    ),
    Target("PricingQuantity", figure(_quantity, CHARGE_TYPE, AMOUNT), FOCUS),
    Target("PricingUnit", derived(rules.priced_unit, CHARGE_TYPE, UNIT), FOCUS),
    Target("ProviderName", always("AWS"), FOCUS),
    Target("PublisherName", derived(rules.publisher, "bill/BillingEntity", LEGAL_ENTITY), FOCUS),
    Target("RegionId", derived(rules.first, *REGION), CUR),
    Target("RegionName", derived(rules.region_name, *REGION, "product/location"), FOCUS),
    Target("ResourceId", copied(RESOURCE), CUR),
    Target("ResourceName", derived(rules.resource_name, RESOURCE, NAME_TAG), FOCUS),
    Target(
        "ResourceType",
        derived(rules.resource_type, RESOURCE, "product/productFamily", PRODUCT),
        FOCUS,
    ),
    Target("ServiceCategory", derived(rules.service_category, PRODUCT), FOCUS),
    Target("ServiceName", derived(rules.service_name, "product/ProductName", PRODUCT), FOCUS),
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
    Target("x_NetBilledCost", cost(amortization.net_billed, COST, *amortization.READS), CID),
    Target(
        "x_NetEffectiveCost",
        cost(amortization.net_effective, COST, *amortization.READS),
        CID,
    ),
)

REQUIRED = (CHARGE_TYPE, COST, ACCOUNT, PAYER, CURRENCY, PERIOD_START, START, END)


def _layout(names: Sequence[str], tables: Sequence[str]) -> Layout:
    return columns.layout(names, MAPPING.reads(tables))


COST_AND_USAGE_MAPPING = TableMapping(
    schema=ARROW_SCHEMA,
    targets=TARGETS,
    maps={
        "SkuPriceDetails": _details,
        "Tags": maps_of(_tags),
        "x_CostCategories": maps_of(lambda layout: layout.categories),
        "x_Other": maps_of(lambda layout: layout.unknown),
    },
    left_out=amortization.left_out,
)
MAPPING = KindMapping(
    tables={COST_AND_USAGE: COST_AND_USAGE_MAPPING},
    required=REQUIRED,
    period_start=PERIOD_START,
    currency=CURRENCY,
    layout=_layout,
)

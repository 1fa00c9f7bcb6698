"""Line items of CUR 2.0 to every column of `cost_and_usage` with pandas, as a peer to measure.

It does the same mapping, which a test holds it to row by row: the same rules for text, remembered
by their arguments, which takes no longer than pandas' own masks; whole columns of figures at a
time; and JSON read as pandas' users read it, row by row. So what is compared is the engine, not the
rules. With JSON remembered by its text as well pandas comes nearer: that is measured in addition.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from cloudspend.convert.focus import rules
from cloudspend.convert.focus.amortization import refunds_upfront_fee, repeats_other_rows
from cloudspend.convert.focus.detail_schema import DETAIL_COLUMNS as COLUMNS_OF_CUR
from cloudspend.convert.focus.mappings.map_columns import DETAIL_COLUMNS, DETAILS, SAID_ELSEWHERE
from cloudspend.convert.focus.names import chosen_key, label_key
from cloudspend.convert.focus.schema import COLUMNS, DOUBLE, NUMBER_MAP, STRING, TEXT_MAP, TIMESTAMP
from cloudspend.convert.focus.tags import CATEGORY, normalized_key

TYPE, COST, AMOUNT = (
    "line_item_line_item_type",
    "line_item_unblended_cost",
    "line_item_usage_amount",
)
NET_COST, PUBLIC = "line_item_net_unblended_cost", "pricing_public_on_demand_cost"
RESERVATION, PLAN = "reservation_reservation_a_r_n", "savings_plan_savings_plan_a_r_n"
PRODUCT, UNIT, CURRENCY = "line_item_product_code", "pricing_unit", "line_item_currency_code"
USAGE_TYPE, RESOURCE, SKU = "line_item_usage_type", "line_item_resource_id", "product_sku"
LEGAL, REGION = "line_item_legal_entity", "product_region_code"
RATE, PUBLIC_RATE = "line_item_unblended_rate", "pricing_public_on_demand_rate"
MAPS = ("product", "resource_tags", "cost_category", "discount")
DETAIL_OF = {
    "from_location": "product_from_location",
    "instance_family": "product_instance_family",
    "instance_type": "product_instance_type",
    "product_family": "product_product_family",
    "to_location": "product_to_location",
}
COPIED = {
    "AvailabilityZone": "line_item_availability_zone",
    "BillingAccountId": "bill_payer_account_id",
    "BillingAccountName": "bill_payer_account_name",
    "BillingCurrency": CURRENCY,
    "BillingPeriodEnd": "bill_billing_period_end_date",
    "BillingPeriodStart": "bill_billing_period_start_date",
    "ChargeDescription": "line_item_line_item_description",
    "ChargePeriodEnd": "line_item_usage_end_date",
    "ChargePeriodStart": "line_item_usage_start_date",
    "InvoiceId": "bill_invoice_id",
    "ResourceId": RESOURCE,
    "SkuId": SKU,
    "SkuPriceId": "pricing_rate_code",
    "SubAccountId": "line_item_usage_account_id",
    "SubAccountName": "line_item_usage_account_name",
    "x_ChargeType": TYPE,
    "x_NormalizedUsageAmount": "line_item_normalized_usage_amount",
    "x_Operation": "line_item_operation",
    "x_PublicOnDemandCost": PUBLIC,
    "x_ReservationUnusedNormalizedUnits": "reservation_unused_normalized_unit_quantity",
    "x_ReservationUnusedQuantity": "reservation_unused_quantity",
    "x_ServiceCode": PRODUCT,
    "x_UsageType": USAGE_TYPE,
}
CONSTANT = {
    "BillingAccountType": "Billing Account",
    "ProviderName": "AWS",
    "SubAccountType": "Account",
}
DERIVED: Mapping[str, tuple[Callable[..., str | None], tuple[str, ...]]] = {
    "ChargeCategory": (rules.charge_category, (TYPE,)),
    "ChargeClass": (rules.charge_class, ("bill_bill_type", TYPE)),
    "ChargeFrequency": (rules.charge_frequency, (TYPE,)),
    "CommitmentDiscountCategory": (rules.commitment_category, (RESERVATION, PLAN)),
    "CommitmentDiscountId": (rules.first, (RESERVATION, PLAN)),
    "CommitmentDiscountStatus": (rules.commitment_status, (TYPE, RESERVATION, PLAN)),
    "CommitmentDiscountType": (rules.commitment_type, (RESERVATION, PLAN)),
    "CommitmentDiscountUnit": (rules.commitment_unit, (TYPE, UNIT, CURRENCY)),
    "ConsumedUnit": (rules.consumed_unit, (TYPE, UNIT)),
    "InvoiceIssuerName": (rules.first, ("bill_invoicing_entity", LEGAL)),
    "PricingCategory": (rules.pricing_category, (TYPE, USAGE_TYPE)),
    "PricingCurrency": (rules.first, ("pricing_currency", CURRENCY)),
    "PricingUnit": (rules.priced_unit, (TYPE, UNIT)),
    "PublisherName": (rules.publisher, ("bill_billing_entity", LEGAL)),
    "RegionId": (rules.first, (REGION, "region")),
    "RegionName": (rules.region_name, (REGION, "region", "product_location")),
    "ResourceType": (rules.resource_type, (RESOURCE, "product_product_family", PRODUCT)),
    "ServiceCategory": (rules.service_category, (PRODUCT,)),
    "ServiceName": (rules.service_name, ("product_name", PRODUCT)),
    "ServiceSubcategory": (rules.service_subcategory, (PRODUCT,)),
    "SkuMeter": (rules.sku_meter, (SKU, USAGE_TYPE)),
    "x_CommitmentOffering": (
        rules.of_commitment,
        (RESERVATION, "pricing_offering_class", "savings_plan_offering_type"),
    ),
    "x_CommitmentPaymentOption": (
        rules.of_commitment,
        (RESERVATION, "pricing_purchase_option", "savings_plan_payment_option"),
    ),
    "x_CommitmentTerm": (
        rules.of_commitment,
        (RESERVATION, "pricing_lease_contract_length", "savings_plan_purchase_term"),
    ),
}
PLAN_FEE, PLAN_USED, RESERVED, RESERVATION_FEE = (
    "SavingsPlanRecurringFee",
    "SavingsPlanCoveredUsage",
    "DiscountedUsage",
    "RIFee",
)
PLAN_EFFECTIVE = "savings_plan_savings_plan_effective_cost"
PLAN_TOTAL = "savings_plan_total_commitment_to_date"
PLAN_SPENT = "savings_plan_used_commitment"
UNUSED_FEE = "reservation_unused_recurring_fee"
UNUSED_UPFRONT = "reservation_unused_amortized_upfront_fee_for_billing_period"
UPFRONT = {
    RESERVED: "reservation_amortized_upfront_cost_for_usage",
    RESERVATION_FEE: "reservation_amortized_upfront_fee_for_billing_period",
    PLAN_FEE: "savings_plan_amortized_upfront_commitment_for_billing_period",
}
FIGURES = {
    *(COST, NET_COST, AMOUNT, PUBLIC, RATE, PUBLIC_RATE, PLAN_EFFECTIVE, PLAN_TOTAL, PLAN_SPENT),
    *(UNUSED_FEE, UNUSED_UPFRONT, *UPFRONT.values()),
    "line_item_normalized_usage_amount",
    "reservation_effective_cost",
    "reservation_net_effective_cost",
    "reservation_net_unused_amortized_upfront_fee_for_billing_period",
    "reservation_net_unused_recurring_fee",
    "reservation_unused_normalized_unit_quantity",
    "reservation_unused_quantity",
    "savings_plan_net_savings_plan_effective_cost",
}
MADE = {"product_name", "region"}
READ = sorted(
    {*COPIED.values(), *FIGURES, *MAPS, *DETAIL_OF.values(), "line_item_operation"}
    | {name for _, names in DERIVED.values() for name in names if name not in MADE}
)
ARROW = {
    STRING: "string",
    DOUBLE: "double",
    TIMESTAMP: "timestamp",
    TEXT_MAP: "map<string,string>",
    NUMBER_MAP: "map<string,double>",
}
KINDS = {column.name: column.type for column in COLUMNS_OF_CUR}
TYPES = {column.name: ARROW[column.type] for column in COLUMNS}


def focus(rows: pd.DataFrame, *, remembered: bool = False) -> pd.DataFrame:
    """`rows`, read as text and numbers, as rows of `cost_and_usage`."""
    texts = [name for name in READ if name not in FIGURES and KINDS[name] != TIMESTAMP]
    as_objects = {name: rows[name].astype(object) for name in texts}
    rows = rows.assign(**{name: one.where(one.notna(), None) for name, one in as_objects.items()})
    # AWS's manifests call unit prices text.
    rows = rows.assign(**{name: pd.to_numeric(rows[name]) for name in (RATE, PUBLIC_RATE)})
    rows = rows[~np.array(_each(repeats_other_rows, rows[TYPE], rows["line_item_operation"]))]
    rows = rows.reset_index(drop=True)
    each = _each if remembered else _row_by_row
    product, tags, categories, discounts = (rows[name] for name in MAPS)
    rows["product_name"] = each(lambda text: _decoded(text).get("product_name"), product)
    rows["region"] = each(lambda text: _decoded(text).get("region"), product)
    made: dict[str, Any] = {column: rows[name] for column, name in COPIED.items()}
    made |= {column: [value] * len(rows) for column, value in CONSTANT.items()}
    for column, (function, names) in DERIVED.items():
        made[column] = _each(function, *(rows[name] for name in names))
    made |= _figures(rows)
    own = [rows[DETAIL_OF[key]] for key in DETAIL_COLUMNS]
    made |= {
        "ResourceName": each(_resource_name, rows[RESOURCE], tags),
        "SkuPriceDetails": each(_details, product, rows["pricing_rate_code"].notna(), *own),
        "Tags": each(_labels, tags, categories),
        "x_TagsNormalized": each(_normalized_tags, tags),
        "x_CostCategories": each(_entries, categories),
        "x_CostCategoriesNormalized": each(_normalized_categories, categories),
        "x_Discounts": each(_entries, discounts),
    }
    by_name = {column.lower(): values for column, values in made.items()}
    return pd.DataFrame({name: by_name.get(name) for name in TYPES})


def _figures(rows: pd.DataFrame) -> dict[str, Any]:
    kind, cost, amount, public = rows[TYPE], rows[COST], rows[AMOUNT], rows[PUBLIC]
    used, fee = kind == PLAN_USED, kind == PLAN_FEE
    reserved, reservation_fee = kind == RESERVED, kind == RESERVATION_FEE
    priced = np.array(_each(rules.is_priced, kind))
    billed, net = cost.mask(used, 0.0), rows[NET_COST].fillna(cost)
    contracted = cost.mask(reserved & public.notna(), public)
    listed = cost.mask(priced & public.notna(), public)
    list_price = _first(rows[PUBLIC_RATE], _per_unit(listed, amount)).where(priced)
    agreed = _first(
        rows[PUBLIC_RATE].where(reserved), rows[RATE], _per_unit(contracted, amount)
    ).where(priced)
    same = np.array(_each(_same, rows["pricing_currency"], rows[CURRENCY]))
    effective = _effective(rows, cost, "")
    return {
        "BilledCost": billed,
        "CommitmentDiscountQuantity": _first(
            amount.where(reserved | reservation_fee),
            rows[PLAN_EFFECTIVE].where(used),
            rows[PLAN_TOTAL].where(fee),
            cost.where(kind == "SavingsPlanUpfrontFee"),
        ),
        "ConsumedQuantity": amount.where(kind.isin(rules.USAGE)),
        "ContractedCost": contracted,
        "ContractedUnitPrice": agreed,
        "EffectiveCost": effective,
        "ListCost": listed,
        "ListUnitPrice": list_price,
        "PricingCurrencyContractedUnitPrice": agreed.where(same),
        "PricingCurrencyEffectiveCost": effective.where(same),
        "PricingCurrencyListUnitPrice": _first(rows[PUBLIC_RATE], list_price.where(same)).where(
            priced
        ),
        "PricingQuantity": amount.where(priced),
        "x_AmortizedUpfrontCost": _first(
            *(rows[name].where(kind == charge_type) for charge_type, name in UPFRONT.items())
        ),
        "x_NetBilledCost": net.mask(used, 0.0),
        "x_NetEffectiveCost": _effective(rows, net, "net_"),
        "x_SavingsPlanCommitment": rows[PLAN_TOTAL].where(fee),
        "x_SavingsPlanUsedCommitment": rows[PLAN_SPENT].where(fee),
    }


def _effective(rows: pd.DataFrame, cost: pd.Series, net: str) -> pd.Series:
    kind = rows[TYPE]

    def figure(group: str, name: str) -> pd.Series:
        gross = rows[f"{group}{name}"]
        return (rows[f"{group}{net}{name}"].fillna(gross) if net else gross).fillna(0.0)

    refunded = (kind == "Refund") & (rows[PRODUCT] == "ComputeSavingsPlans")
    upfront = np.array(_each(refunds_upfront_fee, rows["line_item_line_item_description"]))
    nothing = kind.isin(["SavingsPlanUpfrontFee"]) | (refunded & upfront)
    nothing |= (kind == "Fee") & rows[RESERVATION].notna()
    unused = figure("reservation_", "unused_amortized_upfront_fee_for_billing_period")
    choices: list[tuple[Any, Any]] = [
        (kind == PLAN_USED, figure("savings_plan_", "savings_plan_effective_cost")),
        (kind == PLAN_FEE, rows[PLAN_TOTAL].fillna(0.0) - rows[PLAN_SPENT].fillna(0.0)),
        (kind == RESERVED, figure("reservation_", "effective_cost")),
        (kind == RESERVATION_FEE, unused + figure("reservation_", "unused_recurring_fee")),
        (nothing, 0.0),
    ]
    values = np.select([chosen for chosen, _ in choices], [value for _, value in choices], cost)
    return pd.Series(values, rows.index)


def _per_unit(costs: pd.Series, amount: pd.Series) -> pd.Series:
    return (costs / amount).where(amount != 0)


def _first(*choices: pd.Series) -> pd.Series:
    chosen = choices[0]
    for other in choices[1:]:
        chosen = chosen.fillna(other)
    return chosen


def _each(function: Callable[..., Any], *columns: Any) -> list[Any]:
    """`function` of each row's values, remembered by those."""
    remembered = cache(function)
    return [remembered(*values) for values in zip(*columns, strict=True)]


def _row_by_row(function: Callable[..., Any], *columns: Any) -> list[Any]:
    return [function(*values) for values in zip(*columns, strict=True)]


def _decoded(text: str | None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text) if text else {}
    return found


def _entries(text: str | None) -> list[tuple[str, Any]] | None:
    return list(_decoded(text).items()) or None


def _same(price: str | None, bill: str | None) -> bool:
    return price in {None, bill}


def _tags(text: str | None) -> list[tuple[str, str]]:
    return [(_chosen(key), value) for key, value in _decoded(text).items() if value]


def _normalized_tags(text: str | None) -> list[tuple[str, str]] | None:
    return [(_normalized(key), value) for key, value in _tags(text)] or None


def _normalized_categories(text: str | None) -> list[tuple[str, str]] | None:
    return [(_label(name), value) for name, value in _decoded(text).items()] or None


def _resource_name(resource: str | None, text: str | None) -> str | None:
    return dict(_normalized_tags(text) or []).get("name") if resource else None


def _labels(tags: str | None, categories: str | None) -> list[tuple[str, str]] | None:
    named = [(f"{CATEGORY}{name}", value) for name, value in _decoded(categories).items()]
    return [*_tags(tags), *named] or None


def _details(text: str | None, priced: Any, *own: str | None) -> list[tuple[str, str]] | None:
    """Properties of a price by FOCUS's names, in the order of AWS's."""
    if not priced:
        return None
    product = {key: value for key, value in _decoded(text).items() if key not in DETAIL_COLUMNS}
    product |= {key: value for key, value in zip(DETAIL_COLUMNS, own, strict=True) if value}
    return [
        (_detail(key), value)
        for key, value in sorted(product.items())
        if value and key not in SAID_ELSEWHERE
    ]


@cache
def _detail(key: str) -> str:
    return DETAILS.get(key) or "x_" + "".join(w[:1].upper() + w[1:] for w in key.split("_"))


_chosen, _normalized, _label = cache(chosen_key), cache(normalized_key), cache(label_key)

"""Mapping of FOCUS 1.0 and 1.2, as AWS exports them, to FOCUS 1.2.

Columns are copied by name, since AWS has applied FOCUS's rules. Columns that 1.0 lacks are derived
where a document defines how, and otherwise null. Sources: AWS12 is "FOCUS 1.2 with AWS columns" and
AWS10 "FOCUS 1.0 with AWS columns" (AWS Data Exports user guide), MIGRATION that guide's text on
changing from one to the other (x_UsageType became SkuMeter), FOCUS the FOCUS 1.2 column library,
OWN CloudSpend's reading, which the decision records explain. AWS delivers no separate net figures:
discounts are included in its costs.
"""

from collections.abc import Callable, Sequence

from cloudspend.convert.engine.maps import Maps, each
from cloudspend.convert.engine.rows import Rows
from cloudspend.convert.engine.scalars import number
from cloudspend.convert.focus import rules
from cloudspend.convert.focus.attributes import Attributes, all_renamed
from cloudspend.convert.focus.mapping import (
    ARROW_SCHEMA,
    EncodedMaps,
    KindMapping,
    Layout,
    MapColumn,
    Rule,
    TableMapping,
    Target,
    copy,
    cost,
    derived,
    moment,
    null,
    number_or_null,
)
from cloudspend.convert.focus.mappings import map_columns
from cloudspend.convert.focus.names import chosen_key, column_key
from cloudspend.convert.focus.schema import COLUMNS, COST_AND_USAGE
from cloudspend.convert.focus.tags import CATEGORY, categories_in

AWS10, AWS12, FOCUS, OWN = "AWS FOCUS 1.0", "AWS FOCUS 1.2", "FOCUS 1.2", "CloudSpend"
MIGRATION = "AWS: migrating from FOCUS 1.0 to 1.2"

CODE = "x_ServiceCode"
PERIOD_START = "BillingPeriodStart"
CURRENCY = "BillingCurrency"
COMMITMENT = ("CommitmentDiscountCategory", "CommitmentDiscountStatus")
METER = ("SkuMeter", "x_UsageType")

COSTS = ("BilledCost", "ContractedCost", "EffectiveCost", "ListCost")
MOMENTS = ("BillingPeriodEnd", "BillingPeriodStart", "ChargePeriodEnd", "ChargePeriodStart")
# Figures that no total is computed from: text in one of them is kept in `x_other` and does not stop
# the bill.
FIGURES = (
    "CommitmentDiscountQuantity",
    "ConsumedQuantity",
    "ContractedUnitPrice",
    "ListUnitPrice",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "PricingQuantity",
)
TEXTS = (
    "AvailabilityZone",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "CapacityReservationId",
    "CapacityReservationStatus",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "CommitmentDiscountUnit",
    "ConsumedUnit",
    "InvoiceId",
    "InvoiceIssuerName",
    "PricingCategory",
    "PricingCurrency",
    "PricingUnit",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "SkuId",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
)
# Columns that only line items have.
UNTOLD = (
    "x_PublicOnDemandCost",
    "x_NormalizedUsageAmount",
    "x_CommitmentOffering",
    "x_CommitmentPaymentOption",
    "x_CommitmentTerm",
    "x_AmortizedUpfrontCost",
    "x_ReservationUnusedQuantity",
    "x_ReservationUnusedNormalizedUnits",
    "x_SavingsPlanCommitment",
    "x_SavingsPlanUsedCommitment",
)
# Map columns by `column_key`, and the attributes that they contain.
PACKED = {
    "tags": "tags",
    "xcostcategories": "categories",
    "skupricedetails": "products",
    "xdiscounts": "discounts",
}
VARIED_KEYS = {column_key(name) for name in (*COSTS, *FIGURES)}
KNOWN_KEYS = {
    *(column_key(column.name) for column in COLUMNS if not column.name.startswith("x_")),
    *(column_key(name) for name in ("x_Operation", CODE, "x_UsageType")),
}


def _cost(name: str) -> Rule:
    return cost(lambda rows: rows.numbers(name), name)


def _or_else(name: str, word: str) -> Rule:
    return derived(lambda text: text or word, name)


def _each(names: Sequence[str], rule: Callable[[str], Rule], source: str) -> list[Target]:
    return [Target(name, rule(name), source) for name in names]


TARGETS = (
    *_each(TEXTS, copy, AWS12),
    *_each(COSTS, _cost, AWS12),
    *_each(MOMENTS, moment, AWS12),
    *_each(FIGURES, number_or_null, AWS12),
    Target("BillingAccountType", _or_else("BillingAccountType", "Billing Account"), FOCUS),
    Target(
        "ChargeFrequency",
        derived(rules.focus_frequency, "ChargeFrequency", "ChargeCategory"),
        FOCUS,
    ),
    Target("ProviderName", _or_else("ProviderName", "AWS"), FOCUS),
    Target("ServiceCategory", derived(rules.category_named, "ServiceCategory", CODE), AWS12),
    Target("ServiceName", derived(rules.service_name, "ServiceName", CODE), AWS12),
    Target("ServiceSubcategory", derived(rules.subcategory_named, "ServiceSubcategory", CODE), OWN),
    Target("SkuMeter", derived(rules.first, *METER), MIGRATION),
    Target("SubAccountType", _or_else("SubAccountType", "Account"), FOCUS),
    Target(
        "x_ChargeType",
        derived(
            rules.focus_charge_type,
            "ChargeCategory",
            "ChargeClass",
            "ChargeFrequency",
            *COMMITMENT,
        ),
        OWN,
    ),
    Target("x_Operation", copy("x_Operation"), AWS10),
    Target("x_UsageType", derived(rules.first, *METER), MIGRATION),
    Target("x_ServiceCode", copy(CODE), AWS10),
    Target("x_NetBilledCost", _cost("BilledCost"), OWN),
    Target("x_NetEffectiveCost", _cost("EffectiveCost"), OWN),
    *_each(UNTOLD, lambda name: null(ARROW_SCHEMA.field(name.lower()).type), "not in FOCUS"),
)

REQUIRED = (*COSTS, *MOMENTS, "BillingAccountId", CURRENCY, "ChargeCategory")


def _layout(names: Sequence[str], read: set[str]) -> Layout:
    maps: dict[str, Attributes] = {}
    unknown, wanted = [], []
    seen: set[str] = set()
    for name in names:
        key = column_key(name)
        if key in seen or key not in {*PACKED, *KNOWN_KEYS}:
            unknown.append((name, name))
        elif key in PACKED:
            maps[PACKED[key]] = Attributes(packed=name)
        elif key not in read:
            continue
        seen.add(key)
        wanted.append(name)
    high_cardinality = frozenset(name for name in wanted if column_key(name) in VARIED_KEYS)
    return Layout(tuple(wanted), high_cardinality, unknown=tuple(unknown), **maps)


def _shown(rows: Rows, layout: Layout) -> EncodedMaps:
    """Return tags by AWS's own FOCUS keys."""
    return map_columns.found_in(rows, (layout.tags,), _without_categories)


def _tags(rows: Rows, layout: Layout) -> EncodedMaps:
    return map_columns.found_in(rows, (layout.tags,), _chosen)


def _categories(rows: Rows, layout: Layout) -> EncodedMaps:
    """Return cost categories: FOCUS 1.0 has a column for them, 1.2 keeps them in Tags with a
    prefix.
    """
    return map_columns.found_in(rows, (layout.categories, layout.tags), _all_categories)


def _normalized_tags(rows: Rows, layout: Layout) -> EncodedMaps:
    return map_columns.normalized(rows, layout, _tags)


def _without_categories(tags: Maps) -> Maps:
    return tags.without(name for name in tags.names if name.startswith(CATEGORY))


def _chosen(tags: Maps) -> Maps:
    return all_renamed(_without_categories(tags), chosen_key)


def _all_categories(categories: Maps, tags: Maps) -> Maps:
    among_tags = tags.without(name for name in tags.names if not name.startswith(CATEGORY))
    if not len(among_tags.keys):
        return categories
    return each(lambda own, other: {**categories_in(other), **own}, categories, among_tags)


def _price_details(rows: Rows, layout: Layout) -> EncodedMaps:
    return layout.products.read(rows)


def _other(rows: Rows, layout: Layout) -> EncodedMaps:
    return map_columns.other_columns(rows, layout, dict.fromkeys(FIGURES, number))


MAPPING = KindMapping(
    tables={
        COST_AND_USAGE: TableMapping(
            schema=ARROW_SCHEMA,
            targets=TARGETS,
            maps={
                "SkuPriceDetails": MapColumn(_price_details),
                **map_columns.label_columns(_shown, _tags, _categories),
                "x_Discounts": MapColumn(map_columns.discounts),
                "x_Other": MapColumn(_other),
            },
            tags=_normalized_tags,
        )
    },
    required=REQUIRED,
    period_start=PERIOD_START,
    currency=CURRENCY,
    sort_columns=_layout,
)

"""What a conversion is measured against: pandas with awswrangler's schemas.

pandas reads with explicit types, since untyped account ids lose their zeros, and awswrangler's own
function derives the schema as its `s3.to_parquet` does; only the upload is left out. The mapping is
vectorised, reads only what it needs and covers the columns of FOCUS 1.2 that rules are simple for:
it does less than CloudSpend's, so that a ratio against it is not flattered.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from awswrangler import _data_types

from cloudspend.convert.detail_schema import DETAIL_COLUMNS
from cloudspend.convert.schema import DOUBLE, TIMESTAMP

KINDS = {column.name: column.type for column in DETAIL_COLUMNS}
MAPS = {"SkuPriceDetails": "product", "Tags": "resource_tags", "x_CostCategories": "cost_category"}
COPIED = {
    "AvailabilityZone": "line_item_availability_zone",
    "BillingAccountId": "bill_payer_account_id",
    "BillingAccountName": "bill_payer_account_name",
    "BillingCurrency": "line_item_currency_code",
    "BillingPeriodEnd": "bill_billing_period_end_date",
    "BillingPeriodStart": "bill_billing_period_start_date",
    "ChargeDescription": "line_item_line_item_description",
    "ChargePeriodEnd": "line_item_usage_end_date",
    "ChargePeriodStart": "line_item_usage_start_date",
    "InvoiceId": "bill_invoice_id",
    "InvoiceIssuerName": "bill_invoicing_entity",
    "ListCost": "pricing_public_on_demand_cost",
    "PricingCurrency": "pricing_currency",
    "PricingQuantity": "line_item_usage_amount",
    "PricingUnit": "pricing_unit",
    "RegionId": "product_region_code",
    "ResourceId": "line_item_resource_id",
    "SkuId": "product_sku",
    "SkuMeter": "line_item_usage_type",
    "SkuPriceId": "pricing_rate_code",
    "SubAccountId": "line_item_usage_account_id",
    "SubAccountName": "line_item_usage_account_name",
    "x_ChargeType": "line_item_line_item_type",
    "x_Operation": "line_item_operation",
    "x_ServiceCode": "line_item_product_code",
}
CATEGORIES = {
    "Tax": "Tax",
    "Credit": "Credit",
    **dict.fromkeys(("Fee", "RIFee"), "Purchase"),
    **dict.fromkeys(("SavingsPlanRecurringFee", "SavingsPlanUpfrontFee"), "Purchase"),
}
TYPE, COST = "line_item_line_item_type", "line_item_unblended_cost"
RESERVATION, PLAN = "reservation_reservation_a_r_n", "savings_plan_savings_plan_a_r_n"
EFFECTIVE = {
    "DiscountedUsage": "reservation_effective_cost",
    "RIFee": "reservation_unused_recurring_fee",
    "SavingsPlanCoveredUsage": "savings_plan_savings_plan_effective_cost",
}


def raw(chunk: Path, out: Path) -> int:
    """All columns typed, maps as JSON text: how many rows."""
    rows = _read(chunk)
    _write(rows, out, {})
    return len(rows)


def mapped(chunk: Path, out: Path) -> int:
    """The columns of FOCUS, maps as Parquet maps: how many rows."""
    reads = {*COPIED.values(), *MAPS.values(), *EFFECTIVE.values(), TYPE, COST, RESERVATION, PLAN}
    rows = _focus(_read(chunk, sorted(reads)))
    _write(rows, out, dict.fromkeys(MAPS, "map<string,string>"))
    return len(rows)


def _read(chunk: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    names = columns or pd.read_csv(chunk, nrows=0).columns.tolist()
    moments = [name for name in names if KINDS.get(name) == TIMESTAMP]
    types = {name: "float64" if KINDS.get(name) == DOUBLE else "str" for name in names}
    rows = pd.read_csv(
        chunk,
        usecols=list(names),
        dtype={name: kind for name, kind in types.items() if name not in moments},
        parse_dates=moments,
        keep_default_na=False,
        na_values=[""],
    )
    return rows.assign(**{name: rows[name].dt.tz_localize(None) for name in moments})


def _focus(rows: pd.DataFrame) -> pd.DataFrame:
    kind, cost = rows[TYPE], rows[COST]
    made: dict[str, Any] = {column: rows[name] for column, name in COPIED.items()}
    made["BilledCost"] = cost.mask(kind == "SavingsPlanCoveredUsage", 0.0)
    effective = [kind == charge_type for charge_type in EFFECTIVE]
    made["EffectiveCost"] = np.select(effective, [rows[name] for name in EFFECTIVE.values()], cost)
    made["ChargeCategory"] = kind.map(CATEGORIES).fillna("Usage")
    made["CommitmentDiscountId"] = rows[RESERVATION].fillna(rows[PLAN])
    read = {column: rows[name].map(_entries) for column, name in MAPS.items()}
    made["ServiceName"] = read["SkuPriceDetails"].map(lambda one: dict(one).get("product_name"))
    made["ResourceName"] = read["Tags"].map(lambda one: dict(one).get("user_name"))
    return pd.DataFrame({**made, **read})[kind != "SavingsPlanNegation"]


def _entries(text: Any) -> list[tuple[str, str]]:
    return list(json.loads(text).items()) if isinstance(text, str) else []


def _write(rows: pd.DataFrame, out: Path, types: Mapping[str, str]) -> None:
    schema = _data_types.pyarrow_schema_from_pandas(
        df=rows, index=False, ignore_cols=None, dtype=dict(types)
    )
    table = pa.Table.from_pandas(rows, schema=schema, preserve_index=False, safe=True)
    pq.write_table(table, out, compression="snappy", flavor="spark", coerce_timestamps="ms")

"""The bill as AWS delivers it for each export kind: gzip-compressed csv.

Sources: AWS CUR user guide, data dictionary; AWS Data Exports user guide, table dictionary: "CUR
2.0", "FOCUS 1.0 with AWS columns", "FOCUS 1.2 with AWS columns" and the conformance gaps of both.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.focus.detail_schema import DETAIL_COLUMNS
from cloudspend.convert.focus.names import snake
from conformance.bill import line_items

Record = Mapping[str, str]

# What CUR 2.0 keeps together in a map, by the heading of the legacy report's columns.
MAPS = {"product": "product", "resourceTags": "resource_tags", "costCategory": "cost_category"}
OWN_COLUMNS = {column.name for column in DETAIL_COLUMNS}

# What FOCUS 1.2 has over 1.0.
SINCE_1_2 = {
    "BillingAccountType",
    "CapacityReservationId",
    "CapacityReservationStatus",
    "CommitmentDiscountQuantity",
    "CommitmentDiscountUnit",
    "InvoiceId",
    "PricingCurrency",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "ServiceSubcategory",
    "SkuMeter",
    "SkuPriceDetails",
    "SubAccountType",
}
AWS_COLUMNS = {"x_Operation", "x_ServiceCode"}
# Null for fees and subscriptions in AWS's own exports ("conformance gaps").
GAPS = ("ContractedUnitPrice", "ListUnitPrice", "PricingCurrencyListUnitPrice")


def legacy() -> bytes:
    """A legacy Cost and Usage Report."""
    return _gzipped_csv(line_items())


def cur_2() -> bytes:
    """CUR 2.0: snake case, attributes and labels in JSON maps, and accounts with names."""
    return _gzipped_csv([_nested(item) for item in line_items()])


def focus(records: Sequence[Record]) -> bytes:
    """FOCUS 1.2 as AWS exports it, of the bill in FOCUS's columns, with AWS's gaps."""
    return _gzipped_csv([_as_aws(record) for record in records])


def focus_1_0(records: Sequence[Record]) -> bytes:
    """FOCUS 1.0: fewer columns, and the meter as `x_UsageType`."""
    return _gzipped_csv(
        [
            {name: text for name, text in _as_aws(record).items() if name not in SINCE_1_2}
            | {"x_UsageType": record["SkuMeter"]}
            for record in records
        ]
    )


def _nested(item: Record) -> dict[str, str]:
    flat: dict[str, str] = {}
    maps: dict[str, dict[str, str]] = {name: {} for name in MAPS.values()}
    for column, text in item.items():
        heading, _, name = column.partition("/")
        own = f"{snake(heading)}_{snake(name)}"
        if heading in MAPS and own not in OWN_COLUMNS:
            key = name.replace("user:", "user_").replace("aws:", "aws_")
            maps[MAPS[heading]][snake(key) if heading == "product" else key] = text
        else:
            flat[own] = text
    flat["bill_payer_account_name"] = "Example Organization"
    flat["line_item_usage_account_name"] = f"Account {item['lineItem/UsageAccountId'][-4:]}"
    return flat | {name: json.dumps(entries) for name, entries in maps.items()}


def _as_aws(record: Record) -> dict[str, str]:
    kept = {
        name: text
        for name, text in record.items()
        if name in AWS_COLUMNS or not name.startswith("x_")
    }
    unrated = dict.fromkeys(GAPS if record["SkuPriceId"] == "" else (), "")
    return kept | unrated


def _gzipped_csv(records: Sequence[Record]) -> bytes:
    text = io.StringIO()
    names = dict.fromkeys(name for record in records for name in record)
    writer = csv.DictWriter(text, list(names), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return gzip.compress(text.getvalue().encode())


LINE_ITEMS: Mapping[ExportKind, Callable[[], bytes]] = {
    ExportKind.CUR_LEGACY: legacy,
    ExportKind.CUR_2_0: cur_2,
}
FOCUS: Mapping[ExportKind, Callable[[Sequence[Record]], bytes]] = {
    ExportKind.FOCUS_1_0: focus_1_0,
    ExportKind.FOCUS_1_2: focus,
}

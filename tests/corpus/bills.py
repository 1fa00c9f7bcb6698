"""A small right bill of each kind, to be broken in one place at a time."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.focus.mappings import MAPPINGS
from cloudspend.convert.model import ConversionSummary, ConversionTask
from cloudspend.convert.task import convert_task
from tests.fakes.convert import BUCKET, OCTOBER, USAGE, FakeSink, FakeSource

Row = Mapping[str, str]


@dataclass(frozen=True)
class Columns:
    """What the columns are called that every kind has under some name."""

    cost: str
    account: str
    currency: str
    period: str
    charge_start: str
    category: str
    description: str


LEGACY = Columns(
    cost="lineItem/UnblendedCost",
    account="lineItem/UsageAccountId",
    currency="lineItem/CurrencyCode",
    period="bill/BillingPeriodStartDate",
    charge_start="lineItem/UsageStartDate",
    category="lineItem/LineItemType",
    description="lineItem/LineItemDescription",
)
CUR_2_0 = Columns(
    cost="line_item_unblended_cost",
    account="line_item_usage_account_id",
    currency="line_item_currency_code",
    period="bill_billing_period_start_date",
    charge_start="line_item_usage_start_date",
    category="line_item_line_item_type",
    description="line_item_line_item_description",
)
FOCUS = Columns(
    cost="BilledCost",
    account="SubAccountId",
    currency="BillingCurrency",
    period="BillingPeriodStart",
    charge_start="ChargePeriodStart",
    category="ChargeCategory",
    description="ChargeDescription",
)
COLUMNS: Mapping[ExportKind, Columns] = {
    ExportKind.CUR_LEGACY: LEGACY,
    ExportKind.CUR_2_0: CUR_2_0,
    ExportKind.FOCUS_1_0: FOCUS,
    ExportKind.FOCUS_1_2: FOCUS,
}

_FOCUS_ROW: Row = {
    "AvailabilityZone": "eu-central-1a",
    "BilledCost": "0.096",
    "BillingAccountId": "111111111111",
    "BillingAccountName": "Example",
    "BillingCurrency": "USD",
    "BillingPeriodEnd": "2026-11-01T00:00:00.000Z",
    "BillingPeriodStart": "2026-10-01T00:00:00.000Z",
    "ChargeCategory": "Usage",
    "ChargeClass": "",
    "ChargeDescription": "m5.large by the hour",
    "ChargeFrequency": "Usage-Based",
    "ChargePeriodEnd": "2026-10-05T02:00:00.000Z",
    "ChargePeriodStart": "2026-10-05T01:00:00.000Z",
    "ConsumedQuantity": "1",
    "ConsumedUnit": "Hrs",
    "ContractedCost": "0.096",
    "ContractedUnitPrice": "0.096",
    "EffectiveCost": "0.096",
    "InvoiceIssuerName": "Amazon Web Services, Inc.",
    "ListCost": "0.096",
    "ListUnitPrice": "0.096",
    "PricingCategory": "Standard",
    "PricingQuantity": "1",
    "PricingUnit": "Hrs",
    "ProviderName": "AWS",
    "PublisherName": "Amazon Web Services, Inc.",
    "RegionId": "eu-central-1",
    "RegionName": "EU (Frankfurt)",
    "ResourceId": "i-0123456789abcdef0",
    "ResourceName": "web",
    "ResourceType": "Instance",
    "ServiceCategory": "Compute",
    "ServiceName": "Amazon Elastic Compute Cloud",
    "SkuId": "ABC",
    "SkuPriceId": "ABC.DEF",
    "SubAccountId": "022222222222",
    "SubAccountName": "Shop",
    "Tags": json.dumps({"Name": "web"}),
    "x_Discounts": "",
    "x_Operation": "RunInstances",
    "x_ServiceCode": "AmazonEC2",
}

ROWS: Mapping[ExportKind, Row] = {
    ExportKind.CUR_LEGACY: {**USAGE, LEGACY.description: "m5.large by the hour"},
    ExportKind.CUR_2_0: {
        "bill_payer_account_id": "111111111111",
        "bill_payer_account_name": "Example",
        "bill_billing_entity": "AWS",
        "bill_bill_type": "Anniversary",
        "bill_billing_period_start_date": "2026-10-01T00:00:00.000Z",
        "bill_billing_period_end_date": "2026-11-01T00:00:00.000Z",
        "line_item_usage_account_id": "022222222222",
        "line_item_usage_account_name": "Shop",
        "line_item_line_item_type": "Usage",
        "line_item_line_item_description": "m5.large by the hour",
        "line_item_usage_start_date": "2026-10-05T01:00:00.000Z",
        "line_item_usage_end_date": "2026-10-05T02:00:00.000Z",
        "line_item_product_code": "AmazonEC2",
        "line_item_usage_type": "BoxUsage:m5.large",
        "line_item_operation": "RunInstances",
        "line_item_resource_id": "i-0123456789abcdef0",
        "line_item_usage_amount": "1",
        "line_item_currency_code": "USD",
        "line_item_unblended_rate": "0.096",
        "line_item_unblended_cost": "0.096",
        "line_item_legal_entity": "Amazon Web Services, Inc.",
        "pricing_unit": "Hrs",
        "pricing_public_on_demand_cost": "0.096",
        "pricing_public_on_demand_rate": "0.096",
        "product": json.dumps({"product_name": "Amazon Elastic Compute Cloud"}),
        "product_region_code": "eu-central-1",
        "resource_tags": json.dumps({"user_name": "web"}),
        "cost_category": json.dumps({"team": "shop"}),
        "discount": "",
    },
    ExportKind.FOCUS_1_0: {**_FOCUS_ROW, "x_UsageType": "BoxUsage:m5.large"},
    ExportKind.FOCUS_1_2: {
        **_FOCUS_ROW,
        "BillingAccountType": "Billing Account",
        "InvoiceId": "",
        "ServiceSubcategory": "Virtual Machines",
        "SkuMeter": "BoxUsage:m5.large",
        "SkuPriceDetails": json.dumps({"InstanceType": "m5.large"}),
        "SubAccountType": "Account",
    },
}

# Those that can be converted; a kind that is added is tested without a change here.
KINDS = [kind for kind in ExportKind if kind in MAPPINGS]


def rows(kind: ExportKind, *changes: Row) -> list[Row]:
    """One row for each of `changes`, with those values changed."""
    return [{**ROWS[kind], **change} for change in changes]


def csv_of(table: Sequence[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue().encode()


def gzipped(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def zipped(*members: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for number, member in enumerate(members):
            archive.writestr(zipfile.ZipInfo(f"{number}.csv"), member, method)
    return target.getvalue()


PACKED: Mapping[str, Callable[[bytes], bytes]] = {"gzip": gzipped, "zip": zipped}
FILE = f"s3://{BUCKET}/bill"


def converted(
    kind: ExportKind, compression: str, body: bytes
) -> tuple[ConversionSummary, dict[str, bytes]]:
    """What comes of one delivered file: the summary, and the sink's objects."""
    source, sink = FakeSource(), FakeSink()
    task = ConversionTask(
        "111111111111",
        OCTOBER,
        "20261103T063000Z-aaaaaaaa",
        0,
        kind,
        compression,
        (source.put("bill", body),),
    )
    try:
        return convert_task(task, source, sink), sink.objects
    except BaseException:
        assert sink.objects == {}, "something was put although the task failed"
        raise

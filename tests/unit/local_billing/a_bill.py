"""A small bill for the tests of the local billing services."""

from local.billing.ledger import LEDGER

COLUMNS = [
    "bill/InvoiceId",
    "lineItem/UsageAccountId",
    "lineItem/LineItemType",
    "lineItem/UsageStartDate",
    "lineItem/ProductCode",
    "lineItem/UsageType",
    "lineItem/UnblendedCost",
    "lineItem/CurrencyCode",
    "lineItem/Operation",
    "product/ProductName",
]
PAYER, MEMBER, OTHER = "111111111111", "222222222222", "333333333333"


def row(
    account: str,
    cost: str,
    *,
    kind: str = "Usage",
    day: str = "2026-10-03T00:00:00Z",
    code: str = "AmazonS3",
    usage: str = "TimedStorage-ByteHrs",
    invoice: str = "123",
    operation: str = "",
) -> list[str]:
    name = f"Product {code}"
    return [invoice, account, kind, day, code, usage, cost, "USD", operation, name]


def post(rows: list[list[str]], period: str = "2026-10", payer: str = PAYER) -> None:
    LEDGER.replace(payer, period, COLUMNS, rows)

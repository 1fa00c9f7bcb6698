"""AWS Invoicing (`invoicing`): what was invoiced, by the ledger's line items.

AWS invoices the account that pays, in the first days of the month that follows; what has no invoice
id yet is on no invoice. Amounts are rounded to the cent as an invoice's are.
"""

from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal

from local.billing.intervals import next_month
from local.billing.ledger import LEDGER, LineItem
from local.billing.vocabulary import TAX
from local.services import Members, ServiceError

PAGE_SIZE = 5
DAY_OF_INVOICES = 3
_CENT = Decimal("0.01")
_MARKETPLACE = "AWS Marketplace"

Key = tuple[date, str, str]


def list_invoice_summaries(account: str, request: Members) -> Members:
    """The invoices of the selected account and, where it is asked for, billing period."""
    selector, wanted = request["Selector"], request.get("Filter", {})
    if selector["ResourceType"] == "ACCOUNT_ID" and selector["Value"] != account:
        raise ServiceError("AccessDeniedException", "You cannot see this account's invoices.")
    found = [
        _summary(account, key, items)
        for key, items in sorted(_invoices(account).items())
        if selector["Value"] in (account, key[2]) and _filtered(wanted, key)
    ]
    start = _start(request)
    end = start + request.get("MaxResults", PAGE_SIZE)
    token = {"NextToken": str(end)} if end < len(found) else {}
    return {"InvoiceSummaries": found[start:end], **token}


HANDLERS = {"ListInvoiceSummaries": list_invoice_summaries}


def _invoices(account: str) -> dict[Key, list[LineItem]]:
    """The caller's own line items by billing period, billing entity and invoice."""
    found: dict[Key, list[LineItem]] = defaultdict(list)
    for item in LEDGER.paid_by(account):
        if item.invoiced:
            period = item.day.replace(day=1)
            found[period, item.facts.get("bill/BillingEntity", "AWS"), item.invoice].append(item)
    return found


def _filtered(wanted: Members, key: Key) -> bool:
    period = wanted.get("BillingPeriod")
    return period is None or (period["Year"], period["Month"]) == (key[0].year, key[0].month)


def _summary(account: str, key: Key, items: list[LineItem]) -> Members:
    period, entity, invoice = key
    tax = _total([item for item in items if item.dimensions["RECORD_TYPE"] == TAX])
    before = _total([item for item in items if item.dimensions["RECORD_TYPE"] != TAX])
    total = before + tax
    issued = next_month(period).replace(day=DAY_OF_INVOICES)
    moment = datetime(issued.year, issued.month, issued.day, tzinfo=UTC).timestamp()
    amount = {
        "TotalAmount": f"{total:f}",
        "TotalAmountBeforeTax": f"{before:f}",
        "CurrencyCode": items[0].currency,
    }
    return {
        "AccountId": account,
        "InvoiceId": invoice,
        "IssuedDate": moment,
        "DueDate": moment,
        "Entity": {
            "InvoicingEntity": "Amazon Web Services, Inc.",
            "BillingEntity": "AWS_MARKETPLACE" if entity == _MARKETPLACE else "AWS",
        },
        "BillingPeriod": {"Month": period.month, "Year": period.year},
        "InvoiceType": "CREDIT_MEMO" if total < 0 else "INVOICE",
        "BaseCurrencyAmount": amount,
        "PaymentCurrencyAmount": amount,
    }


def _total(items: list[LineItem]) -> Decimal:
    total = sum((item.metrics["UnblendedCost"] for item in items), Decimal())
    return total.quantize(_CENT)


def _start(request: Members) -> int:
    token = request.get("NextToken", "0")
    if not token.isdigit():
        raise ServiceError("ValidationException", "The page token is invalid.")
    return int(token)

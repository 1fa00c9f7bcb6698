"""Read the invoices of a billing period."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from cloudspend.collect.calls import INVOICE_SUMMARIES
from cloudspend.collect.pages import all_pages
from cloudspend.collect.ports import Services
from cloudspend.collect.source import Ask
from cloudspend.errors import Defect
from cloudspend.exports.model import BillingPeriod


@dataclass(frozen=True)
class InvoiceSummary:
    """One invoice or credit memo.

    Totals include tax, in `currency`, AWS's base currency; `payment_total` is the due amount in the
    payment currency.
    """

    invoice_id: str
    invoice_type: str
    billing_entity: str
    invoicing_entity: str
    total: Decimal
    total_before_tax: Decimal
    currency: str
    payment_total: Decimal
    payment_currency: str
    issued_at: datetime | None
    due_at: datetime | None


def read_invoices(
    services: Services, account_id: str, period: BillingPeriod
) -> list[InvoiceSummary]:
    """Return the invoices of an account for a billing period, in order of their ids.

    Empty for an account that another one pays for, and before the invoice. Raises the errors of
    `ports.Services`. AWS does not bill this call.
    """
    return list(ask_summaries(all_pages(services), account_id, period))


def ask_summaries(ask: Ask, account_id: str, period: BillingPeriod) -> Iterator[InvoiceSummary]:
    """Yield the invoices by way of `ask`."""
    question = {
        "Selector": {"ResourceType": "ACCOUNT_ID", "Value": account_id},
        "Filter": {"BillingPeriod": {"Month": period.month, "Year": period.year}},
    }
    found = [
        _summary(each)
        for page in ask(INVOICE_SUMMARIES, question)
        for each in page["InvoiceSummaries"]
    ]
    yield from sorted(found, key=lambda summary: summary.invoice_id)


def _summary(summary: Any) -> InvoiceSummary:
    base = summary["BaseCurrencyAmount"]
    paid = summary.get("PaymentCurrencyAmount", base)
    entity = summary.get("Entity", {})
    return InvoiceSummary(
        invoice_id=summary["InvoiceId"],
        invoice_type=summary.get("InvoiceType", "INVOICE"),
        billing_entity=entity.get("BillingEntity", ""),
        invoicing_entity=entity.get("InvoicingEntity", ""),
        total=_money(base["TotalAmount"]),
        total_before_tax=_money(base["TotalAmountBeforeTax"]),
        currency=base["CurrencyCode"],
        payment_total=_money(paid["TotalAmount"]),
        payment_currency=paid["CurrencyCode"],
        issued_at=summary.get("IssuedDate"),
        due_at=summary.get("DueDate"),
    )


def _money(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise Defect(
            f"An invoice's amount is no number: {text!r}.",
            remedy="Look at ListInvoiceSummaries' answer: its format must have changed.",
        )
    return amount

"""Invoices by month."""

from collections.abc import Iterator
from typing import Any

from cloudspend.accounts.model import Account
from cloudspend.collect.calls import INVOICE_SUMMARIES
from cloudspend.collect.invoices import InvoiceSummary, ask_summaries
from cloudspend.collect.model import Days, Granularity
from cloudspend.collect.source import Ask, Found, Source, table
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.tables import Column


def read(ask: Ask, account: Account, asked: Days) -> Iterator[Found]:
    period = BillingPeriod(asked.start.year, asked.start.month)
    for summary in ask_summaries(ask, account.account_id, period):
        yield asked.start, _row(summary)


def _row(summary: InvoiceSummary) -> dict[str, Any]:
    return {
        "invoice_id": summary.invoice_id,
        "invoice_type": summary.invoice_type,
        "billing_entity": summary.billing_entity,
        "invoicing_entity": summary.invoicing_entity,
        "total": float(summary.total),
        "total_before_tax": float(summary.total_before_tax),
        "currency": summary.currency,
        "payment_total": float(summary.payment_total),
        "payment_currency": summary.payment_currency,
        "issued_at": summary.issued_at,
        "due_at": summary.due_at,
    }


SOURCE = Source(
    name="invoices",
    table=table(
        "invoices",
        "The invoices of each month, as AWS summarizes them",
        Granularity.MONTH,
        Column("invoice_id", "string", "The invoice's id"),
        Column("invoice_type", "string", "INVOICE or CREDIT_MEMO"),
        Column("billing_entity", "string", "AWS or AWS_MARKETPLACE"),
        Column("invoicing_entity", "string", "Who invoices"),
        Column("total", "double", "The total with tax, in the currency"),
        Column("total_before_tax", "double", "The total without tax, in the currency"),
        Column("currency", "string", "ISO 4217 currency that AWS bills in"),
        Column("payment_total", "double", "The total with tax, in the payment currency"),
        Column("payment_currency", "string", "ISO 4217 currency that is paid in"),
        Column("issued_at", "timestamp", "When it was issued, in UTC"),
        Column("due_at", "timestamp", "When it is due, in UTC"),
    ),
    grain=Granularity.MONTH,
    key=("invoice_id",),
    # Refunds and credit memos arrive late.
    overlap=3,
    calls=(INVOICE_SUMMARIES,),
    read=read,
)

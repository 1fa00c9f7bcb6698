"""Compare a period's bill with the invoices that AWS issued for it.

Every row of a final bill has the id of its invoice, so each invoice is compared separately. An
invoice in another currency than the bill's is not compared.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from cloudspend.collect.invoices import InvoiceSummary, read_invoices
from cloudspend.collect.ports import NotAvailable, Services
from cloudspend.errors import PermissionDenied
from cloudspend.exports.model import BillingPeriod
from cloudspend.reconcile.cells import ZERO
from cloudspend.reconcile.compare import CELL_SHARE, CENT


@dataclass(frozen=True)
class Invoice:
    """An invoice as AWS summarizes it. `total` is negative for a credit memo."""

    invoice_id: str
    total: Decimal
    currency: str


@dataclass(frozen=True)
class InvoiceAnswer:
    """AWS's invoices of a period; `why_none` is the reason if there are none."""

    invoices: tuple[Invoice, ...] = ()
    why_none: str = ""


ReadInvoices = Callable[[BillingPeriod], InvoiceAnswer]
NONE_ISSUED = "AWS has issued no invoice to this account for the period."
STILL_OPEN = "The bill is still open; AWS invoices it after its end."


def no_invoices(_: BillingPeriod) -> InvoiceAnswer:
    """Return no invoices, for an account that receives none."""
    return InvoiceAnswer(why_none=NONE_ISSUED)


def invoices_of(services: Services, account_id: str) -> ReadInvoices:
    """Return a function that reads the account's invoices.

    The permission is optional: without it, the answer is empty with the reason. Raises
    TransientError and Defect.
    """

    def read(period: BillingPeriod) -> InvoiceAnswer:
        try:
            answer = read_invoices(services, account_id, period)
        except (PermissionDenied, NotAvailable) as error:
            return InvoiceAnswer(why_none=error.sentence)
        return InvoiceAnswer(tuple(map(_invoice, answer))) if answer else no_invoices(period)

    return read


def _invoice(summary: InvoiceSummary) -> Invoice:
    return Invoice(summary.invoice_id, summary.total, summary.currency)


@dataclass(frozen=True)
class Invoiced:
    """One invoice on both sides."""

    invoice_id: str
    lake: Decimal
    invoice: Decimal

    @property
    def residual(self) -> Decimal:
        """Return the difference; positive when the lake has too much."""
        return self.lake - self.invoice

    @property
    def agrees(self) -> bool:
        """Return whether the difference is within a cent or 0.01 %, as for a cell."""
        return _is_close(self.residual, self.lake, self.invoice)


@dataclass(frozen=True)
class InvoiceCheck:
    """All invoices of a period that both sides have; `why_none` is the reason if there are none."""

    invoices: tuple[Invoiced, ...] = ()
    why_none: str = ""

    @property
    def lake(self) -> Decimal:
        return sum((each.lake for each in self.invoices), ZERO)

    @property
    def total(self) -> Decimal:
        """Return the sum that AWS has invoiced."""
        return sum((each.invoice for each in self.invoices), ZERO)

    @property
    def residual(self) -> Decimal:
        """Return the sum of the absolute residuals."""
        return sum((abs(each.residual) for each in self.invoices), ZERO)

    def agrees_but_for(self, missing: Decimal) -> bool:
        """Return whether the lake agrees with the invoices after subtracting `missing`."""
        return _is_close(self.lake - self.total - missing, self.lake, self.total)

    @property
    def mismatch_reason(self) -> str:
        """Return the largest mismatch as a sentence; empty when all invoices agree."""
        off = [each for each in self.invoices if not each.agrees]
        if not off:
            return ""
        first = max(off, key=lambda each: abs(each.residual))
        return (
            f"{len(off)} of {len(self.invoices)} invoices differ; the largest is "
            f"{first.invoice_id}: {first.lake:.2f} in the lake, {first.invoice:.2f} invoiced."
        )


def _is_close(difference: Decimal, *sizes: Decimal) -> bool:
    return abs(difference) <= max(CENT, CELL_SHARE * max(map(abs, sizes)))


def check_invoices(
    answer: InvoiceAnswer, lake: Mapping[str, Decimal], currency: str
) -> InvoiceCheck:
    """Compare the invoices of a period with the sums of the lake's rows by invoice id.

    An invoice without rows in the lake is zero there. Rows of an invoice that AWS does not list are
    not compared: AWS only lists invoices for their recipient.
    """
    totals: dict[str, Decimal] = {}
    for each in answer.invoices:
        if each.currency == currency:
            totals[each.invoice_id] = totals.get(each.invoice_id, ZERO) + each.total
    if not totals:
        others = ", ".join(sorted({each.currency for each in answer.invoices}))
        return InvoiceCheck(
            why_none=answer.why_none or f"The invoices are in {others}, the bill is in {currency}."
        )
    return InvoiceCheck(
        tuple(Invoiced(name, lake.get(name, ZERO), total) for name, total in sorted(totals.items()))
    )

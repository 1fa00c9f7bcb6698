"""A period's bill against the invoices that AWS issued for it.

Every row of a final bill bears the id of the invoice that it is charged on, so that each invoice is
compared by itself. An invoice in another currency than the bill's is compared by nothing.
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
    """What AWS's summary of an invoice says. `total` is below zero for a credit memo."""

    invoice_id: str
    total: Decimal
    currency: str


@dataclass(frozen=True)
class InvoiceAnswer:
    """What AWS tells of a period's invoices; `why_none` says why it tells nothing."""

    invoices: tuple[Invoice, ...] = ()
    why_none: str = ""


ReadInvoices = Callable[[BillingPeriod], InvoiceAnswer]
NONE_ISSUED = "AWS has issued no invoice to this account for the period."
STILL_OPEN = "The bill is still open; AWS invoices it after its end."


def no_invoices(_: BillingPeriod) -> InvoiceAnswer:
    """The invoices of an account to which AWS gives none."""
    return InvoiceAnswer(why_none=NONE_ISSUED)


def invoices_of(services: Services, account_id: str) -> ReadInvoices:
    """The account's invoices as AWS tells them now. The permission is optional: where the customer
    does not give it, nothing is told, with the reason. Raises TransientError and Defect."""

    def read(period: BillingPeriod) -> InvoiceAnswer:
        try:
            told = read_invoices(services, account_id, period)
        except (PermissionDenied, NotAvailable) as error:
            return InvoiceAnswer(why_none=error.sentence)
        return InvoiceAnswer(tuple(map(_invoice, told))) if told else no_invoices(period)

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
        """Above zero when the lake has too much."""
        return self.lake - self.invoice

    @property
    def agrees(self) -> bool:
        """Within a cent or 0.01 %, as a cell."""
        return _is_close(self.residual, self.lake, self.invoice)


@dataclass(frozen=True)
class InvoiceCheck:
    """All invoices of a period that both sides can be asked for; `why_none` says why there is
    none."""

    invoices: tuple[Invoiced, ...] = ()
    why_none: str = ""

    @property
    def lake(self) -> Decimal:
        return sum((each.lake for each in self.invoices), ZERO)

    @property
    def total(self) -> Decimal:
        """What AWS has invoiced."""
        return sum((each.invoice for each in self.invoices), ZERO)

    @property
    def residual(self) -> Decimal:
        """The residuals' sum without their signs."""
        return sum((abs(each.residual) for each in self.invoices), ZERO)

    def agrees_but_for(self, missing: Decimal) -> bool:
        """Whether the lake would have what was invoiced if it had `missing` less."""
        return _is_close(self.lake - self.total - missing, self.lake, self.total)

    @property
    def quarrel(self) -> str:
        """The largest invoice that does not agree, as a sentence; empty when all do."""
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


def check_invoices(told: InvoiceAnswer, lake: Mapping[str, Decimal], currency: str) -> InvoiceCheck:
    """Compare the invoices of a period with the sums of the lake's rows by invoice id.

    An invoice of which the lake has no row counts as nothing there; rows of an invoice that AWS
    does not list are not judged, since it is given to those only who receive it.
    """
    totals: dict[str, Decimal] = {}
    for each in told.invoices:
        if each.currency == currency:
            totals[each.invoice_id] = totals.get(each.invoice_id, ZERO) + each.total
    if not totals:
        others = ", ".join(sorted({each.currency for each in told.invoices}))
        return InvoiceCheck(
            why_none=told.why_none or f"The invoices are in {others}, the bill is in {currency}."
        )
    return InvoiceCheck(
        tuple(Invoiced(name, lake.get(name, ZERO), total) for name, total in sorted(totals.items()))
    )

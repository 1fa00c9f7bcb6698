"""A period's bill against the invoices that AWS issued for it.

Every row of a final bill bears the id of the invoice that it is charged on, so that each invoice is
compared by itself. An invoice in another currency than the bill's is compared by nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from cloudspend.reconcile.cells import ZERO
from cloudspend.reconcile.compare import CELL_SHARE, CENT


@dataclass(frozen=True)
class Invoice:
    """What AWS's summary of an invoice says. `total` is below zero for a credit memo."""

    invoice_id: str
    total: Decimal
    currency: str


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
        size = max(abs(self.lake), abs(self.invoice))
        return abs(self.residual) <= max(CENT, CELL_SHARE * size)


@dataclass(frozen=True)
class InvoiceCheck:
    """All invoices of a period that both sides can be asked for."""

    invoices: tuple[Invoiced, ...]

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


def check_invoices(
    invoices: Iterable[Invoice], lake: Mapping[str, Decimal], currency: str
) -> InvoiceCheck | None:
    """Compare the `invoices` of a period with the sums of the lake's rows by invoice id.

    None when AWS gives no invoice in the bill's currency. An invoice of which the lake has no row
    counts as nothing there; rows of an invoice that AWS does not list are not judged, since it is
    given to those only who receive it.
    """
    told: dict[str, Decimal] = {}
    for each in invoices:
        if each.currency == currency:
            told[each.invoice_id] = told.get(each.invoice_id, ZERO) + each.total
    if not told:
        return None
    return InvoiceCheck(
        tuple(Invoiced(name, lake.get(name, ZERO), total) for name, total in sorted(told.items()))
    )

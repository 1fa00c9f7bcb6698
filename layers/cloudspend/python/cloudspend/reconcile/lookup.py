"""Look up evidence for the differences of a comparison, and no more than they need.

A question to Cost Explorer costs 0.01 USD per page, and one to Athena the scanned bytes: a period
without differences asks nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from cloudspend.collect.cost_explorer import read_bill
from cloudspend.collect.ports import CostExplorer
from cloudspend.lake.model import PublishedPeriod
from cloudspend.lake.ports import Queries
from cloudspend.lake.statements import statement
from cloudspend.reconcile.cells import Cell, Costs, DateBucket, cost_explorer_side, lake_cells
from cloudspend.reconcile.compare import Comparison
from cloudspend.reconcile.evidence import Evidence, LastDays
from cloudspend.reconcile.invoice import InvoiceCheck, ReadInvoices, check_invoices
from cloudspend.reconcile.previous import PreviousComparison, agreements, earlier
from cloudspend.reconcile.rules import FEES
from cloudspend.reconcile.vocabulary import Vocabulary


@dataclass(frozen=True)
class LookupResult:
    """Evidence, the previous comparison, and the number of requests."""

    evidence: Evidence
    before: PreviousComparison = field(default_factory=PreviousComparison)
    requests: int = 0


@dataclass(frozen=True)
class Lookup:
    """Sources of evidence about a published period."""

    published: PublishedPeriod
    api: CostExplorer
    queries: Queries
    words: Vocabulary

    def gather(self, comparison: Comparison, known: Evidence, since: date) -> LookupResult:
        """Add the evidence for the comparison's differences to `known`; days from `since` on may
        still be counted.
        """
        lake = comparison.lake
        services = {cell.service for cell in lake.cells}
        sides = lake.cells.keys() ^ comparison.cost_explorer.cells.keys()
        evidence = replace(
            known,
            rows=lake.rows_of,
            families=lake.families,
            outside=lake.parts.get(DateBucket.OUTSIDE, {}),
            missing=frozenset(cell.service for cell in comparison.cells) - services,
            one_sided=frozenset(sides),
            unmapped=frozenset(comparison.unmapped),
        )
        off = [cell for cell in comparison.cells if not comparison.agrees(cell)]
        if not off:
            return LookupResult(evidence)
        before = earlier(self.queries.run(self._statement("last_comparison")))
        evidence = replace(evidence, agreed=agreements(comparison, before, known.now))
        if any(cell.charge_type in FEES for cell in off):
            evidence = replace(evidence, elsewhere=self._fees_of_other_bills())
        requests = 0
        if known.open and since < self.published.period.end.date():
            days = lake.parts.get(DateBucket.UNSETTLED, {})
            bill = read_bill(self.api, self.published.period, since)
            answer = cost_explorer_side(bill, self.words).cells
            evidence = replace(evidence, last_days=LastDays(since, days, answer))
            requests = bill.requests
        return LookupResult(evidence, before, requests)

    def check_invoices(self, invoices: ReadInvoices) -> InvoiceCheck:
        """Compare the period's invoices with the lake."""
        answer = invoices(self.published.period)
        if not answer.invoices:
            return InvoiceCheck(why_none=answer.why_none)
        rows = self.queries.run(self._statement("invoiced_cost"))
        lake = {row["invoice_id"] or "": Decimal(row["billed_cost"] or 0) for row in rows}
        return check_invoices(answer, lake, self.published.totals.currency)

    def _fees_of_other_bills(self) -> Mapping[Cell, Costs]:
        period = self.published.period
        sql = self._statement(
            "fees_of_other_bills",
            previous_period=str(period.previous),
            next_period=str(period.next),
            first_day=f"{period.start:%Y-%m-%d}",
            end_day=f"{period.end:%Y-%m-%d}",
        )
        return lake_cells(self.queries.run(sql), self.words)

    def _statement(self, name: str, **values: str) -> str:
        return _statement(name, self.published, **values)


def published_cost(published: PublishedPeriod, since: date) -> str:
    """Return the query for a published period's costs, with the days from `since` on separate."""
    period = published.period
    return _statement(
        "published_cost",
        published,
        first_day=f"{period.start:%Y-%m-%d}",
        end_day=f"{period.end:%Y-%m-%d}",
        unsettled_day=f"{since:%Y-%m-%d}",
    )


def _statement(name: str, published: PublishedPeriod, **values: str) -> str:
    return statement(
        name,
        package="cloudspend.reconcile.sql",
        account_id=published.account_id,
        period=str(published.period),
        **values,
    )

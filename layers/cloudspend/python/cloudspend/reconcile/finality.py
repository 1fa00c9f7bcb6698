"""Decide whether AWS has closed a bill, by the signs in its export and in Cost Explorer.

"View your finalized Cost and Usage Report" (AWS Data Exports user guide): a line item is final when
it has an invoice id; support is billed on the sixth or seventh of the next month; refunds can
arrive later. An export without invoice ids is final when that day is past, Cost Explorer marks no
figure as estimated, and AWS has delivered the same figures for some days (docs/decisions/0030).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cloudspend.accounts.model import ExportKind
from cloudspend.lake.model import Generation, PublishedPeriod

# InvoiceId is a column from FOCUS 1.2 on (AWS Data Exports user guide, "Table dictionary").
WITHOUT_INVOICE_IDS = frozenset({ExportKind.FOCUS_1_0})
# The invoice arrives by the fifth, support charges by the seventh of the next month.
SETTLED = timedelta(days=7)
# AWS refreshes an open bill at least once a day, so this covers several deliveries.
STEADY = timedelta(days=3)


@dataclass(frozen=True)
class Finality:
    """The signs at `now` for a month that ends at `end`.

    `unchanged_since` is when AWS last changed the delivered figures. It replaces invoice ids in
    exports without them, and is None in exports with them.
    """

    end: datetime
    now: datetime
    rows: int
    rows_without_invoice: int
    estimated: bool
    unchanged_since: datetime | None = None

    @property
    def why_open(self) -> str:
        """Return the missing sign as a sentence; empty when the bill is final."""
        if self.now < self.end:
            return "The month is not over."
        return (
            self._not_invoiced
            if self.unchanged_since is None
            else self._not_settled(self.unchanged_since)
        ) or ("Cost Explorer still calls its figures an estimate." if self.estimated else "")

    @property
    def _not_invoiced(self) -> str:
        if not self.rows_without_invoice:
            return ""
        return (
            f"AWS has not invoiced the whole month yet: {self.rows_without_invoice} of "
            f"{self.rows} rows have no invoice id."
        )

    def _not_settled(self, unchanged_since: datetime) -> str:
        closed = max(self.end + SETTLED, unchanged_since + STEADY)
        if self.now >= closed:
            return ""
        return (
            "This export has no invoice ids, so that its bill counts as closed when it has not "
            f"changed for {STEADY.days} days and support is billed: on {closed:%Y-%m-%d %H:%M} UTC "
            "at the earliest."
        )


def unchanged_since(published: PublishedPeriod, held: Iterable[Generation]) -> datetime:
    """Return when AWS first delivered the current figures without others since then.

    `held` are the period's generations in order of their delivery.
    """
    since = published.published_at
    for generation in sorted(held, key=lambda each: each.generation, reverse=True):
        if generation.generation > published.generation or generation.totals is None:
            continue
        if generation.totals != published.totals:
            break
        since = min(since, generation.delivered_at)
    return since

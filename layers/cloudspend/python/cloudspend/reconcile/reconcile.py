"""Compare a published period with Cost Explorer, explain differences, and decide the verdict."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from cloudspend import payloads
from cloudspend.accounts.members import expected
from cloudspend.accounts.model import Account, ExportKind
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.reconcile import ReconciliationUnavailable
from cloudspend.collect.cost_explorer import read_bill
from cloudspend.collect.ports import CapReached, CostExplorer, NotAvailable
from cloudspend.errors import (
    CustomerActionError,
    Defect,
    TransientError,
    UsageError,
    names,
    parse,
)
from cloudspend.exports.model import BillingPeriod
from cloudspend.ingest.decisions import delivered_at
from cloudspend.ingest.failure import OUR_FAULT
from cloudspend.lake.model import Generation, PublishedPeriod, Verdict
from cloudspend.reconcile.cells import cost_explorer_side, lake_side
from cloudspend.reconcile.compare import ALL, GROSS, Comparison, Measure
from cloudspend.reconcile.coverage import Freshness
from cloudspend.reconcile.evidence import Evidence, unsettled_since
from cloudspend.reconcile.explain import explain
from cloudspend.reconcile.finality import WITHOUT_INVOICE_IDS, Finality, unchanged_since
from cloudspend.reconcile.invoice import STILL_OPEN, InvoiceCheck, ReadInvoices, no_invoices
from cloudspend.reconcile.lookup import Lookup, published_cost
from cloudspend.reconcile.ports import ReconcilePorts
from cloudspend.reconcile.quality import measure_quality
from cloudspend.reconcile.record import announce, announce_quality, record, record_quality
from cloudspend.reconcile.tables import Outcome
from cloudspend.reconcile.verdict import Judgement, judge
from cloudspend.reconcile.vocabulary import vocabulary

# Verdict of the step when a newer generation was published in the meantime; that one's execution
# reconciles it.
SUPERSEDED = "superseded"
# FOCUS has one cost after discounts, and no separate net figure.
WITHOUT_NET = frozenset({ExportKind.FOCUS_1_0, ExportKind.FOCUS_1_2})

# Errors on which the platform's team cannot act; any other error that ends a step is a defect.
NOT_OURS = frozenset(
    names(TransientError, CustomerActionError, UsageError, CapReached, NotAvailable)
)

State = Mapping[str, Any]


def reconcile(
    state: State,
    account: Account,
    api: CostExplorer,
    platform: ReconcilePorts,
    now: datetime,
    invoices: ReadInvoices = no_invoices,
) -> dict[str, Any]:
    """Reconcile the generation of `state` and return the keys that the step adds.

    `state` has the keys account_id, period and generation. Raises the errors of reading Cost
    Explorer and Athena; no verdict is saved then, and `unavailable` records that.
    """
    published = _current(state, platform)
    if published is None:
        return {payloads.VERDICT: SUPERSEDED}
    outcome = reconcile_period(published, account, api, platform, now, invoices)
    return {payloads.VERDICT: str(outcome.judgement.verdict) if outcome else SUPERSEDED}


def reconcile_period(
    published: PublishedPeriod,
    account: Account,
    api: CostExplorer,
    platform: ReconcilePorts,
    now: datetime,
    invoices: ReadInvoices = no_invoices,
) -> Outcome | None:
    """Reconcile a published period, save the outcome and publish the verdict.

    Return None when a newer generation was published in the meantime: nothing changes for readers.
    """
    now = _second(now)
    quality = None
    if published.reconciled_at is None:
        quality = measure_quality(published, platform.queries)
        record_quality(published, quality, platform, now, certified=False)
    outcome = _compare(published, account, api, platform, now, invoices)
    if not record(outcome, platform):
        return None
    if quality:
        certified = outcome.judgement.verdict is Verdict.CERTIFIED
        record_quality(published, quality, platform, now, certified=certified)
        announce_quality(account, published, quality, platform, certified=certified)
    announce(account, outcome, platform)
    return outcome


def unavailable(
    state: State, account: Account, platform: ReconcilePorts, now: datetime
) -> dict[str, Any]:
    """Record that the comparison failed; `state` has the step's failure in addition to its input.

    The period stays published and provisional, with the reason. A verdict of an earlier comparison
    of the same generation is kept. Raises Defect at the end, which fails the execution, if neither
    AWS nor the customer is the cause.
    """
    published = _current(state, platform)
    if published is None:
        return {payloads.VERDICT: SUPERSEDED}
    failure = parse(
        state[payloads.FAILURE].get("Error", ""), state[payloads.FAILURE].get("Cause", "")
    )
    said = f"Not compared with Cost Explorer: {failure.summary}"
    reason = f"{said} {failure.remedy}".strip()
    if published.residual is None:
        judgement = Judgement(Verdict.PROVISIONAL, reason, final=False)
        outcome = Outcome(published, judgement, None, None, 0, _second(now))
        if not record(outcome, platform):
            return {payloads.VERDICT: SUPERSEDED}
    platform.bus.put(
        event(
            ReconciliationUnavailable(
                period=str(published.period),
                generation=published.generation,
                reason=said,
                remedy=failure.remedy or OUR_FAULT,
            ),
            account.for_events,
            f"{published.period}/{published.generation}",
        )
    )
    if failure.error not in NOT_OURS:
        raise Defect(said, remedy=failure.remedy or OUR_FAULT, error=failure.error)
    return {payloads.VERDICT: str(published.verdict)}


def _current(state: State, platform: ReconcilePorts) -> PublishedPeriod | None:
    """Return the published period if it still has the generation of `state`."""
    period = BillingPeriod.parse(state[payloads.PERIOD])
    published = platform.registry.pointer(state[payloads.ACCOUNT_ID], period)
    if published is None or published.generation != state[payloads.GENERATION]:
        return None
    return published


def _compare(
    published: PublishedPeriod,
    account: Account,
    api: CostExplorer,
    platform: ReconcilePorts,
    now: datetime,
    invoices: ReadInvoices,
) -> Outcome:
    period, delivered = published.period, delivered_at(published.generation)
    words = vocabulary()
    since = unsettled_since(delivered, now, period.start.date(), period.end.date())
    lake = lake_side(platform.queries.run(published_cost(published, since)), words)
    bill = read_bill(api, period)
    plain = Comparison(lake, cost_explorer_side(bill, words), _measures(account))
    held = platform.registry.of_period(published.account_id, period)
    finality = Finality(
        end=period.end,
        now=now,
        rows=lake.rows,
        rows_without_invoice=lake.rows_without_invoice,
        estimated=bill.estimated,
        unchanged_since=_unchanged_since(published, account, held),
    )
    known = Evidence(now, delivered, bool(finality.why_open), _is_newest(published, held))
    lookup = Lookup(published, api, platform.queries, words)
    found = lookup.gather(plain, known, since)
    comparison = explain(plain, found.evidence, words)
    checked = InvoiceCheck(why_none=STILL_OPEN) if known.open else lookup.check_invoices(invoices)
    return Outcome(
        published,
        judge(comparison, finality, checked),
        comparison,
        bill.estimated,
        bill.requests + found.requests,
        now,
        before=found.before,
        agreed=found.evidence.agreed,
        invoice=checked,
        members=_members(platform, published),
        freshness=Freshness(
            delivered, lake.newest, period.end, now, account.fresh_for(platform.fresh_for)
        ),
    )


def _members(platform: ReconcilePorts, published: PublishedPeriod) -> frozenset[str]:
    """Return the members of the period; empty if no members are known."""
    known = platform.members(published.account_id)
    period = published.period
    return frozenset(one.account_id for one in expected(known, period.start, period.end))


def _measures(account: Account) -> tuple[Measure, ...]:
    return GROSS if account.export.kind in WITHOUT_NET else ALL


def _unchanged_since(
    published: PublishedPeriod, account: Account, held: Iterable[Generation]
) -> datetime | None:
    if account.export.kind not in WITHOUT_INVOICE_IDS:
        return None
    return unchanged_since(published, held)


def _is_newest(published: PublishedPeriod, held: Iterable[Generation]) -> bool:
    """Return whether no delivery is known that could contain AWS's later changes."""
    return all(each.generation <= published.generation for each in held)


def _second(now: datetime) -> datetime:
    """Truncate to the second, which names the folder of a reconciliation."""
    return now.replace(microsecond=0)

"""Compare a published period with Cost Explorer, explain what differs, and say what that proves."""

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

# The verdict that the step returns when a newer generation was published meanwhile: that one's own
# execution reconciles it.
SUPERSEDED = "superseded"
# FOCUS has one cost after discounts, and no net figure beside it.
WITHOUT_NET = frozenset({ExportKind.FOCUS_1_0, ExportKind.FOCUS_1_2})

# Whoever must act on these, it is not the platform's team; whatever else ends a step is a fault.
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
    """Reconcile the generation of `state` and return what the step adds to it.

    `state` has the keys account_id, period and generation. Raises what reading Cost Explorer and
    Athena raise; no verdict is written then, and `unavailable` says so to readers.
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
    """Reconcile a published period, write the outcome down and announce it.

    None when a newer generation was published meanwhile: then nothing that readers see has changed.
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
    """Say that the comparison did not come about; `state` has the step's failure beside its input.

    The period stays published and provisional, with the reason. A verdict that an earlier
    comparison of the same generation reached is kept. Raises Defect once all of that is told, when
    neither AWS nor the customer is why: then the execution is to fail.
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
    """The published period, if it still shows the generation of `state`."""
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
    """Who was a member in the period; nobody where no members are known."""
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
    """Whether no delivery is known that could bring what AWS changed since."""
    return all(each.generation <= published.generation for each in held)


def _second(now: datetime) -> datetime:
    """The folder of a reconciliation is named by its second, so the registry keeps no more."""
    return now.replace(microsecond=0)

"""Compare a published period with Cost Explorer and say what that proves."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cloudspend import payload
from cloudspend.accounts.model import Account
from cloudspend.alerts import catalog as events
from cloudspend.collect.cost_explorer import read_bill
from cloudspend.collect.ports import CostExplorer
from cloudspend.errors import parse
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import PublishedPeriod, Verdict
from cloudspend.lake.statements import statement
from cloudspend.reconcile.cells import cost_explorer_side, lake_side
from cloudspend.reconcile.compare import Comparison
from cloudspend.reconcile.finality import WITHOUT_INVOICE_IDS, Finality, steady_since
from cloudspend.reconcile.ports import Platform
from cloudspend.reconcile.record import announce, record
from cloudspend.reconcile.tables import Outcome
from cloudspend.reconcile.verdict import Judgement, judge
from cloudspend.reconcile.vocabulary import vocabulary

# The verdict that the step returns when a newer generation was published meanwhile: that one's own
# execution reconciles it.
SUPERSEDED = "superseded"

State = Mapping[str, Any]


def reconcile(
    state: State, account: Account, api: CostExplorer, platform: Platform, now: datetime
) -> dict[str, Any]:
    """Reconcile the generation of `state` and return what the step adds to it.

    `state` has the keys account_id, period and generation. Raises what reading Cost Explorer and
    Athena raise; nothing is written then, and `unavailable` says so to readers.
    """
    published = _current(state, platform)
    if published is None:
        return {payload.VERDICT: SUPERSEDED}
    outcome = _compare(published, account, api, platform, now)
    if not record(outcome, platform):
        return {payload.VERDICT: SUPERSEDED}
    announce(account, outcome, platform)
    return {payload.VERDICT: str(outcome.judgement.verdict)}


def unavailable(
    state: State, account: Account, platform: Platform, now: datetime
) -> dict[str, Any]:
    """Say that the comparison did not come about; `state` has the step's failure beside its input.

    The period stays published and provisional, with the reason. A verdict that an earlier
    comparison of the same generation reached is kept.
    """
    published = _current(state, platform)
    if published is None:
        return {payload.VERDICT: SUPERSEDED}
    failure = state[payload.FAILURE]
    reason = f"Not compared with Cost Explorer: {_why(failure)}"
    if published.residual is None:
        judgement = Judgement(Verdict.PROVISIONAL, reason, final=False)
        outcome = Outcome(published, judgement, None, None, 0, _second(now))
        if not record(outcome, platform):
            return {payload.VERDICT: SUPERSEDED}
    platform.bus.put(
        events.event(
            "ReconciliationUnavailable",
            account.for_events,
            f"{published.period}/{published.generation}",
            period=published.period,
            generation=published.generation,
            reason=reason,
        )
    )
    return {payload.VERDICT: str(published.verdict)}


def _current(state: State, platform: Platform) -> PublishedPeriod | None:
    """The published period, if it still shows the generation of `state`."""
    period = BillingPeriod.parse(state[payload.PERIOD])
    published = platform.registry.pointer(state[payload.ACCOUNT_ID], period)
    if published is None or published.generation != state[payload.GENERATION]:
        return None
    return published


def _compare(
    published: PublishedPeriod,
    account: Account,
    api: CostExplorer,
    platform: Platform,
    now: datetime,
) -> Outcome:
    words = vocabulary()
    lake = lake_side(platform.queries.run(published_cost(published)), words)
    bill = read_bill(api, published.period)
    comparison = Comparison(lake, cost_explorer_side(bill, words))
    finality = Finality(
        end=published.period.end,
        now=now,
        rows=lake.rows,
        rows_without_invoice=lake.rows_without_invoice,
        estimated=bill.estimated,
        steady_since=_steady_since(published, account, platform),
    )
    judgement = judge(comparison, finality)
    return Outcome(published, judgement, comparison, bill.estimated, bill.requests, _second(now))


def published_cost(published: PublishedPeriod) -> str:
    """The query for what readers see of a period."""
    return statement(
        "published_cost",
        package="cloudspend.reconcile.sql",
        account_id=published.account_id,
        period=str(published.period),
    )


def _steady_since(
    published: PublishedPeriod, account: Account, platform: Platform
) -> datetime | None:
    if account.export.kind not in WITHOUT_INVOICE_IDS:
        return None
    held = platform.registry.of_period(published.account_id, published.period)
    return steady_since(published, held)


def _why(failure: Mapping[str, str]) -> str:
    told = parse(failure.get("Error", ""), failure.get("Cause", ""))
    return f"{told.summary} {told.remedy}".strip()


def _second(now: datetime) -> datetime:
    """The folder of a reconciliation is named by its second, so the registry keeps no more."""
    return now.replace(microsecond=0)

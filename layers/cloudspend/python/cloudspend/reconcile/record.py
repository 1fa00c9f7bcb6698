"""Writing a reconciliation down: files, then the registry, then the pointers, then the event.

The registry decides, as it does for publishing: a verdict on a generation that is no longer
current is not taken, and the partitions of the tables only show what the registry says. Each step
may be repeated.
"""

from typing import Any

from cloudspend.accounts.model import Account
from cloudspend.alerts import catalog as events
from cloudspend.alerts.catalog.kind import MAX_CELLS
from cloudspend.alerts.money import money
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import PublishedPeriod, Verdict
from cloudspend.reconcile.compare import Difference, Measure
from cloudspend.reconcile.ports import Platform
from cloudspend.reconcile.tables import (
    RECONCILIATION,
    RECONCILIATION_CELLS,
    TABLES,
    Outcome,
    cell_rows,
    prefix,
    summary_row,
)

DETAIL_TYPES = {
    Verdict.CERTIFIED: "PeriodCertified",
    Verdict.PROVISIONAL: "PeriodProvisional",
    Verdict.DISPUTED: "PeriodDisputed",
}


def record(outcome: Outcome, platform: Platform) -> bool:
    """Keep `outcome`. False when its generation is no longer the current one: then nothing that
    readers see has changed."""
    published = outcome.published
    _write(outcome, platform)
    taken = platform.registry.record_verdict(
        published.account_id,
        published.period,
        published.generation,
        verdict=outcome.judgement.verdict,
        reason=outcome.judgement.reason,
        residual=outcome.comparison.residual(Measure.BILLED) if outcome.comparison else None,
        at=outcome.at,
    )
    project(published.account_id, published.period, platform)
    return taken


def project(account_id: str, period: BillingPeriod, platform: Platform) -> None:
    """Point the partitions at the reconciliation that the registry holds, until it holds still."""
    shown: PublishedPeriod | None = None
    while (current := platform.registry.pointer(account_id, period)) != shown:
        shown = current
        if current and current.reconciled_at:
            _point(current, platform)


def announce(account: Account, outcome: Outcome, platform: Platform) -> None:
    """Put the verdict on the bus. Only for an outcome that was compared."""
    if not outcome.comparison:
        return
    comparison, published = outcome.comparison, outcome.published
    residual = money(comparison.residual(Measure.BILLED))
    verdict = outcome.judgement.verdict
    platform.bus.put(
        events.event(
            DETAIL_TYPES[verdict],
            account.for_events,
            f"{published.period}/{published.generation}/{residual}",
            period=published.period,
            generation=published.generation,
            lake_total=money(comparison.lake.total.billed),
            cost_explorer_total=money(comparison.cost_explorer.total.billed),
            residual=residual,
            currency=outcome.currency,
            reason=outcome.judgement.reason,
            cells=[_cell(d) for d in outcome.judgement.differences[:MAX_CELLS]],
        )
    )


def _write(outcome: Outcome, platform: Platform) -> None:
    published = outcome.published
    for table, rows in (
        (RECONCILIATION_CELLS, cell_rows(outcome)),
        (RECONCILIATION, iter([summary_row(outcome)])),
    ):
        place = prefix(
            table, published.account_id, published.period, published.generation, outcome.at
        )
        platform.tables.write(table, place, rows)


def _point(current: PublishedPeriod, platform: Platform) -> None:
    if current.reconciled_at is None:
        return
    for table in TABLES:
        place = prefix(
            table, current.account_id, current.period, current.generation, current.reconciled_at
        )
        location = f"s3://{platform.tables.bucket}/{place}"
        platform.catalog.point(table.name, (current.account_id, str(current.period)), location)


def _cell(difference: Difference) -> dict[str, Any]:
    cell = difference.cell
    effective = " (effective cost)" if difference.measure is Measure.EFFECTIVE else ""
    return {
        "account": cell.account_id,
        "service": cell.service,
        "charge_type": cell.charge_type + effective,
        "lake": money(difference.lake),
        "cost_explorer": money(difference.cost_explorer),
        "residual": money(difference.residual),
    }

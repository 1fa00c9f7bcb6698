"""Save a reconciliation: files, then the registry, then the partitions, then the event.

The registry decides, as for publishing: a verdict on a generation that is not current any more is
discarded, and the partitions follow the registry. Each step can be repeated.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from cloudspend.accounts.model import Account
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.event_type import MAX_CELLS
from cloudspend.alerts.catalog.reconcile import Cell as CellRow
from cloudspend.alerts.catalog.reconcile import (
    CertificateWithdrawn,
    CostChange,
    DataQualityDoubtful,
    PeriodCertified,
    PeriodDisputed,
    PeriodProvisional,
)
from cloudspend.alerts.catalog.reconcile import Explanation as ExplanationRow
from cloudspend.alerts.event import Event
from cloudspend.alerts.money import money
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import PublishedPeriod, Verdict
from cloudspend.reconcile.cells import ZERO
from cloudspend.reconcile.compare import Difference, Explanation, Measure
from cloudspend.reconcile.ports import ReconcilePorts
from cloudspend.reconcile.quality import QualityReport
from cloudspend.reconcile.rules import ROUNDING
from cloudspend.reconcile.tables import (
    DATA_QUALITY,
    PROOF_TABLES,
    RECONCILIATION,
    RECONCILIATION_CELLS,
    Outcome,
    cell_rows,
    prefix,
    quality_prefix,
    quality_row,
    summary_row,
)

# A step that is repeated after it saved its verdict still publishes it.
REPEATED_WITHIN = timedelta(hours=2)
SUFFIXES = {
    Measure.BILLED: "",
    Measure.EFFECTIVE: " (effective cost)",
    Measure.NET: " (net effective cost)",
}

VERDICT_EVENTS: Mapping[Verdict, type[PeriodCertified | PeriodProvisional | PeriodDisputed]] = {
    Verdict.CERTIFIED: PeriodCertified,
    Verdict.PROVISIONAL: PeriodProvisional,
    Verdict.DISPUTED: PeriodDisputed,
}


def record(outcome: Outcome, platform: ReconcilePorts) -> bool:
    """Save `outcome`. Return False, with nothing changed for readers, when its generation is not
    current any more.
    """
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


def project(account_id: str, period: BillingPeriod, platform: ReconcilePorts) -> None:
    """Set the partitions to the registry's reconciliation, until the registry is stable."""
    shown: PublishedPeriod | None = None
    while (current := platform.registry.pointer(account_id, period)) != shown:
        shown = current
        if current and current.reconciled_at:
            _point(current, platform)


def announce(account: Account, outcome: Outcome, platform: ReconcilePorts) -> None:
    """Publish the verdict, unless a comparison of another day had the same result.

    Does nothing for an outcome without a comparison.
    """
    comparison, published = outcome.comparison, outcome.published
    if not comparison or _was_said(outcome):
        return
    if published.verdict is Verdict.CERTIFIED and outcome.judgement.verdict != published.verdict:
        platform.bus.put(_withdrawn(account, outcome))
    residual = money(comparison.residual(Measure.BILLED))
    verdict = outcome.judgement.verdict
    platform.bus.put(
        event(
            VERDICT_EVENTS[verdict](
                period=str(published.period),
                generation=published.generation,
                lake_total=money(comparison.lake.total.billed),
                cost_explorer_total=money(comparison.cost_explorer.total.billed),
                explained=money(comparison.total_explained.billed),
                residual=residual,
                currency=outcome.currency,
                reason=outcome.judgement.reason,
                cells=tuple(_cell(d) for d in outcome.judgement.differences[:MAX_CELLS]),
                explanations=_explanations(comparison.explanations),
            ),
            account.for_events,
            f"{published.period}/{published.generation}/{residual}",
        )
    )


def record_quality(
    published: PublishedPeriod,
    report: QualityReport | None,
    platform: ReconcilePorts,
    at: datetime,
    *,
    certified: bool,
) -> None:
    """Save the measures of a generation if it is still current.

    A generation without rows has none.
    """
    rows = [quality_row(report, certified=certified, at=at)] if report else []
    platform.tables.write(DATA_QUALITY, quality_prefix(published), rows)
    while (current := platform.registry.pointer(published.account_id, published.period)) and (
        current.generation == published.generation
    ):
        location = f"s3://{platform.tables.bucket}/{quality_prefix(published)}"
        values = (published.account_id, str(published.period))
        if platform.catalog.location(DATA_QUALITY.name, values) == location:
            return
        platform.catalog.point(DATA_QUALITY.name, values, location)


def announce_quality(
    account: Account,
    published: PublishedPeriod,
    report: QualityReport,
    platform: ReconcilePorts,
    *,
    certified: bool,
) -> None:
    """Publish the doubts about a generation, if any."""
    doubts = report.doubtful(certified=certified)
    if doubts:
        platform.bus.put(
            event(
                DataQualityDoubtful(
                    period=str(published.period),
                    generation=published.generation,
                    previous_generation=published.previous_generation,
                    doubts=tuple(doubts),
                ),
                account.for_events,
                f"{published.period}/{published.generation}",
            )
        )


def _was_said(outcome: Outcome) -> bool:
    """Return whether an earlier comparison of this generation had the same result.

    A first attempt of this comparison does not count. Daily comparisons with the same result are
    not published.
    """
    before, comparison = outcome.published, outcome.comparison
    if before.reconciled_at is None or comparison is None:
        return False
    return (
        outcome.at - before.reconciled_at > REPEATED_WITHIN
        and before.verdict is outcome.judgement.verdict
        and before.residual == comparison.residual(Measure.BILLED)
    )


def _withdrawn(account: Account, outcome: Outcome) -> Event:
    """Return the event that AWS changed a certified bill, with the changes by account and
    service.
    """
    published = outcome.published
    changes = _changes(outcome)
    return event(
        CertificateWithdrawn(
            period=str(published.period),
            generation=published.generation,
            certified_at=published.reconciled_at or outcome.at,
            difference=money(sum((change.difference for change in changes), ZERO)),
            currency=outcome.currency,
            reason=outcome.judgement.reason,
            changes=changes,
        ),
        account.for_events,
        f"{published.period}/{published.generation}/{published.reconciled_at}",
    )


def _changes(outcome: Outcome) -> tuple[CostChange, ...]:
    """Return the changes of Cost Explorer since the certification, by account and service, largest
    first.
    """
    by_service: dict[tuple[str, str], list[Decimal]] = {}
    if outcome.comparison is None:
        return ()
    for cell, costs in outcome.comparison.cost_explorer.cells.items():
        by_service.setdefault((cell.account_id, cell.service), [ZERO, ZERO])[1] += costs.billed
    for cell, remembered in outcome.before.cells.items():
        pair = by_service.setdefault((cell.account_id, cell.service), [ZERO, ZERO])
        pair[0] += remembered.cost_explorer.billed
    changed = [
        CostChange(
            account=linked,
            service=service,
            before=money(was),
            after=money(now),
            difference=money(now - was),
        )
        for (linked, service), (was, now) in by_service.items()
        if money(now - was) != money(ZERO)
    ]
    return tuple(sorted(changed, key=lambda change: -abs(change.difference)))


def _explanations(explanations: Iterable[Explanation]) -> tuple[ExplanationRow, ...]:
    """Return the explanations, largest first. Rounding is only in the tables."""
    largest = sorted(
        (each for each in explanations if each.rule != ROUNDING),
        key=lambda each: (-max(map(abs, each.costs)), each.cell),
    )
    return tuple(
        ExplanationRow(
            account=each.cell.account_id,
            service=each.cell.service,
            charge_type=each.cell.charge_type,
            rule=each.rule,
            amount=money(each.costs.billed),
            because=each.because,
        )
        for each in largest[:MAX_CELLS]
    )


def _write(outcome: Outcome, platform: ReconcilePorts) -> None:
    published = outcome.published
    for table, rows in (
        (RECONCILIATION_CELLS, cell_rows(outcome)),
        (RECONCILIATION, iter([summary_row(outcome)])),
    ):
        place = prefix(
            table, published.account_id, published.period, published.generation, outcome.at
        )
        platform.tables.write(table, place, rows)


def _point(current: PublishedPeriod, platform: ReconcilePorts) -> None:
    if current.reconciled_at is None:
        return
    for table in PROOF_TABLES:
        place = prefix(
            table, current.account_id, current.period, current.generation, current.reconciled_at
        )
        location = f"s3://{platform.tables.bucket}/{place}"
        platform.catalog.point(table.name, (current.account_id, str(current.period)), location)


def _cell(difference: Difference) -> CellRow:
    cell = difference.cell
    suffix = SUFFIXES[difference.measure]
    return CellRow(
        account=cell.account_id,
        service=cell.service,
        charge_type=cell.charge_type + suffix,
        lake=money(difference.lake),
        cost_explorer=money(difference.cost_explorer),
        residual=money(difference.residual),
    )

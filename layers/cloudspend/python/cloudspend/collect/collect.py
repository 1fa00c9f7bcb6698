"""Use cases of Collect: collect one source of one account, and publish changes of its status."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cloudspend import payloads as p
from cloudspend.accounts.model import Account
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.collect import (
    CollectCapReached,
    SourceDegraded,
    SourceFailed,
    SourceRecovered,
    SourceStuck,
)
from cloudspend.alerts.catalog.event_type import EventDetails
from cloudspend.alerts.event import Bus
from cloudspend.collect.calls import PAGE_PRICE
from cloudspend.collect.expire import expire
from cloudspend.collect.model import Collected, Status
from cloudspend.collect.ports import Progress, Services
from cloudspend.collect.runner import STUCK, CollectPorts, Outcome, Run
from cloudspend.collect.source import Source
from cloudspend.errors import UsageError, parse

State = Mapping[str, Any]


def overlaps(text: str, sources: Mapping[str, Source]) -> dict[str, int]:
    """Return the overlap of every source: its own, or the one in `text` (`budgets=1 invoices=3`).

    Raises UsageError that names the invalid part of `text`.
    """
    found = {name: source.overlap for name, source in sources.items()}
    for part in text.split():
        name, _, number = part.partition("=")
        if name not in sources or not number.isdecimal():
            raise UsageError(
                f"The setting collect_overlaps has {part!r}, which is not SOURCE=NUMBER.",
                remedy=f"A number is 0 or more, and a source one of: {', '.join(sources)}.",
            )
        found[name] = int(number)
    return found


def collect(
    source: Source,
    account: Account,
    services: Services,
    collector: CollectPorts,
    *,
    overlap: int,
    now: datetime,
    force: bool = False,
) -> Outcome:
    """Bring one source of one account up to date, publish changes of its status, and remove expired
    data.

    Raises TransientError and Defect.
    """
    before = collector.progress.get(account.account_id, source.name)
    outcome = Run(source, account, services, collector, now).collect(overlap, force=force)
    if outcome.status is Status.CAPPED:
        _say_capped(account, collector, now)
        _say_stuck(source.name, account, before, collector)
    _say_changed(source.name, account, before, outcome, collector.bus)
    expire(account, source.table, collector.catalog, collector.lake, now)
    return outcome


def failed(state: State, account: Account, progress: Progress, bus: Bus, now: datetime) -> Outcome:
    """Record and publish that a source failed after all retries; `state` has the failure."""
    source = state[p.SOURCE]
    failure = parse(state[p.FAILURE].get("Error", ""), state[p.FAILURE].get("Cause", ""))
    reason = f"{failure.summary} {failure.remedy}".strip()
    before = progress.get(account.account_id, source)
    held = before or Collected(Status.FAILED, reason, now)
    progress.put(
        account.account_id,
        source,
        Collected(
            Status.FAILED,
            reason,
            now,
            days=held.days,
            stored_at=held.stored_at,
            rows=held.rows,
            pages=held.pages,
            history=held.history,
            history_at=held.history_at,
            capped_days=held.capped_days,
        ),
    )
    bus.put(
        event(
            SourceFailed(source=source, reason=reason),
            account.for_events,
            f"{source}/{now:%Y-%m-%d}",
        )
    )
    return Outcome(source, Status.FAILED, reason, held.rows, held.pages, PAGE_PRICE * 0)


def to_payload(account_id: str, outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as step payload."""
    return {
        p.ACCOUNT_ID: account_id,
        p.SOURCE: outcome.source,
        p.STATUS: str(outcome.status),
        p.REASON: outcome.reason,
        p.ROWS: outcome.rows,
        p.PAGES: outcome.pages,
        p.COST: f"{outcome.cost:f}",
    }


def _say_capped(account: Account, collector: CollectPorts, now: datetime) -> None:
    if not collector.spend.first_to_say(account.account_id, now.date()):
        return
    collector.bus.put(
        event(
            CollectCapReached(
                day=f"{now:%Y-%m-%d}", pages=collector.cap, cost=collector.cap * PAGE_PRICE
            ),
            account.for_events,
            f"{now:%Y-%m-%d}",
        )
    )


def _say_stuck(
    source: str, account: Account, before: Collected | None, collector: CollectPorts
) -> None:
    """Publish once that a source cannot finish within the request budget."""
    now = collector.progress.get(account.account_id, source)
    if (
        now is None
        or now.capped_days < STUCK
        or (before is not None and before.capped_days >= STUCK)
    ):
        return
    collector.bus.put(
        event(
            SourceStuck(source=source, days=now.capped_days, pages=collector.cap),
            account.for_events,
            f"{source}/{now.at:%Y-%m-%d}",
        )
    )


def _say_changed(
    source: str, account: Account, before: Collected | None, outcome: Outcome, bus: Bus
) -> None:
    """Publish once that a source cannot be read any more, and once that it can again."""
    was = before is not None and before.status is Status.DEGRADED
    same = before is not None and before.reason == outcome.reason
    if outcome.status is Status.DEGRADED and not (was and same):
        details: EventDetails = SourceDegraded(source=source, reason=outcome.reason)
    elif was and outcome.status in (Status.COLLECTED, Status.NOT_AVAILABLE):
        details = SourceRecovered(source=source)
    else:
        return
    since = before.at.isoformat() if before else ""
    bus.put(event(details, account.for_events, f"{source}/{since}/{outcome.reason}"))

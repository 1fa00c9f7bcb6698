"""Backfill: ingest earlier deliveries, newest period first, a few periods at a time.

Otherwise all months would be converted at once, and the most wanted month would wait for the
others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudspend import payloads as p
from cloudspend.accounts.ports import AccountReader
from cloudspend.alerts.event import Bus
from cloudspend.errors import CustomerActionError, UsageError
from cloudspend.exports.deliveries import Unreadable, newest_deliveries
from cloudspend.exports.model import BillingPeriod
from cloudspend.ingest.failure import failed_event, failure_of
from cloudspend.ingest.start import RUNNING, IngestRequest, OpenBucket, Started, start_ingest
from cloudspend.lake.ports import Executions

WAITING, UNDER_WAY, DONE = "waiting", "running", "done"


@dataclass(frozen=True)
class Backfill:
    """Deliveries that wait for their Ingest, newest period first, and the running executions."""

    waiting: tuple[IngestRequest, ...] = ()
    running: tuple[str, ...] = ()

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "Backfill":
        """Read the output of `to_payload`."""
        waiting = tuple(IngestRequest.from_payload(each) for each in payload[WAITING])
        return cls(waiting, tuple(payload[UNDER_WAY]))

    def to_payload(self) -> dict[str, Any]:
        """Return the backfill as step payload; done when nothing waits or runs."""
        return {
            WAITING: [each.to_payload() for each in self.waiting],
            UNDER_WAY: list(self.running),
            DONE: not self.waiting and not self.running,
        }


def find_backfill(
    account_id: str,
    period: BillingPeriod | None,
    registry: AccountReader,
    open_bucket: OpenBucket,
) -> tuple[Backfill, tuple[Unreadable, ...]]:
    """Find the newest delivery of each period since the account's start date, or of `period` alone.

    Also return the unreadable manifests. Raises UsageError when the account is not active, or when
    AWS has not delivered `period`.
    """
    account = registry.get(account_id)
    if not account.is_ingesting:
        raise UsageError(
            f"The account {account_id} is {account.state}, not active.",
            remedy=f"See what is missing with: cloudspend accounts show {account_id}",
        )
    since = (
        BillingPeriod(account.start_date.year, account.start_date.month) if period is None else None
    )
    found = newest_deliveries(account, open_bucket(account), since, period)
    if period is not None and not (found.newest or found.unreadable):
        raise UsageError(
            f"AWS has delivered no bill of {period} for the account {account_id}.",
            remedy="AWS delivers the first export within 24 hours; earlier months come only by "
            "an AWS support case.",
        )
    return Backfill(tuple(map(IngestRequest.of, found.newest))), found.unreadable


def advance(
    backfill: Backfill, executions: Executions, at_once: int
) -> tuple[Backfill, list[Started]]:
    """Start Ingest for waiting deliveries until `at_once` executions run.

    Skips deliveries that are ingested or running; retries a delivery whose attempts failed once.
    """
    # None: just started, and not readable yet.
    running = [name for name in backfill.running if executions.status(name) in (RUNNING, None)]
    waiting = list(backfill.waiting)
    started = []
    while waiting and len(running) < at_once:
        one = start_ingest(waiting.pop(0), executions, again=True)
        started.append(one)
        if one.running:
            running.append(one.execution)
    return Backfill(tuple(waiting), tuple(running)), started


def onboard_backfill(
    state: Mapping[str, Any],
    registry: AccountReader,
    open_bucket: OpenBucket,
    executions: Executions,
    bus: Bus,
    at_once: int,
) -> dict[str, Any]:
    """Run one turn of Onboard's backfill: the first finds the deliveries, each turn starts some.

    An unreadable manifest is reported like any failed delivery and stops nothing, because a later
    delivery can be valid. Raises TransientError.
    """
    if p.BACKFILL in state:
        backfill = Backfill.from_payload(state[p.BACKFILL])
    else:
        backfill = _found_or_reported(state[p.ACCOUNT_ID], registry, open_bucket, bus)
    backfill, _ = advance(backfill, executions, at_once)
    return {**state, p.BACKFILL: backfill.to_payload()}


def _found_or_reported(
    account_id: str, registry: AccountReader, open_bucket: OpenBucket, bus: Bus
) -> Backfill:
    account = registry.get(account_id)
    if not account.is_ingesting:
        # The account was connected again, suspended or offboarded in the meantime; that process
        # continues.
        return Backfill()
    try:
        backfill, unreadable = find_backfill(account_id, None, registry, open_bucket)
    except CustomerActionError as error:
        bus.put(failed_event(account, None, None, failure_of(error)))
        return Backfill()
    for each in unreadable:
        bus.put(failed_event(account, each.period, None, failure_of(each.error)))
    return backfill

"""Deliveries without an event, and ingests that ended without a result.

New deliveries are detected by manifests alone: AWS overwrites one in each month's folder with every
delivery, so its ETag and time are queried (HEAD), and nothing is read or listed while they are
unchanged. AWS often changes the running month and the two before it, and seldom older ones: those
are checked once a day, spread over the day's sweeps.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from cloudspend.accounts.model import Account
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.sweep import DeliveryFound, IngestResumed
from cloudspend.alerts.event import Bus
from cloudspend.errors import Defect, DeliveryError, Failure, TransientError, names
from cloudspend.exports.deliveries import latest_manifests, read_delivery
from cloudspend.exports.model import BillingPeriod, Delivery
from cloudspend.exports.ports import CustomerBucket, StoredObject
from cloudspend.ingest.failure import failed_event, failure_of
from cloudspend.ingest.start import IngestRequest, start_ingest
from cloudspend.lake.model import AccountInventory, Generation, GenerationState
from cloudspend.lake.ports import Executions, Generations
from cloudspend.lake.retention import kept_since

SWEEPS_A_DAY = 4
# The running month and those that AWS may still close (within two weeks, and later for refunds).
LIVELY_MONTHS = 3
# Ingests of an account that one sweep starts; the next sweep starts the rest.
MOST_STARTS = 12
# Attempts after which a person must look at an ingest.
MOST_ATTEMPTS = 5

Wanted = Callable[[BillingPeriod], bool]


@dataclass(frozen=True)
class Missed:
    """Deliveries that were found in the customer's bucket and started.

    `seen` are the fingerprints of the known manifests by period; `newest` is when AWS last
    delivered, None for never.
    """

    seen: Mapping[str, str]
    newest: datetime | None
    found: int = 0
    resumed: int = 0


@dataclass(frozen=True)
class MissedDeliveryPorts:
    """Ports for starting missed deliveries."""

    generations: Generations
    executions: Executions
    bus: Bus


def find_missed(
    account: Account,
    holdings: AccountInventory,
    objects: CustomerBucket,
    desk: MissedDeliveryPorts,
    now: datetime,
) -> Missed:
    """Start missed deliveries, newest period first, and publish an event for each.

    Raises the errors of reading the customer's bucket. An unreadable manifest is reported as
    IngestFailed and stops nothing else.
    """
    manifests = latest_manifests(account, objects, looked_at(account, holdings, now))
    before = dict(holdings.watch.seen) if holdings.watch else {}
    seen = {period: mark for period, mark in before.items() if _is_kept(period, account, now)}
    starts: list[str] = []
    for period in sorted(manifests, reverse=True):
        mark = mark_of(manifests[period])
        if before.get(str(period)) == mark:
            continue
        delivery = _read(account, objects, manifests[period], period, desk)
        if delivery is None or _is_known(delivery, holdings):
            seen[str(period)] = mark
        elif len(starts) < MOST_STARTS:
            starts.append(_begin(account, IngestRequest.of(delivery), desk))
    for generation in unfinished(holdings):
        if len(starts) < MOST_STARTS:
            starts.append(_resume(account, generation, desk))
    delivered = [stored.modified for stored in manifests.values()]
    delivered += [generation.delivered_at for generation in holdings.generations]
    return Missed(seen, max(delivered, default=None), starts.count(FOUND), starts.count(RESUMED))


def looked_at(account: Account, holdings: AccountInventory, now: datetime) -> Wanted:
    """Return the billing periods that this sweep checks.

    Of those that the account wants and keeps: recent ones always, others once a day, and all the
    first time.
    """
    today = BillingPeriod.of(now)
    lively = _before(today, LIVELY_MONTHS - 1)
    oldest = BillingPeriod(account.start_date.year, account.start_date.month)
    kept = kept_since(account, now)
    oldest = max(oldest, kept) if kept else oldest
    turn = now.hour * SWEEPS_A_DAY // 24

    def wanted(period: BillingPeriod) -> bool:
        if period < oldest:
            return False
        if holdings.watch is None or period >= lively:
            return True
        return zlib.crc32(f"{account.account_id}{period}".encode()) % SWEEPS_A_DAY == turn

    return wanted


def mark_of(manifest: StoredObject) -> str:
    """Return a fingerprint that changes with every delivery.

    The ETag is not enough: an overwritten bill can have the same list of files.
    """
    return f"{manifest.etag} {manifest.modified.isoformat()}"


def unfinished(holdings: AccountInventory) -> list[Generation]:
    """Return the generations that would be published if their ingest succeeded, newest period
    first.

    They were started and have no result, or failed with a transient fault.
    """
    newest = {generation.period: generation for generation in holdings.generations}
    current = {published.period: published.generation for published in holdings.published}
    return [
        newest[period]
        for period in sorted(newest, reverse=True)
        if newest[period].generation > current.get(period, "") and _may_go_on(newest[period])
    ]


def _may_go_on(generation: Generation) -> bool:
    if generation.state is GenerationState.FAILED:
        return (generation.failure or {}).get("error") in names(TransientError)
    return generation.state in (GenerationState.PLANNED, GenerationState.CHECKED)


FOUND, RESUMED, NOTHING, GIVEN_UP = "found", "resumed", "nothing", "given up"


def _begin(account: Account, request: IngestRequest, desk: MissedDeliveryPorts) -> str:
    """Start the delivery's next attempt, unless one runs, and publish an event."""
    if desk.executions.status(request.execution(MOST_ATTEMPTS)):
        return GIVEN_UP
    started = start_ingest(request, desk.executions, again=True)
    if not started.started:
        return NOTHING
    first = started.execution == request.execution()
    kind = DeliveryFound if first else IngestResumed
    desk.bus.put(
        event(
            kind(
                period=str(request.period),
                generation=request.generation,
                execution=started.execution,
            ),
            account.for_events,
            started.execution,
        )
    )
    return FOUND if first else RESUMED


def _resume(account: Account, generation: Generation, desk: MissedDeliveryPorts) -> str:
    """Start an ingest again, or report a generation that failed too often and was never
    reported.
    """
    request = IngestRequest(
        generation.account_id,
        generation.period,
        generation.generation,
        generation.manifest_bucket,
        generation.manifest_key,
    )
    outcome = _begin(account, request, desk)
    if outcome == GIVEN_UP and generation.state is not GenerationState.FAILED:
        reason = f"Its ingestion was started {MOST_ATTEMPTS} times and never came to an end."
        failure = Failure(Defect.__name__, reason, "", {})
        held = generation.account_id, generation.period, generation.generation
        desk.generations.record_failure(*held, asdict(failure), final=True)
        desk.bus.put(failed_event(account, generation.period, generation.generation, failure))
    return outcome


def _read(
    account: Account,
    objects: CustomerBucket,
    manifest: StoredObject,
    period: BillingPeriod,
    desk: MissedDeliveryPorts,
) -> Delivery | None:
    """Return the manifest's delivery. Publish an event and return None if it is unreadable."""
    try:
        return read_delivery(account, objects, manifest.bucket, manifest.key)
    except DeliveryError as error:
        desk.bus.put(failed_event(account, period, None, failure_of(error)))
        return None


def _is_known(delivery: Delivery, holdings: AccountInventory) -> bool:
    """Return whether the registry has the delivery, or a newer one is current."""
    return any(
        each.period == delivery.period and each.generation == delivery.generation
        for each in holdings.generations
    ) or any(
        each.period == delivery.period and each.generation > delivery.generation
        for each in holdings.published
    )


def _is_kept(period: str, account: Account, now: datetime) -> bool:
    oldest = kept_since(account, now)
    return oldest is None or period >= str(oldest)


def _before(period: BillingPeriod, months: int) -> BillingPeriod:
    return period if months == 0 else _before(period.previous, months - 1)

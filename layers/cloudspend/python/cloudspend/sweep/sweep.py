"""Sweep an account: missed events, drift, expired data, and conditions.

Each problem is repaired by the code that does the same in its ordinary place and can be repeated,
so two concurrent sweeps, or an interrupted one, do no harm.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cloudspend import payloads as p
from cloudspend.access.key_age import old_key, old_key_event
from cloudspend.accounts.link import is_outdated, update_link
from cloudspend.accounts.model import Account, AccountType
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.accounts import TemplateOutdated
from cloudspend.alerts.catalog.sweep import (
    AccountUnreachable,
    DeliveryOverdue,
    FilesMissing,
    StagingRemoved,
)
from cloudspend.errors import CustomerActionError, Failure
from cloudspend.exports.model import BillingPeriod
from cloudspend.ingest.failure import OUR_FAULT, failure_of
from cloudspend.ingest.plan import RUNS
from cloudspend.ingest.publish import PublishPorts
from cloudspend.ingest.start import OpenBucket
from cloudspend.lake.model import (
    AccountInventory,
    GenerationState,
    PublishedPeriod,
    SweepState,
    Verdict,
)
from cloudspend.lake.ports import Catalog, Executions
from cloudspend.lake.retention import RetentionPolicy
from cloudspend.lake.tables import TABLES, tag_columns
from cloudspend.settings import TEMPLATE_VERSION, Settings
from cloudspend.sweep.condition import AccountCondition
from cloudspend.sweep.coverage import keep_apart
from cloudspend.sweep.expire import RetentionPorts, expire
from cloudspend.sweep.failed_exports import ListExports, failing
from cloudspend.sweep.missed import Missed, MissedDeliveryPorts, find_missed
from cloudspend.sweep.reachability import reflect
from cloudspend.sweep.repair import Folder, copy_of, drifts, folders, look, repair, without_files

# Younger objects are not leftovers: their writer may still run.
LEFT_BEHIND = timedelta(hours=24)
# By then, an execution of Ingest has ended, including its comparison.
INGEST_ENDS = timedelta(hours=12)
# Interval at which a closed month is compared again after Cost Explorer did not answer, for as long
# as Cost Explorer has daily figures (AWS Cost Management user guide, "Analyzing your costs").
COMPARE_AGAIN = timedelta(days=7)
# Interval at which a bill that AWS had not closed is compared again while AWS closes it; later as
# above. Its signs can change without a delivery.
CLOSING = timedelta(days=30)
COMPARE_CLOSING = timedelta(days=1)
COMPARABLE = timedelta(days=13 * 30)


@dataclass(frozen=True)
class SweepPorts:
    """Ports of a sweep, and its targets: an account is overdue after `fresh_for` without a
    delivery, unless it has a target of its own.
    """

    store: RetentionPorts
    publish_ports: PublishPorts
    open_bucket: OpenBucket
    executions: Executions
    kept: RetentionPolicy
    fresh_for: timedelta
    list_exports: ListExports


@dataclass(frozen=True)
class SweepResult:
    """The result for one account.

    `counts` are numbers of problems by kind; `compare` are published periods to compare with Cost
    Explorer; `failure` is why it was not swept; `unreachable` why the customer's bucket could not
    be read.
    """

    account_id: str
    counts: Mapping[str, int] = field(default_factory=dict)
    compare: tuple[PublishedPeriod, ...] = ()
    failure: Failure | None = None
    unreachable: str = ""


def sweep_accounts(
    account_ids: Iterable[str],
    registry: AccountRegistry,
    sweep_ports: SweepPorts,
    settings: Settings,
    now: datetime,
    on_failure: Callable[[str], None],
) -> list[SweepResult]:
    """Sweep the active accounts among these.

    A failure of one account is recorded in its result and stops no other; `on_failure` is called
    while the exception is active.
    """
    swept = []
    everyone: Sequence[Account] | None = None
    for account_id in account_ids:
        try:
            account = registry.get(account_id)
            if not account.is_ingesting:
                continue
            known = [_outdated(account, settings, now)]
            if account.type is AccountType.ORGANIZATION:
                everyone = registry.list() if everyone is None else everyone
                known.append(keep_apart(account, everyone, registry, sweep_ports.store, now))
            one = sweep_account(account, sweep_ports, now, known)
            reflect(account, one.unreachable, registry, sweep_ports.store.bus, now)
            swept.append(one)
        except Exception as error:
            on_failure(account_id)
            swept.append(SweepResult(account_id, failure=failure_of(error)))
    return swept


def sweep_account(
    account: Account,
    sweep_ports: SweepPorts,
    now: datetime,
    known: Iterable[AccountCondition | None] = (),
) -> SweepResult:
    """Find and repair all problems of one account, and report its conditions, including `known`.

    An unreachable customer's bucket does not stop repairs on the platform.
    """
    store, publish_ports = sweep_ports.store, sweep_ports.publish_ports
    holdings = store.registry.holdings(account.account_id)
    missed, unreachable = _missed(account, holdings, sweep_ports, now)
    refused = missed and failing(
        account, _last_heard(holdings, missed, now), sweep_ports.list_exports, now
    )
    overdue = missed and _overdue(
        account, holdings, missed, account.fresh_for(sweep_ports.fresh_for), now
    )
    shown, stored = look(account.account_id, publish_ports, store.lake)
    drifted = drifts(holdings, shown, publish_ports.lake_bucket)
    repaired = repair(account, drifted, publish_ports, now)
    lost = without_files(holdings, stored)
    restored = [each for each in _half_published(holdings) if store.registry.restore(*each)]
    keep_columns(account, publish_ports.catalog)
    left = _sweep_out(account, holdings, stored, sweep_ports, now)
    gone = expire(account, holdings, store, sweep_ports.kept, now)
    compare = to_compare(holdings, now)
    missing = _files_missing(account, lost, now) if lost else None
    conditions = [*known, unreachable, refused, overdue, missing, _old_key(account, now)]
    _remember(account, holdings, missed, [one for one in conditions if one], sweep_ports, now)
    return SweepResult(
        account.account_id,
        {
            "accounts": 1,
            "deliveries_found": missed.found if missed else 0,
            "ingestions_resumed": missed.resumed if missed else 0,
            "partitions_repaired": len(repaired),
            "generations_restored": len(restored),
            "generations_without_files": len(lost),
            "staging_removed": left,
            "periods_expired": gone.periods,
            "generations_expired": gone.generations,
            "objects_deleted": gone.objects,
            "comparisons": len(compare),
            "accounts_overdue": int(overdue is not None),
            "accounts_unreachable": int(unreachable is not None),
        },
        compare,
        unreachable=str(unreachable.event.details["reason"]) if unreachable else "",
    )


def keep_columns(account: Account, catalog: Catalog) -> None:
    """Restore the columns for the account's tags, which a deployment of changed declared columns
    removes.
    """
    for table in TABLES:
        if columns := tag_columns(table, account):
            catalog.ensure_columns(table.name, columns)


def to_compare(holdings: AccountInventory, now: datetime) -> tuple[PublishedPeriod, ...]:
    """Return closed months whose verdict Cost Explorer can still change.

    They were never compared, are not certified, or are certified and AWS may still change them.
    """
    return tuple(
        each
        for each in holdings.published
        if each.period.end <= now < each.period.end + COMPARABLE and _is_due(each, now)
    )


def _is_due(published: PublishedPeriod, now: datetime) -> bool:
    if published.reconciled_at is None:
        return now - published.published_at >= INGEST_ENDS
    since = now - published.reconciled_at
    if published.residual is None:
        return since >= COMPARE_AGAIN
    is_closing = now < published.period.end + CLOSING
    if published.verdict is Verdict.CERTIFIED:
        # AWS may still change it; Cost Explorer shows a change before a delivery does.
        return is_closing and since >= COMPARE_AGAIN
    return since >= (COMPARE_CLOSING if is_closing else COMPARE_AGAIN)


def unregistered(holdings: AccountInventory, stored: Iterable[Folder]) -> list[Folder]:
    """Return the folders of generations that the registry does not know."""
    known = {copy_of(generation) for generation in holdings.generations}
    return [folder for folder in stored if folder.copy not in known]


def totals(swept: Iterable[SweepResult]) -> dict[str, int]:
    """Return the counts of all accounts together."""
    together: Counter[str] = Counter()
    for each in swept:
        together.update(each.counts)
    return dict(together)


def to_payload(swept: Iterable[SweepResult]) -> dict[str, Any]:
    """Return the result of a batch of accounts as step payload."""
    done = list(swept)
    return {
        p.COUNTS: totals(done),
        p.COMPARE: [
            {p.ACCOUNT_ID: each.account_id, p.PERIOD: str(one.period), p.GENERATION: one.generation}
            for each in done
            for one in each.compare
        ],
        p.NOT_SWEPT: [
            {
                p.ACCOUNT_ID: each.account_id,
                "error": each.failure.error,
                "reason": f"{each.failure.summary} {each.failure.remedy}".strip(),
            }
            for each in done
            if each.failure
        ],
    }


def _missed(
    account: Account, holdings: AccountInventory, sweep_ports: SweepPorts, now: datetime
) -> tuple[Missed | None, AccountCondition | None]:
    """Find missed deliveries, or return the condition that the customer's bucket is unreachable."""
    desk = MissedDeliveryPorts(
        sweep_ports.store.registry, sweep_ports.executions, sweep_ports.store.bus
    )
    try:
        return find_missed(account, holdings, sweep_ports.open_bucket(account), desk, now), None
    except CustomerActionError as error:
        name = type(error).__name__
        state = f"{name} {error.summary}"
        said = event(
            AccountUnreachable(error=name, reason=error.summary, remedy=error.remedy or OUR_FAULT),
            account.for_events,
            f"{state} {now:%Y-%m-%d}",
        )
        return None, AccountCondition(state, said)


def _overdue(
    account: Account,
    holdings: AccountInventory,
    missed: Missed,
    fresh_for: timedelta,
    now: datetime,
) -> AccountCondition | None:
    """Return the condition of an overdue account. Without any delivery, count from its first
    sweep.
    """
    since = _last_heard(holdings, missed, now)
    if now - since < fresh_for:
        return None
    state = f"{missed.newest}"
    said = event(
        DeliveryOverdue(
            delivered_at=missed.newest,
            hours=int((now - since) / timedelta(hours=1)),
            target_hours=int(fresh_for / timedelta(hours=1)),
        ),
        account.for_events,
        f"{state} {now:%Y-%m-%d}",
    )
    return AccountCondition(state, said)


def _last_heard(holdings: AccountInventory, missed: Missed, now: datetime) -> datetime:
    """Return when AWS last delivered; for an account without a delivery, when it was first
    swept.
    """
    return missed.newest or (holdings.watch.since if holdings.watch else now)


def _files_missing(
    account: Account, lost: Iterable[PublishedPeriod], now: datetime
) -> AccountCondition:
    names = [f"{each.period}/{each.generation}" for each in lost]
    state = " ".join(names)
    subject = f"{state} {now:%Y-%m-%d}"
    said = event(FilesMissing(generations=tuple(names)), account.for_events, subject)
    return AccountCondition(state, said)


def _outdated(account: Account, settings: Settings, now: datetime) -> AccountCondition | None:
    if not is_outdated(account):
        return None
    version = str(account.template_version)
    said = event(
        TemplateOutdated(
            version=version, newest=TEMPLATE_VERSION, link=update_link(account, settings)
        ),
        account.for_events,
        f"{version} {TEMPLATE_VERSION} {now:%Y-%m-%d}",
    )
    return AccountCondition(f"{version} {TEMPLATE_VERSION}", said)


def _old_key(account: Account, now: datetime) -> AccountCondition | None:
    found = old_key(account, now)
    if found is None:
        return None
    said = old_key_event(account, found)
    return AccountCondition(said.subject, said)


def _half_published(holdings: AccountInventory) -> list[tuple[str, BillingPeriod, str]]:
    """Return current generations whose publishing was interrupted before they were marked."""
    current = {(each.period, each.generation) for each in holdings.published}
    return [
        (each.account_id, each.period, each.generation)
        for each in holdings.generations
        if (each.period, each.generation) in current and each.state is not GenerationState.PUBLISHED
    ]


def _sweep_out(
    account: Account,
    holdings: AccountInventory,
    stored: list[Folder],
    sweep_ports: SweepPorts,
    now: datetime,
) -> int:
    """Delete leftovers of interrupted runs; return the number of folders."""
    lake = sweep_ports.store.lake
    runs = folders(RUNS, account.account_id, lake)
    removed = 0
    for folder in unregistered(holdings, [*stored, *runs]):
        files = lake.staged(folder.prefix)
        if not files or any(now - file.modified < LEFT_BEHIND for file in files):
            continue
        lake.delete([file.key for file in files])
        removed += 1
        sweep_ports.store.bus.put(
            event(
                StagingRemoved(
                    period=str(folder.period),
                    folder=f"s3://{lake.bucket}/{folder.prefix}",
                    objects=len(files),
                    bytes=sum(file.size for file in files),
                ),
                account.for_events,
                folder.prefix,
            )
        )
    return removed


def _remember(
    account: Account,
    holdings: AccountInventory,
    missed: Missed | None,
    conditions: Iterable[AccountCondition],
    sweep_ports: SweepPorts,
    now: datetime,
) -> None:
    """Publish new conditions of the account, and save the state for the next sweep.

    While the customer's bucket is unreachable, AWS's deliveries are unknown, and announced
    conditions stay.
    """
    before = holdings.watch or SweepState(now)
    announced = dict(before.last_announced) if missed is None else {}
    for condition in conditions:
        kind = condition.event.detail_type
        announced[kind] = condition.state
        if before.last_announced.get(kind) != condition.state:
            sweep_ports.store.bus.put(condition.event)
    after = replace(before, seen=missed.seen if missed else before.seen, last_announced=announced)
    if after != holdings.watch:
        sweep_ports.store.registry.remember(account.account_id, after)

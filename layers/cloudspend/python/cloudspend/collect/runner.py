"""Collect one source of one account: plan, ask, store, save progress.

Stored slices stay when a run ends early, and the next run continues after them. A slice is
replaced by one write, so a repeat doubles nothing, and of two concurrent runs one answer remains.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from cloudspend.accounts.model import Account
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.alerts.event import Bus
from cloudspend.collect.calls import PAGE_PRICE, Call
from cloudspend.collect.expire import still_kept
from cloudspend.collect.model import (
    Collected,
    Days,
    Granularity,
    Status,
    TableSlice,
    piece_of,
    pieces,
)
from cloudspend.collect.pages import all_pages
from cloudspend.collect.ports import (
    AnswerChanged,
    CapReached,
    NotAvailable,
    Progress,
    QuestionRefused,
    RequestBudget,
    Services,
    Store,
)
from cloudspend.collect.source import COLLECTED_AT, Learn, Source
from cloudspend.collect.window import extended, plan, smaller
from cloudspend.errors import CloudSpendError, CustomerActionError, Defect, TransientError
from cloudspend.lake.ports import Catalog, Lake

# Restarts of one question whose answer changes between its pages.
MAX_STARTS = 3
# Interval after which a longer history is requested again: the customer may have enabled it.
HISTORY_AGAIN = timedelta(days=30)
# After this time, no source's overlap reaches back to a day.
QUIET = timedelta(days=100)

# Days without progress after which smaller questions do not help any more.
STUCK = 3
NEVER = (
    "It has not got on for {days} days: one question alone, or the sources before it, take all "
    "pages of a day. It never will, unless you deploy with a higher stage setting collect_pages."
)

# Results that are not failures, by the exception that ended the run.
ENDS: Mapping[type[CloudSpendError], Status] = {
    CapReached: Status.CAPPED,
    CustomerActionError: Status.DEGRADED,
    NotAvailable: Status.NOT_AVAILABLE,
}

Rows = Mapping[TableSlice, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class CollectPorts:
    """Ports of Collect, and the cap on priced pages per account and day."""

    accounts: AccountRegistry
    spend: RequestBudget
    progress: Progress
    store: Store
    catalog: Catalog
    lake: Lake
    bus: Bus
    cap: int


@dataclass(frozen=True)
class Outcome:
    """The result of a source. `cost` is what AWS bills the account for it, in USD."""

    source: str
    status: Status
    reason: str
    rows: int
    pages: int
    cost: Decimal


class Meter:
    """Counter of a run's pages that enforces the day's cap."""

    def __init__(self, spend: RequestBudget, account_id: str, cap: int, at: datetime) -> None:
        self._spend = spend
        self._account_id = account_id
        self._cap = cap
        self._day = at.date()
        self.pages = 0
        self.priced = 0

    def __call__(self, call: Call) -> None:
        """Count one more page before it is requested. Raises CapReached."""
        if call.priced:
            self._spend.take(self._account_id, self._day, self._cap)
            self.priced += 1
        self.pages += 1


class Run:
    """A run over one source."""

    def __init__(
        self,
        source: Source,
        account: Account,
        services: Services,
        collector: CollectPorts,
        now: datetime,
    ) -> None:
        self._source = source
        self._account = account
        self._collector = collector
        self._now = now
        self._meter = Meter(collector.spend, account.account_id, collector.cap, now)
        self._ask = all_pages(services, self._meter)
        self._known = collector.progress.get(account.account_id, source.name)
        stored = self._known.days if self._known else None
        self._days = stored and still_kept(stored, account, now)
        self._stuck = self._known.capped_days if self._known else 0
        self._asking: Days | None = None
        self._history = self._known.history if self._known else None
        self._history_at = self._known.history_at if self._known else None
        self._rows = 0
        self._pointed: set[str] = set()

    def collect(self, overlap: int, *, force: bool = False) -> Outcome:
        """Bring the source up to date. `force` requests a snapshot that is not due.

        Raises TransientError and Defect; the progress until then is saved.
        """
        try:
            self._bring_up_to_date(overlap, force=force)
        except (CapReached, CustomerActionError, NotAvailable) as error:
            return self._end(ENDS[_kind(error)], error.sentence)
        except (TransientError, Defect) as error:
            self._end(Status.FAILED, error.sentence)
            raise
        return self._end(Status.COLLECTED, "")

    def _bring_up_to_date(self, overlap: int, *, force: bool) -> None:
        *longer, shortest = self._histories()
        for history in longer:
            try:
                self._take_in_all(overlap, history, force=force)
            except QuestionRefused:
                continue
            return
        self._take_in_all(overlap, shortest, force=force)

    def _histories(self) -> Sequence[int]:
        """Return the months of history to request, in order.

        The one that AWS last accepted and shorter ones; all of them once in a while.
        """
        known = self._history
        if known is None or self._history_at is None:
            return self._source.histories
        if self._now - self._history_at >= HISTORY_AGAIN:
            return self._source.histories
        return [months for months in self._source.histories if months <= known]

    def _take_in_all(self, overlap: int, history: int, *, force: bool) -> None:
        source = self._source
        questions = plan(
            source.grain,
            None if force and source.grain is Granularity.SNAPSHOT else self._days,
            self._now.date(),
            overlap=overlap,
            history=min(history, self._account.retention_months or history),
            most=smaller(source.grain, source.at_once, self._stuck),
        )
        for asked in questions:
            self._asking = asked
            found = self._read(asked)
            self._replace(found)
            if source.learn:
                known = [row for rows in found.values() for row in rows]
                self._learn(source.learn, known)
            self._days = (
                asked if source.grain is Granularity.SNAPSHOT else extended(self._days, asked)
            )
        if self._history != history or len(self._histories()) > 1:
            self._history, self._history_at = history, self._now

    def _read(self, asked: Days) -> Rows:
        """Read AWS's rows for `asked`, again from the start while the answer changes."""
        for _ in range(MAX_STARTS):
            try:
                return self._pieces(asked)
            except AnswerChanged:
                continue
        raise TransientError(
            f"What AWS says for {self._source.name} kept changing while it was read.",
            remedy="It settles within hours; the source is collected again by itself.",
            starts=MAX_STARTS,
        )

    def _pieces(self, asked: Days) -> Rows:
        source = self._source
        found: dict[TableSlice, list[Mapping[str, Any]]] = {
            piece: [] for piece in pieces(source.grain, asked)
        }
        for day, row in source.read(self._ask, self._account, asked):
            if day not in asked:
                raise Defect(
                    f"AWS answered {source.name} of {day}, which was not asked for.",
                    remedy="Look at the answer of AWS: nothing of it was stored.",
                )
            found[piece_of(source.grain, day)].append({**row, COLLECTED_AT.name: self._now})
        for piece, rows in found.items():
            _refuse_doubles(source, piece, rows)
        return found

    def _replace(self, found: Rows) -> None:
        table, account_id = self._source.table, self._account.account_id
        for piece, rows in found.items():
            if not rows and self._never_was(piece):
                continue
            self._collector.store.replace(table, piece.key(table, account_id), rows)
            self._point(piece)
            self._rows += len(rows)

    def _learn(self, learn: Learn, rows: Sequence[Mapping[str, Any]]) -> None:
        collector = self._collector
        learn(self._account, rows, collector.accounts, collector.bus, self._now)

    def _never_was(self, piece: TableSlice) -> bool:
        """Return whether an empty slice replaces nothing: it is too old to have changed, and was
        not stored.

        Most accounts are younger than the requested history.
        """
        if self._source.grain is Granularity.SNAPSHOT:
            return False
        last = piece.period.end.date() - timedelta(days=1)
        return last < self._now.date() - QUIET and last not in (self._days or ())

    def _point(self, piece: TableSlice) -> None:
        """Set the partition of the slice, once for all slices."""
        folder = piece.folder(self._source.table, self._account.account_id)
        if folder in self._pointed:
            return
        values = (self._account.account_id, str(piece.period))
        location = f"s3://{self._collector.store.bucket}/{folder}"
        name = self._source.table.name
        if self._collector.catalog.location(name, values) != location:
            self._collector.catalog.point(name, values, location)
        self._pointed.add(folder)

    def _stuck_now(self, status: Status) -> int:
        """Return the number of days without progress if this run ends with `status`."""
        if status is Status.COLLECTED:
            return 0
        if status is not Status.CAPPED or self._got_on():
            return self._stuck
        known = self._known
        again = known and known.status is Status.CAPPED and known.at.date() == self._now.date()
        return self._stuck if again else self._stuck + 1

    def _got_on(self) -> bool:
        """Return whether the run has stored something new where the cap stopped it."""
        before, asked = self._known.days if self._known else None, self._asking
        if self._days is None or before is None or asked is None:
            return self._days != before
        if asked.end <= before.start:
            return self._days.start < before.start
        return self._days.end > before.end

    def _end(self, status: Status, reason: str) -> Outcome:
        stuck = self._stuck_now(status)
        if status is Status.CAPPED and stuck >= STUCK:
            reason = f"{reason} {NEVER.format(days=stuck)}"
        earlier = self._known.stored_at if self._known else None
        self._collector.progress.put(
            self._account.account_id,
            self._source.name,
            Collected(
                status,
                reason,
                self._now,
                days=self._days,
                stored_at=self._now if self._pointed else earlier,
                rows=self._rows,
                pages=self._meter.pages,
                history=self._history,
                history_at=self._history_at,
                capped_days=stuck,
            ),
        )
        return Outcome(
            self._source.name,
            status,
            reason,
            self._rows,
            self._meter.pages,
            self._meter.priced * PAGE_PRICE,
        )


def _kind(error: CloudSpendError) -> type[CloudSpendError]:
    return next(kind for kind in ENDS if isinstance(error, kind))


def _refuse_doubles(source: Source, piece: TableSlice, rows: Sequence[Mapping[str, Any]]) -> None:
    seen: set[tuple[Any, ...]] = set()
    for row in rows if source.key else ():
        key = tuple(row[column] for column in source.key)
        if key in seen:
            raise Defect(
                f"AWS returned a row of {source.name} twice: {piece.period} {piece.name}: {key}.",
                remedy="Look at the answer of AWS: nothing of it was stored.",
            )
        seen.add(key)

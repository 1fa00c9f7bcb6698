"""Convert a bill without the platform: the same tasks and checks, into a folder."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.control import EXACT
from cloudspend.convert.focus.mappings import MAPPINGS
from cloudspend.convert.focus.schema import COST_AND_USAGE
from cloudspend.convert.model import ConversionSummary, ConversionTask
from cloudspend.convert.ports import ByteStream
from cloudspend.convert.task import convert_task
from cloudspend.errors import DeliveryError, TotalsDiffer, UsageError
from cloudspend.exports.kinds import NAMES
from cloudspend.exports.model import BillingPeriod, DeliveredFile
from cloudspend.lake.totals import tolerance
from cloudspend.standalone.discovery import find
from cloudspend.standalone.groups import groups_of
from cloudspend.standalone.model import Bill, Converted, Group
from cloudspend.standalone.ports import Objects
from cloudspend.standalone.staging import Staging, staging

# A task requires an account and a generation. A folder has neither; these two only name places in
# the staging folder.
ACCOUNT, GENERATION = "000000000000", "unpublished"

# Called with the compressed bytes read so far and in total: before the first read, after each read,
# and before publishing. An exception ends the conversion.
Progress = Callable[[int, int], None]
Done = tuple[ConversionTask, ConversionSummary]
Overview = Mapping[str, tuple[Group, ...]]


@dataclass(frozen=True)
class Request:
    """A conversion request. `kind` None: use the detected kind. `tables` has at least one entry."""

    sources: Sequence[str]
    folder: Path
    tables: tuple[str, ...] = (COST_AND_USAGE,)
    kind: ExportKind | None = None


def convert_bill(request: Request, objects: Objects, progress: Progress) -> Converted:
    """Convert the bill and write `<folder>/<table>/billing_period=<yyyy-mm>/*.parquet`.

    Writes nothing when any input is unreadable. Replaces the tables and periods of this bill in the
    folder, and keeps all others. Raises UsageError, the errors of discovery and conversion, and
    TotalsDiffer when the Parquet files do not have the totals of the source.
    """
    bill = find(request.sources, request.kind, objects)
    _require_tables(bill.kind, request.tables)
    source = _Watched(objects, bill.size, progress)
    progress(0, bill.size)
    with staging(request.folder) as staged:
        done = [(task, convert_task(task, source, staged)) for task in _tasks(bill, request.tables)]
        currency = _one_currency(done)
        overviews = {table: _overview(table, done, staged) for table in request.tables}
        for table, overview in overviews.items():
            _require_same(table, done, overview)
        progress(bill.size, bill.size)
        staged.publish(_moves(done))
    summaries = [summary for _, summary in done]
    return Converted(
        kind=bill.kind,
        periods=tuple(sorted({task.period for task, _ in done})),
        rows_read=sum(summary.rows_read for summary in summaries),
        rows_written=sum(output.rows for summary in summaries for output in summary.outputs),
        billed_cost=_sum(summaries, "billed_cost"),
        effective_cost=_sum(summaries, "effective_cost"),
        list_cost=_sum(summaries, "list_cost"),
        currency=currency,
        unknown_columns=_all(summary.unknown_columns for summary in summaries),
        unknown_charge_types=_all(summary.unknown_charge_types for summary in summaries),
        groups=overviews[request.tables[0]],
        files=tuple(request.folder / place for place in _files(done)),
        empty=bill.empty,
    )


def _require_tables(kind: ExportKind, tables: Sequence[str]) -> None:
    known = MAPPINGS[kind].tables if kind in MAPPINGS else {}
    for table in tables:
        if table not in known:
            raise UsageError(
                f"{table} cannot be created from {NAMES[kind]}.",
                remedy=f"Available tables: {', '.join(known) or 'none'}.",
            )


def _tasks(bill: Bill, tables: tuple[str, ...]) -> list[ConversionTask]:
    """Return one task for the files of each period, or several where their compression differs."""
    together: defaultdict[tuple[BillingPeriod, str], list[DeliveredFile]] = defaultdict(list)
    for each in bill.files:
        together[each.period, each.compression].append(each.file)
    return [
        ConversionTask(
            ACCOUNT, period, GENERATION, number, bill.kind, compression, tuple(files), tables
        )
        for number, ((period, compression), files) in enumerate(sorted(together.items()))
    ]


class _Watched:
    """A source that reports how much of it has been read."""

    def __init__(self, objects: Objects, size: int, progress: Progress) -> None:
        self._objects = objects
        self._size = size
        self._progress = progress
        self._read = 0

    @contextmanager
    def open(self, file: DeliveredFile) -> Iterator[ByteStream]:
        with self._objects.open(file) as stream:
            yield _Counted(stream, self._advance)

    def _advance(self, count: int) -> None:
        self._read += count
        self._progress(self._read, self._size)


class _Counted:
    def __init__(self, stream: ByteStream, advance: Callable[[int], None]) -> None:
        self._stream = stream
        self._advance = advance

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self._advance(len(data))
        return data


def _one_currency(done: Sequence[Done]) -> str:
    """Return the bill's currency, empty for no rows. Raises DeliveryError for several
    currencies.
    """
    held = {summary.currency: task for task, summary in done if summary.currency}
    if len(held) > 1:
        shown = ", ".join(f"{currency} ({task.period})" for currency, task in held.items())
        raise DeliveryError(
            f"The bill is in several currencies, which cannot be added up: {shown}.",
            remedy="Convert the files of one currency at a time, each to a folder of its own.",
            value=", ".join(held),
        )
    return next(iter(held), "")


def _overview(table: str, done: Sequence[Done], staged: Staging) -> Overview:
    outputs = [output for _, summary in done for output in summary.outputs]
    return groups_of(table, [staged.path(each.key) for each in outputs if each.table == table])


def _require_same(table: str, done: Sequence[Done], overview: Overview) -> None:
    """Compare the totals of the Parquet files with those of the source, as for every generation."""
    summaries = [summary for _, summary in done]
    rows = sum(summary.rows_read for summary in summaries)
    if table == COST_AND_USAGE:
        rows -= sum(summary.rows_left_out for summary in summaries)
    groups = next(iter(overview.values()))
    wrong = []
    if (written := sum(group.rows for group in groups)) != rows:
        wrong.append(f"{written} rows instead of {rows}")
    for name in groups[0].costs if groups else ():
        want = _sum(summaries, name)
        have = sum((group.costs[name] for group in groups), Decimal(0))
        if abs(have - want) > tolerance(rows, want):
            wrong.append(f"a {name.replace('_', ' ')} of {have} instead of {want}")
    if wrong:
        raise TotalsDiffer(
            f"The Parquet of {table} does not add up to what was read: {'; '.join(wrong)}.",
            remedy="Report this to CloudSpend; nothing was written.",
        )


def _moves(done: Sequence[Done]) -> dict[str, str]:
    """Return the destination below the folder for each staged key."""
    return {
        _place(output.table, task): output.key.rsplit("/", 1)[0]
        for task, summary in done
        for output in summary.outputs
    }


def _files(done: Sequence[Done]) -> list[str]:
    return [
        f"{_place(output.table, task)}/{output.key.rsplit('/', 1)[-1]}"
        for task, summary in done
        for output in summary.outputs
    ]


def _place(table: str, task: ConversionTask) -> str:
    return f"{table}/billing_period={task.period}"


def _sum(summaries: Sequence[ConversionSummary], name: str) -> Decimal:
    total = Decimal(0)
    for summary in summaries:
        total = EXACT.add(total, getattr(summary, name))
    return total


def _all(names: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(sorted({name for each in names for name in each}))

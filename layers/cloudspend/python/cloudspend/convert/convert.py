"""A conversion task: delivered files in, Parquet objects and their control totals out.

The caller's thread reads and encodes; two others parse and map. What is held is a run of rows,
which are sorted together and written as row groups of each table. Nothing that comes of it depends
on how fast a thread is.
"""

import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from copy import copy
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa

from cloudspend.convert.blocks import Buffers, Damaged, header_and_blocks, inflated
from cloudspend.convert.control import ControlTotals, control_totals
from cloudspend.convert.currency import Currency
from cloudspend.convert.heap import give_back_unused, keep_little
from cloudspend.convert.mapping import KindMapping, Layout
from cloudspend.convert.mappings import MAPPINGS
from cloudspend.convert.model import ConversionSummary, ConversionTask, Output
from cloudspend.convert.names import column_key
from cloudspend.convert.parquet import opened
from cloudspend.convert.parse import column_names, damaged, unreadable
from cloudspend.convert.pieces import BatchPiece, BlockPiece, Piece
from cloudspend.convert.ports import ByteStream, Sink, Source
from cloudspend.convert.rows import Rows
from cloudspend.convert.rules import KNOWN_CHARGE_TYPES
from cloudspend.convert.schema import COST_AND_USAGE, SORT_ORDER
from cloudspend.convert.writer import Part, TableFiles, row_groups, sorted_order
from cloudspend.errors import DeliveryError, UsageError
from cloudspend.exports.model import BillingPeriod, DeliveredFile

A = TypeVar("A")
B = TypeVar("B")

WORKERS = 2
# Text that is gathered and sorted together: some 500,000 rows of CUR 2.0.
RUN_BYTES = 51 * 16 * 1024 * 1024
# So many parsed pieces are put together as soon as they are there.
JOINED = 8
# Rows that are checked at once.
CHECKED = 65_536
PARQUET = "parquet"

# Rows that were parsed, and what stopped it.
Parts = tuple[list[Rows], BaseException | None]


def convert_task(task: ConversionTask, source: Source, sink: Sink) -> ConversionSummary:
    """Convert the task's files and put the result into the lake.

    Nothing is put when anything cannot be read. Raises DeliveryError with `file`, `line`, `column`
    and `value` of the first row that is wrong (in Parquet `row_group` and `row`);
    DeliveryReplaced, PermissionDenied and TransientError as the source does.
    """
    mapping = MAPPINGS[task.kind].with_tags(task.tag_columns)
    missing = [table for table in task.tables if table not in mapping.tables]
    if missing:
        raise UsageError(f"Files of kind {task.kind} cannot fill the table {missing[0]}.")
    keep_little()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as closing:
        files = {
            table: TableFiles(Path(folder), table, mapping.tables[table].schema)
            for table in task.tables
        }
        for written in files.values():
            closing.callback(written.abandon)
        pool = closing.enter_context(ThreadPoolExecutor(WORKERS, "convert"))
        conversion = _Conversion(task, mapping, files, pool)
        conversion.run(source)
        outputs = [
            _put(part, task.output_key(table, number), table, sink)
            for table, written in files.items()
            for number, part in enumerate(written.finish())
        ]
        return conversion.summary(tuple(outputs))


def _put(part: Part, key: str, table: str, sink: Sink) -> Output:
    sink.put(part.path, key)
    return Output(table, sink.bucket, key, part.rows, part.path.stat().st_size)


class _Conversion:
    """A task under way: pieces are read one after the other and parsed side by side; what has been
    gathered of them is sorted, mapped side by side and written in its order."""

    def __init__(
        self,
        task: ConversionTask,
        mapping: KindMapping,
        files: dict[str, TableFiles],
        pool: ThreadPoolExecutor,
    ) -> None:
        self._task = task
        self._mapping = mapping
        self._files = files
        self._tables = [mapping.tables[table] for table in files]
        self._pool = pool
        self._buffers = Buffers(WORKERS + 1)
        self._parsed: list[Future[Rows]] = []
        self._joined: list[Future[Parts]] = []
        self._gathered = 0
        self._layout: Layout | None = None
        self._names: list[str] = []
        self._unknown: set[str] = set()
        self._totals = control_totals(task.kind)
        self._currency = Currency(mapping.currency)

    def run(self, source: Source) -> None:
        """Read everything. Raises what is wrong first, by its place in the files."""
        try:
            for file in self._task.files:
                with source.open(file) as stream:
                    self._read(file, stream)
        finally:
            # What stands before a place that cannot be read may be wrong itself.
            self._finish_run()

    def summary(self, outputs: tuple[Output, ...]) -> ConversionSummary:
        totals = self._totals
        return ConversionSummary(
            task=self._task.task,
            rows_read=totals.rows_read,
            rows_left_out=totals.rows_read - totals.rows_expected,
            billed_cost=totals.billed_cost,
            effective_cost=totals.effective_cost,
            list_cost=totals.list_cost,
            unblended_cost=totals.unblended_cost,
            currency=self._currency.code,
            unknown_columns=tuple(sorted(self._unknown)),
            unknown_charge_types=tuple(sorted(totals.charge_types - KNOWN_CHARGE_TYPES)),
            outputs=outputs,
        )

    def _read(self, file: DeliveredFile, stream: ByteStream) -> None:
        place = file.place
        if self._task.compression == PARQUET:
            pieces = self._batches(stream, place)
        else:
            pieces = self._blocks(stream, file.size, place)
        for piece in pieces:
            self._parsed.append(self._pool.submit(piece.parse))
            self._gathered += piece.size
            if len(self._parsed) >= JOINED + WORKERS:
                # Of those nobody is still parsing one when it is their turn to be joined.
                self._join(JOINED)
            if self._gathered >= RUN_BYTES:
                self._finish_run()

    def _blocks(self, stream: ByteStream, size: int, place: str) -> Iterator[Piece]:
        try:
            with inflated(stream, self._task.compression, size) as plain:
                header, blocks = header_and_blocks(plain, self._buffers)
                names = column_names(header, place)
                layout = self._layout_of(names, place, 1)
                for block in blocks:
                    yield BlockPiece(place, layout, block, names)
        except Damaged as error:
            raise damaged(place, error) from error

    def _batches(self, stream: ByteStream, place: str) -> Iterator[Piece]:
        with opened(stream, place) as parquet:
            layout = self._layout_of(parquet.names, place, None)
            for batch in parquet.batches(layout.wanted):
                yield BatchPiece(place, layout, batch)

    def _layout_of(self, names: list[str], place: str, line: int | None) -> Layout:
        """What the columns of a file are; rows of other columns are no run with what was read."""
        self._require(names, place, line)
        if self._layout is None or names != self._names:
            self._finish_run()
            self._layout = self._mapping.layout(names, self._task.tables)
            self._unknown |= {name for _, name in self._layout.unknown}
            self._names = names
        return self._layout

    def _require(self, names: list[str], place: str, line: int | None) -> None:
        there = {column_key(name) for name in names}
        for name in self._mapping.required:
            if column_key(name) not in there:
                raise unreadable(place, line, f"the column {name} is missing", column=name)

    def _join(self, count: int) -> None:
        """Have the first of what is parsed put together, so that what blocks share is held once."""
        parsed, self._parsed = self._parsed[:count], self._parsed[count:]
        self._joined.append(self._pool.submit(_together, parsed))

    def _finish_run(self) -> None:
        """Sort, map and write what has been gathered."""
        self._join(len(self._parsed))
        joined, self._joined, self._gathered = self._joined, [], 0
        parts, failure = _until_one_fails(joined)
        self._buffers.forget()
        give_back_unused()
        if self._layout and parts:
            rows = Rows.together(parts, self._pool.map)
            give_back_unused()
            try:
                self._write(rows, self._layout)
            except DeliveryError as error:
                raise self._first_refusal(rows, self._layout, error) from error
            del rows
            give_back_unused()
        if failure:
            raise failure

    def _write(self, rows: Rows, layout: Layout) -> None:
        ahead = [
            self._pool.submit(find) for table in self._tables for find in table.ahead(rows, layout)
        ]
        self._check(rows, self._totals, self._currency)
        order = self._order(rows.all())
        for found in ahead:
            found.result()
        give_back_unused()
        groups = (rows.taken(numbers) for numbers in row_groups(order))
        for made in _in_turn(self._pool, partial(self._made, layout), groups):
            for files, table in zip(self._files.values(), made, strict=True):
                files.write(table)

    def _made(self, layout: Layout, rows: Rows) -> list[pa.Table]:
        return [table.apply(rows, layout) for table in self._tables]

    def _order(self, rows: Rows) -> np.ndarray:
        """Rows that are read together stand together, in every table."""
        rules = {
            target.column.lower(): target.rule
            for target in self._mapping.tables[COST_AND_USAGE].targets
        }
        return sorted_order([rules[column].make(rows) for column in SORT_ORDER])

    def _check(self, rows: Rows, totals: ControlTotals, currency: Currency) -> None:
        """Raises DeliveryError. Goes through the rows part by part, which takes less memory."""
        for start in range(0, rows.count, CHECKED):
            part = rows.taken(np.arange(start, min(start + CHECKED, rows.count)))
            _check_period(part, self._mapping.period_start, self._task.period)
            for name in self._mapping.required:
                _check_present(part, name)
            currency.check(part)
            totals.add(part)

    def _first_refusal(self, rows: Rows, layout: Layout, error: DeliveryError) -> DeliveryError:
        """The error of the first row that is refused: the last of the fewest rows that are."""
        passed, failed = 0, rows.count
        while failed - passed > 1:
            middle = (passed + failed) // 2
            if (found := self._refusal(rows.first(middle), layout)) is None:
                passed = middle
            else:
                failed, error = middle, found
        return self._refusal(rows.first(failed), layout) or error

    def _refusal(self, rows: Rows, layout: Layout) -> DeliveryError | None:
        try:
            self._check(rows, control_totals(self._task.kind), copy(self._currency))
            for table in self._tables:
                for find in table.ahead(rows, layout):
                    find()
                table.apply(rows, layout)
        except DeliveryError as error:
            return error
        return None


def _together(parsed: list[Future[Rows]]) -> Parts:
    """The rows of what could be parsed, in one part if there are any; `parsed` is left empty."""
    wait(parsed)
    failures = [future.exception() for future in parsed]
    first = next((number for number, failure in enumerate(failures) if failure), len(parsed))
    parts = [part for future in parsed[:first] if (part := future.result()).count]
    parsed.clear()
    failure = failures[first] if first < len(failures) else None
    return [Rows.together(parts)] if parts else [], failure


def _until_one_fails(joined: Sequence[Future[Parts]]) -> Parts:
    """The parts before the first one that could not be parsed, and why it could not."""
    wait(joined)
    parts: list[Rows] = []
    for future in joined:
        rows, failure = future.result()
        parts.extend(rows)
        if failure:
            return parts, failure
    return parts, None


def _in_turn(pool: ThreadPoolExecutor, make: Callable[[A], B], things: Iterable[A]) -> Iterator[B]:
    """What `make` makes of each thing, in their order, a few being made at once."""
    under_way: deque[Future[B]] = deque()
    for thing in things:
        under_way.append(pool.submit(make, thing))
        if len(under_way) > WORKERS:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


def _check_period(rows: Rows, name: str, period: BillingPeriod) -> None:
    """Every row must belong to the bill of the period, whatever its usage dates are."""
    start = period.start.replace(tzinfo=None)
    for row, moment in _first_of_each(rows, name):
        if moment is not None and moment != start:
            value = rows.value(name, row)
            raise rows.refused(name, row, f"outside the billing period {period}", value)


def _first_of_each(rows: Rows, name: str) -> Iterator[tuple[int, object]]:
    moments = rows.moments(name)
    for value in moments.unique():
        if value.is_valid:
            yield moments.index(value).as_py(), value.as_py()


def _check_present(rows: Rows, name: str) -> None:
    missing = rows.is_missing(name)
    if missing.any():
        row = int(missing.argmax())
        raise rows.refused(name, row, "missing, which no row may have", None)

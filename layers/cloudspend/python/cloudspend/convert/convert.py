"""A conversion task: delivered files in, Parquet objects and their control totals out.

The caller's thread reads; two workers parse, map and encode. What each of them holds is a group of
pieces, which are sorted together and written as row groups of each table.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from cloudspend.convert.blocks import Buffers, Damaged, header_and_blocks, inflated
from cloudspend.convert.control import ControlTotals, control_totals
from cloudspend.convert.crew import Crew, Located, Turns
from cloudspend.convert.currency import Currencies
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

WORKERS = 2
# Text that a worker gathers and sorts: some 130,000 rows of CUR 2.0.
GROUP_BYTES = 14 * 16 * 1024 * 1024
PARQUET = "parquet"


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
    with tempfile.TemporaryDirectory() as folder, ExitStack() as closing:
        files = {
            table: TableFiles(Path(folder), table, mapping.tables[table].schema)
            for table in task.tables
        }
        for written in files.values():
            closing.callback(written.abandon)
        conversion = _Conversion(task, mapping, files)
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
    """A task under way: reads its files and hands them out."""

    def __init__(
        self, task: ConversionTask, mapping: KindMapping, files: dict[str, TableFiles]
    ) -> None:
        self._task = task
        self._mapping = mapping
        self._turns = {table: Turns(WORKERS) for table in task.tables}
        self._currencies = Currencies(mapping.currency)
        self._workers = [
            _Worker(number, task, mapping, (files, self._turns), self._currencies)
            for number in range(WORKERS)
        ]
        self._buffers = Buffers(WORKERS + 1)
        self._unknown: set[str] = set()
        self._names: list[str] = []

    def run(self, source: Source) -> None:
        """Read everything. Raises what went wrong first, by its place in the files."""
        crew: Crew[Piece] = Crew(self._workers, list(self._turns.values()), GROUP_BYTES)
        try:
            with crew:
                for file in self._task.files:
                    with source.open(file) as stream:
                        self._hand_out(file, stream, crew)
        except Located as failure:
            other = self._currencies.first_other()
            first = failure if other is None or failure.place < other.place else other
            raise first.cause from first.cause.__cause__
        if other := self._currencies.first_other():
            raise other.cause

    def summary(self, outputs: tuple[Output, ...]) -> ConversionSummary:
        totals = control_totals(self._task.kind)
        for worker in self._workers:
            totals.include(worker.totals)
        return ConversionSummary(
            task=self._task.task,
            rows_read=totals.rows_read,
            rows_left_out=totals.rows_read - totals.rows_expected,
            billed_cost=totals.billed_cost,
            effective_cost=totals.effective_cost,
            list_cost=totals.list_cost,
            unblended_cost=totals.unblended_cost,
            currency=self._currencies.first(),
            unknown_columns=tuple(sorted(self._unknown)),
            unknown_charge_types=tuple(sorted(totals.charge_types - KNOWN_CHARGE_TYPES)),
            outputs=outputs,
        )

    def _hand_out(self, file: DeliveredFile, stream: ByteStream, crew: Crew[Piece]) -> None:
        place = file.place
        if self._task.compression == PARQUET:
            pieces = self._batches(stream, place, crew)
        else:
            pieces = self._blocks(stream, file.size, place, crew)
        for piece in pieces:
            crew.hand_out(piece, piece.size)

    def _blocks(
        self, stream: ByteStream, size: int, place: str, crew: Crew[Piece]
    ) -> Iterator[Piece]:
        try:
            with inflated(stream, self._task.compression, size) as plain:
                header, blocks = header_and_blocks(plain, self._buffers)
                names = column_names(header, place)
                layout = self._layout(names, place, 1, crew)
                for block in blocks:
                    yield BlockPiece(place, layout, block, names)
        except Damaged as error:
            raise damaged(place, error) from error

    def _batches(self, stream: ByteStream, place: str, crew: Crew[Piece]) -> Iterator[Piece]:
        with opened(stream, place) as parquet:
            layout = self._layout(parquet.names, place, None, crew)
            for batch in parquet.batches(layout.wanted):
                yield BatchPiece(place, layout, batch)

    def _layout(self, names: list[str], place: str, line: int | None, crew: Crew[Piece]) -> Layout:
        """What the columns of a file are; rows of other columns are no group with what was read."""
        self._require(names, place, line)
        layout = self._mapping.layout(names, self._task.tables)
        self._unknown |= {name for _, name in layout.unknown}
        if names != self._names:
            crew.finish_groups()
            self._names = names
        return layout

    def _require(self, names: list[str], place: str, line: int | None) -> None:
        there = {column_key(name) for name in names}
        for name in self._mapping.required:
            if column_key(name) not in there:
                raise unreadable(place, line, f"the column {name} is missing", column=name)


class _Worker:
    """What one thread of a conversion does: pieces become row groups of each table."""

    def __init__(
        self,
        number: int,
        task: ConversionTask,
        mapping: KindMapping,
        outputs: tuple[dict[str, TableFiles], dict[str, Turns]],
        currencies: Currencies,
    ) -> None:
        self._number = number
        self._task = task
        self._mapping = mapping
        self._files, self._turns = outputs
        self._currencies = currencies
        self._taken: list[tuple[int, Rows]] = []
        self._layout: Layout | None = None
        self.totals = control_totals(task.kind)

    def take(self, number: int, piece: Piece) -> None:
        rows = piece.parse()
        if rows.count:
            self._currencies.note(number, rows)
            self._taken.append((number, rows))
            self._layout = piece.layout

    def finish_group(self) -> None:
        taken, self._taken = self._taken, []
        if taken and self._layout:
            rows = Rows.together([rows for _, rows in taken])
            try:
                self._write(rows, self._layout)
            except DeliveryError as error:
                raise self._first_refused(rows, self._layout, taken, error) from error
        for turns in self._turns.values():
            turns.leave(self._number)

    def _write(self, rows: Rows, layout: Layout) -> None:
        self._check(rows, self.totals)
        for numbers in row_groups(self._order(rows)):
            group = rows.taken(numbers)
            for table, files in self._files.items():
                made = self._mapping.tables[table].apply(group, layout)
                with self._turns[table].turn(self._number) as going_on:
                    if going_on:
                        files.write(made)

    def _order(self, rows: Rows) -> np.ndarray:
        """Rows that are read together stand together, in every table."""
        rules = {
            target.column.lower(): target.rule
            for target in self._mapping.tables[COST_AND_USAGE].targets
        }
        return sorted_order([rules[column].make(rows) for column in SORT_ORDER])

    def _check(self, rows: Rows, totals: ControlTotals) -> None:
        _check_period(rows, self._mapping.period_start, self._task.period)
        for name in self._mapping.required:
            _check_present(rows, name)
        totals.add(rows)

    def _first_refused(
        self, rows: Rows, layout: Layout, taken: Sequence[tuple[int, Rows]], error: DeliveryError
    ) -> Located:
        """The error of the first row that is refused: the last of the fewest rows that are."""
        passed, failed = 0, rows.count
        while failed - passed > 1:
            middle = (passed + failed) // 2
            if (found := self._refusal(rows.taken(np.arange(middle)), layout)) is None:
                passed = middle
            else:
                failed, error = middle, found
        error = self._refusal(rows.taken(np.arange(failed)), layout) or error
        ends = np.cumsum([part.count for _, part in taken])
        part = int(np.searchsorted(ends, failed - 1, side="right"))
        return Located(taken[part][0], failed - 1 - int(ends[part] - taken[part][1].count), error)

    def _refusal(self, rows: Rows, layout: Layout) -> DeliveryError | None:
        try:
            self._check(rows, control_totals(self._task.kind))
            for table in self._files:
                self._mapping.tables[table].apply(rows, layout)
        except DeliveryError as error:
            return error
        return None


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

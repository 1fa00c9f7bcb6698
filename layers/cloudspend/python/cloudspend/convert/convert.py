"""A conversion task: delivered files in, one Parquet object and its control totals out."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from cloudspend.convert.blocks import Damaged, header_and_blocks, inflated
from cloudspend.convert.control import control_totals
from cloudspend.convert.mapping import KindMapping, Layout
from cloudspend.convert.mappings import MAPPINGS
from cloudspend.convert.model import ConversionSummary, ConversionTask, Output
from cloudspend.convert.names import column_key
from cloudspend.convert.parse import column_names, damaged, parse, unreadable
from cloudspend.convert.ports import ByteStream, Sink, Source
from cloudspend.convert.rows import Rows
from cloudspend.convert.rules import KNOWN_CHARGE_TYPES
from cloudspend.convert.schema import COST_AND_USAGE
from cloudspend.convert.writer import ParquetFile
from cloudspend.errors import UsageError
from cloudspend.exports.model import BillingPeriod, DeliveredFile


def convert_task(task: ConversionTask, source: Source, sink: Sink) -> ConversionSummary:
    """Convert the task's files and put the result into the lake.

    Nothing is put when anything cannot be read. Raises DeliveryError with `file`, `line`, `column`
    and `value`; DeliveryReplaced, PermissionDenied and TransientError as the source does.
    """
    if task.kind not in MAPPINGS:
        raise UsageError(f"Files of kind {task.kind} cannot be converted yet.")
    conversion = _Conversion(task, MAPPINGS[task.kind])
    key = task.output_key(COST_AND_USAGE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "output.parquet"
        with ParquetFile(path) as output:
            for file in task.files:
                with source.open(file) as stream:
                    conversion.take(file, stream, output)
        sink.put(path, key)
        written = Output(COST_AND_USAGE, sink.bucket, key, output.rows, path.stat().st_size)
    return conversion.summary((written,))


class _Conversion:
    """What a task has gathered so far."""

    def __init__(self, task: ConversionTask, mapping: KindMapping) -> None:
        self._task = task
        self._mapping = mapping
        self._totals = control_totals(task.kind)
        self._currency = ""
        self._unknown: set[str] = set()

    def take(self, file: DeliveredFile, stream: ByteStream, output: ParquetFile) -> None:
        place = file.place
        try:
            with inflated(stream, self._task.compression, file.size) as plain:
                for rows, layout in self._rows(plain, place):
                    self._check(rows)
                    self._totals.add(rows)
                    output.add(self._mapping.tables[COST_AND_USAGE].apply(rows, layout))
        except Damaged as error:
            raise damaged(place, error) from error

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
            currency=self._currency,
            unknown_columns=tuple(sorted(self._unknown)),
            unknown_charge_types=tuple(sorted(totals.charge_types - KNOWN_CHARGE_TYPES)),
            outputs=outputs,
        )

    def _rows(self, plain: ByteStream, place: str) -> Iterator[tuple[Rows, Layout]]:
        header, blocks = header_and_blocks(plain)
        names = column_names(header, place)
        self._require(names, place)
        layout = self._mapping.layout(names, self._task.tables)
        self._unknown |= {name for _, name in layout.unknown}
        for block in blocks:
            yield parse(block, names, layout.wanted, place), layout

    def _require(self, names: list[str], place: str) -> None:
        there = {column_key(name) for name in names}
        for name in self._mapping.required:
            if column_key(name) not in there:
                raise unreadable(place, 1, f"the column {name} is missing", column=name)

    def _check(self, rows: Rows) -> None:
        _check_period(rows, self._mapping.period_start, self._task.period)
        for name in self._mapping.required:
            _check_present(rows, name)
        self._currency = _one_currency(rows, self._mapping.currency, self._currency)


def _check_period(rows: Rows, name: str, period: BillingPeriod) -> None:
    """Every row must belong to the bill of the period, whatever its usage dates are."""
    start = period.start.replace(tzinfo=None)
    for row, moment in _first_of_each(rows, name):
        if moment is not None and moment != start:
            value = rows.text(name)[row].as_py()
            raise rows.refused(name, row, f"outside the billing period {period}", value)


def _first_of_each(rows: Rows, name: str) -> Iterator[tuple[int, object]]:
    moments = rows.moments(name)
    for value in moments.unique():
        if value.is_valid:
            yield moments.index(value).as_py(), value.as_py()


def _check_present(rows: Rows, name: str) -> None:
    column = rows.text(name)
    if column.null_count:
        row = column.is_null().index(True).as_py()
        raise rows.refused(name, row, "missing, which no row may have", None)


def _one_currency(rows: Rows, name: str, known: str) -> str:
    """Costs of two currencies cannot be added up. Raises DeliveryError at the second one."""
    column = rows.text(name).dictionary_decode()
    expected = known or (column[0].as_py() if rows.count else "")
    others = rows.distinct(name) - {expected}
    if others:
        at = min(column.index(value).as_py() for value in others)
        raise rows.refused(name, at, f"another currency than {expected}", column[at].as_py())
    return str(expected)

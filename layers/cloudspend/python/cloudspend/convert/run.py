"""Check, sort, map and write the rows of a run as row groups of each table."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from functools import partial
from typing import TypeVar

import numpy as np
import pyarrow as pa

from cloudspend.convert.control import ControlTotals, control_totals
from cloudspend.convert.engine.codes import Codes
from cloudspend.convert.engine.memory import release_unused
from cloudspend.convert.engine.rows import Rows
from cloudspend.convert.focus.currency import Currency
from cloudspend.convert.focus.mapping import KindMapping, Layout
from cloudspend.convert.focus.schema import COST_AND_USAGE, SORT_ORDER
from cloudspend.convert.model import ConversionTask
from cloudspend.convert.writer import TableFiles, row_groups, sorted_order
from cloudspend.errors import DeliveryError
from cloudspend.exports.model import BillingPeriod

A = TypeVar("A")
B = TypeVar("B")

# Rows per step of the checks.
CHECKED = 65_536


class RunWriter:
    """Writer of runs, one after another, with their control totals.

    `pool` maps up to `workers` row groups in advance.
    """

    def __init__(
        self,
        task: ConversionTask,
        mapping: KindMapping,
        files: Mapping[str, TableFiles],
        pool: ThreadPoolExecutor,
        workers: int,
    ) -> None:
        self._task = task
        self._mapping = mapping
        self._files = list(files.values())
        self._tables = [mapping.tables[table] for table in files]
        self._pool = pool
        self._workers = workers
        self.totals = control_totals(task.kind)
        self.currency = Currency(mapping.currency)

    def write(self, rows: Rows, layout: Layout) -> None:
        """Write a run. Raises DeliveryError at the first invalid row."""
        try:
            order = self._checked(rows, layout)
            release_unused()
            groups = (rows.taken(numbers) for numbers in row_groups(order))
            for made in self._in_turn(partial(self._made, layout), groups):
                for files, table in zip(self._files, made, strict=True):
                    files.write(table)
        except DeliveryError as error:
            raise self._first_refusal(rows, layout, error) from error

    def _checked(self, rows: Rows, layout: Layout) -> Codes:
        """Check the rows and return their order. Precomputes per-text results at the same time."""
        ahead = [
            self._pool.submit(find)
            for table in self._tables
            for find in table.precompute(rows, layout)
        ]
        self._check(rows, self.totals, self.currency)
        order = self._order(rows.all())
        for found in ahead:
            found.result()
        return order

    def _made(self, layout: Layout, rows: Rows) -> list[pa.Table]:
        return [table.apply(rows, layout) for table in self._tables]

    def _in_turn(self, make: Callable[[A], B], things: Iterable[A]) -> Iterator[B]:
        """Yield the result of `make` for each item in order, computing a few items in advance."""
        under_way: deque[Future[B]] = deque()
        for thing in things:
            under_way.append(self._pool.submit(make, thing))
            if len(under_way) > self._workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

    def _order(self, rows: Rows) -> Codes:
        """Return the row order: rows that are queried together are adjacent, in every table."""
        rules = {
            target.column.lower(): target.rule
            for target in self._mapping.tables[COST_AND_USAGE].targets
        }
        return sorted_order([rules[column].make(rows) for column in SORT_ORDER])

    def _check(self, rows: Rows, totals: ControlTotals, currency: Currency) -> None:
        """Check the rows in parts, which bounds memory. Raises DeliveryError."""
        for start in range(0, rows.count, CHECKED):
            part = rows.taken(np.arange(start, min(start + CHECKED, rows.count)))
            _check_period(part, self._mapping.period_start, self._task.period)
            for name in self._mapping.required:
                _check_present(part, name)
            currency.check(part)
            totals.add(part)

    def _first_refusal(self, rows: Rows, layout: Layout, error: DeliveryError) -> DeliveryError:
        """Return the error of the first invalid row, found by bisection."""
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
            self._check(rows, control_totals(self._task.kind), copy(self.currency))
            for table in self._tables:
                for find in table.precompute(rows, layout):
                    find()
                table.apply(rows, layout)
        except DeliveryError as error:
            return error
        return None


def _check_period(rows: Rows, name: str, period: BillingPeriod) -> None:
    """Check that every row belongs to the billing period, independent of its usage dates."""
    start = period.start.replace(tzinfo=None)
    for row, moment in _first_of_each(rows, name):
        if moment is not None and moment != start:
            value = rows.value(name, row)
            raise rows.refused(name, row, f"outside the billing period {period}", value)


def _first_of_each(rows: Rows, name: str) -> Iterator[tuple[int, object]]:
    moments = rows.timestamps(name)
    for value in moments.unique():
        if value.is_valid:
            yield moments.index(value).as_py(), value.as_py()


def _check_present(rows: Rows, name: str) -> None:
    missing = rows.is_missing(name)
    if missing.any():
        row = int(missing.argmax())
        raise rows.refused(name, row, "missing, which no row may have", None)

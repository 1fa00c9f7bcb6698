"""One month's bill of an organization: the rows of a legacy Cost and Usage Report."""

import csv
import json
import os
import subprocess
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cloudspend.exports.model import BillingPeriod
from local.world import estate
from local.world.columns import ALWAYS, category, in_aws_order
from local.world.fix import fix

ROWS_PER_FILE = 3000
Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Bill:
    """The line items of one billing period as AWS would deliver them, file by file.

    `final` bills carry an invoice id in every row. All files have the same columns.
    """

    payer: str
    period: BillingPeriod
    columns: tuple[str, ...]
    files: tuple[Rows, ...]
    final: bool

    @property
    def rows(self) -> Iterator[tuple[str, ...]]:
        return (row for file in self.files for row in file)

    def values(self, column: str) -> list[str]:
        """One column of the whole bill."""
        index = self.columns.index(column)
        return [row[index] for row in self.rows]

    def total(self, column: str = "lineItem/UnblendedCost") -> Decimal:
        """The exact sum of a column of money."""
        return sum((Decimal(value) for value in self.values(column) if value), Decimal())

    def first_hours(self, hours: int) -> "Bill":
        """The bill of the period's first hours alone: smaller, and as whole as the month."""
        start = self.columns.index("lineItem/UsageStartDate")
        end = self.period.start + timedelta(hours=hours)
        files = tuple(
            tuple(row for row in file if datetime.fromisoformat(row[start]) < end)
            for file in self.files
        )
        return replace(self, files=tuple(file for file in files if file))

    def with_value(self, file: int, row: int, column: str, value: str) -> "Bill":
        """The bill with one field changed; `file` and `row` count from 0."""
        index = self.columns.index(column)
        rows = list(self.files[file])
        rows[row] = (*rows[row][:index], value, *rows[row][index + 1 :])
        files = list(self.files)
        files[file] = tuple(rows)
        return replace(self, files=tuple(files))


@dataclass(frozen=True)
class Order:
    """A bill to be made: its period, where its usage ends, and whether it is the restated one."""

    period: BillingPeriod
    until: datetime
    final: bool
    restated: bool = False

    @classmethod
    def closed(cls, period: BillingPeriod, *, restated: bool = False) -> "Order":
        return cls(period, period.end, final=True, restated=restated)

    @classmethod
    def open(cls, period: BillingPeriod, today: date) -> "Order":
        """The bill so far: full days before `today`, and on the first of a month that day."""
        midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
        return cls(period, max(midnight, period.start + timedelta(days=1)), final=False)


def make_bills(orders: Iterable[Order]) -> list[Bill]:
    """Have koku-nise make the line items, and fix them. The same orders give the same bills."""
    orders = list(orders)
    with TemporaryDirectory(prefix="bills-") as folder:
        folders = [Path(folder) / str(number) for number in range(len(orders))]
        _run_nise([_nise_order(*pair) for pair in zip(orders, folders, strict=True)])
        return [_read(*pair) for pair in zip(orders, folders, strict=True)]


def _nise_order(order: Order, folder: Path) -> dict[str, Any]:
    """A restated month has its own first assembly's seed, so that only what was restated moves."""
    return {
        "folder": str(folder),
        "seed": zlib.crc32(str(order.period).encode()),
        "start": order.period.start.isoformat(),
        "end": order.until.isoformat(),
        "row_limit": ROWS_PER_FILE,
        "static": _static_report(order),
    }


def _static_report(order: Order) -> dict[str, Any]:
    return {
        "accounts": {
            "payer": estate.PAYER,
            "user": list(estate.ACCOUNTS),
            "currency_code": "USD",
        },
        "generators": [_generator(resource, order) for resource in estate.RESOURCES],
    }


def _generator(resource: estate.Resource, order: Order) -> dict[str, Any]:
    attributes = {
        **resource.attributes,
        **(resource.restated if order.restated else {}),
        "user": resource.account,
        "start_date": f"{order.period.start:%Y-%m-%d}",
        "end_date": f"{order.until:%Y-%m-%d}",
        "tags": resource.tags,
        "cost_category": resource.cost_categories,
    }
    return {resource.generator: attributes}


def _run_nise(orders: list[dict[str, Any]]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local.world.nise_run"],
        input=json.dumps(orders),
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"koku-nise made no bill: {done.stderr[-2000:]}")


def _read(order: Order, folder: Path) -> Bill:
    """nise also leaves a file without rows for the month after a whole one."""
    invoice = _invoice_id(order) if order.final else ""
    prefix = f"{order.period.start:%B}-{order.period.year}-"
    paths = sorted(folder.glob(f"{prefix}*.csv"), key=lambda path: (len(path.name), path.name))
    files = [[fix(row, invoice) for row in _csv_rows(path)] for path in paths]
    columns = _columns(row for file in files for row in file)
    return Bill(
        payer=estate.PAYER,
        period=order.period,
        columns=tuple(columns),
        files=tuple(
            tuple(tuple(row.get(column, "") for column in columns) for row in file)
            for file in files
            if file
        ),
        final=order.final,
    )


def _invoice_id(order: Order) -> str:
    return f"{zlib.crc32(f'invoice {order.period}'.encode()) % 10**9:09d}"


def _csv_rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


def _columns(rows: Iterable[dict[str, str]]) -> list[str]:
    """The columns that AWS would write: see `columns.ALWAYS`."""
    present: dict[str, bool] = {}
    for row in rows:
        for column, value in row.items():
            present[column] = present.get(column, False) or bool(value)
    return in_aws_order(
        column for column, filled in present.items() if filled or category(column) in ALWAYS
    )

"""`cloudspend convert`: convert a bill on disk or in S3 without a platform."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from cloudspend import wiring
from cloudspend.accounts.model import ExportKind
from cloudspend.cli.memory import peak_rss_mb
from cloudspend.cli.output import Output, progress, show, show_one
from cloudspend.convert.focus.schema import BILLING_DETAIL, COST_AND_USAGE
from cloudspend.standalone.model import Converted, Group

# Groups to show; the others become one line.
SHOWN = 20
ENDING = (signal.SIGINT, signal.SIGTERM)
# Shells add this to a signal's number.
SIGNALLED = 128


class Kind(StrEnum):
    """Export kinds as options of the command line."""

    AUTO = "auto"
    CUR_LEGACY = "cur-legacy"
    CUR_2_0 = "cur-2-0"
    FOCUS_1_0 = "focus-1-0"
    FOCUS_1_2 = "focus-1-2"

    @property
    def export_kind(self) -> ExportKind | None:
        return None if self is Kind.AUTO else ExportKind[self.name]


class Tables(StrEnum):
    """The tables to write."""

    COST_AND_USAGE = COST_AND_USAGE
    BILLING_DETAIL = BILLING_DETAIL
    BOTH = "both"

    @property
    def names(self) -> tuple[str, ...]:
        return (COST_AND_USAGE, BILLING_DETAIL) if self is Tables.BOTH else (str(self),)


class Form(StrEnum):
    """Output formats. The result is not a list, so there is no CSV."""

    TABLE = "table"
    JSON = "json"


def convert(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help="A manifest or data files: paths or s3:// URIs."),
    ],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder to write to.")],
    kind: Annotated[Kind, typer.Option(help="What the bill must be; auto goes by its columns.")] = (
        Kind.AUTO
    ),
    table: Annotated[Tables, typer.Option(help="What to write.")] = Tables.COST_AND_USAGE,
    output: Annotated[
        Form, typer.Option("--output", "-o", help="A table for people; json for scripts.")
    ] = Form.TABLE,
) -> None:
    """Convert a bill on disk or in S3 into Parquet, with the code that the platform runs.

    Needs no platform, and no AWS account for files on disk; s3:// is read with the credentials of
    the shell. Writes DIR/TABLE/billing_period=YYYY-MM/*.parquet: a month that is there already is
    replaced as a whole, and nothing is written unless everything could be read.

    \b
    cloudspend convert report-Manifest.json --to lake
    cloudspend convert bill-*.csv.gz --to lake --table both
    cloudspend convert s3://BUCKET/PREFIX/NAME-00001.parquet --to lake --output json
    """
    # NumPy and Arrow take half of any command's start time, and no other command needs them.
    from cloudspend.standalone import convert as use_case  # noqa: PLC0415

    began = time.monotonic()
    request = use_case.Request(sources, to, table.names, kind.export_kind)
    with _progress() as progress:
        converted = use_case.convert_bill(request, wiring.own_files(), progress)
    facts = _facts(converted, time.monotonic() - began)
    if output is Form.JSON:
        show_one(facts, Output.JSON)
    else:
        _show(facts, converted)
    _notes(converted)


def _facts(converted: Converted, seconds: float) -> dict[str, Any]:
    """Return the result; costs are exact, in `currency` units."""
    return {
        "kind": Kind[converted.kind.name].value,
        "rows_read": converted.rows_read,
        "rows_written": converted.rows_written,
        "billed_cost": converted.billed_cost,
        "effective_cost": converted.effective_cost,
        "list_cost": converted.list_cost,
        "currency": converted.currency,
        "periods": [str(period) for period in converted.periods],
        "unknown_columns": list(converted.unknown_columns),
        "seconds": round(seconds, 2),
        "peak_rss_mb": round(peak_rss_mb()),
        "files": [str(file) for file in converted.files],
    }


def _show(facts: dict[str, Any], converted: Converted) -> None:
    people = {name: _rounded(value) for name, value in facts.items()}
    show_one(people, Output.TABLE)
    for title, groups in converted.groups.items():
        rows = [_row(title, group) for group in _few(groups)]
        show(rows, list(rows[0]) if rows else [], Output.TABLE, f"No {title} has a row.")


def _few(groups: tuple[Group, ...]) -> list[Group]:
    """Return the groups with the largest cost, and all others together."""
    if len(groups) <= SHOWN:
        return list(groups)
    rest = groups[SHOWN:]
    costs = {name: sum((each.costs[name] for each in rest), Decimal(0)) for name in rest[0].costs}
    others = Group(f"({len(rest)} others)", sum(each.rows for each in rest), costs)
    return [*groups[:SHOWN], others]


def _row(title: str, group: Group) -> dict[str, Any]:
    costs = {name: _rounded(cost) for name, cost in group.costs.items()}
    return {title: group.value, "rows": group.rows, **costs}


def _rounded(value: Any) -> Any:
    return round(value, 2) if isinstance(value, Decimal) else value


def _notes(converted: Converted) -> None:
    """Print notes about the bill."""
    for file in converted.empty:
        progress(f"{file.place} has no rows.")
    if converted.unknown_charge_types:
        types = ", ".join(converted.unknown_charge_types)
        progress(f"Charge types that CloudSpend does not know, counted as adjustments: {types}")


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Yield a function that shows a progress bar on a terminal's standard error, and handles
    signals.
    """
    console = Console(stderr=True)
    columns = (TextColumn("Converting"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with (
        _Ending() as ending,
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        task = bar.add_task("", total=None)

        def tell(done: int, total: int) -> None:
            ending.take_hold()
            bar.update(task, completed=done, total=total)

        yield tell


class _Ending:
    """Ends the command on SIGINT and SIGTERM without writing anything.

    The conversion's threads must end first: the first signal takes effect at the next read, or when
    everything is ready to be written. A second signal takes effect at once.
    """

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._converting = False
        self._told = 0

    def __enter__(self) -> "_Ending":
        for number in ENDING:
            self._before[number] = signal.signal(number, self._tell)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def take_hold(self) -> None:
        """End the command if a signal has arrived."""
        self._converting = True
        if self._told:
            self._end()

    def _tell(self, number: int, _frame: FrameType | None) -> None:
        again, self._told = bool(self._told), number
        if again or not self._converting:
            self._end()

    def _end(self) -> NoReturn:
        progress("cloudspend: Ended by a signal; nothing was written.")
        sys.exit(SIGNALLED + self._told)

"""Output of commands: tables for people, JSON and CSV for scripts."""

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

Row = Mapping[str, Any]

NUMBERS = (int, float, Decimal)
# A table is wider than a narrow terminal, up to this width, if it would break a word otherwise: an
# account id in two pieces can be neither read nor copied.
WIDEST = 120
# Longest cell that leaves room for other columns.
LONGEST_ID = 52


class Output(StrEnum):
    """Output formats of commands."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def show(rows: Sequence[Row], columns: Sequence[str], output: Output, empty: str) -> None:
    """Print `rows` with `columns` to standard output.

    JSON is a list of objects with all columns. CSV has a header, and no rows for an empty result;
    people see the sentence `empty` instead.
    """
    if output is Output.JSON:
        _line(json.dumps([{c: _plain(row[c]) for c in columns} for row in rows], indent=2))
    elif output is Output.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(row[c], missing="") for c in columns] for row in rows)
    elif rows:
        _print(table(rows, columns))
    else:
        _line(empty)


def show_one(row: Row, output: Output) -> None:
    """Print one object: a line per field for people, one object or row for scripts."""
    if output is Output.JSON:
        _line(json.dumps({name: _plain(value) for name, value in row.items()}, indent=2))
    elif output is Output.CSV:
        show([row], list(row), output, "")
    else:
        grid = Table.grid(padding=(0, 2))
        grid.add_column()
        grid.add_column(overflow="fold")
        for name, value in row.items():
            grid.add_row(Text(name.replace("_", " "), style="dim"), Text(_cell(value)))
        Console(highlight=False).print(grid)


def table(rows: Sequence[Row], columns: Sequence[str]) -> Table:
    """Return a table with numbers aligned right."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        numeric = any(isinstance(row[column], NUMBERS) for row in rows)
        made.add_column(
            column.replace("_", " "),
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=_is_copied(_cell(row[column]) for row in rows),
        )
    for row in rows:
        made.add_row(*(Text(_cell(row[column])) for column in columns))
    return made


def show_whole(text: str) -> None:
    """Print a line that must be copied: it is never cut or wrapped."""
    _line(text)


def progress(sentence: str) -> None:
    """Print progress for people on standard error, so output can be piped."""
    sys.stderr.write(sentence + "\n")


def _print(made: Table) -> None:
    console = Console(highlight=False)
    needed = Measurement.get(console, console.options.update(width=WIDEST), made)
    if needed.minimum > console.width:
        console.width = max(console.width, needed.maximum)
    console.print(made)


def _is_copied(cells: Iterable[str]) -> bool:
    """Return whether a column contains ids, ARNs or addresses, which break last."""
    found = list(cells)
    return all(" " not in cell for cell in found) and max(map(len, found), default=0) <= LONGEST_ID


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")


def _cell(value: Any, missing: str = "-") -> str:
    if value is None or value == "":
        return missing
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item) for item in value)
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | None) else _cell(value)

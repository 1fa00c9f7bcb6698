"""Blocks of CSV as rows of text."""

import csv
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv

from cloudspend.convert.blocks import Block, Damaged, row_lines
from cloudspend.convert.maps import TEXT
from cloudspend.convert.rows import Rows
from cloudspend.convert.spots import SHOWN, Place
from cloudspend.errors import DeliveryError


def column_names(header: bytes, file: str) -> list[str]:
    """The names in a file's first line. Raises DeliveryError."""
    try:
        names = next(csv.reader([header.decode()], strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise unreadable(file, 1, f"the header cannot be read ({error})") from error
    repeated = first_repeated(names)
    if repeated is not None:
        raise unreadable(file, 1, f"the header names {repeated!r} twice", column=repeated)
    return names


def first_repeated(names: Sequence[str]) -> str | None:
    """The first name that stands there more than once."""
    return next((name for name, count in Counter(names).items() if count > 1), None)


def parse(
    block: Block,
    names: Sequence[str],
    wanted: Sequence[str],
    file: str,
    varied: Collection[str] = (),
) -> Rows:
    """The columns `wanted` of a block, which is released whatever happens.

    Columns are dictionaries, except `varied`, whose values nearly all differ. Raises DeliveryError
    at the first row that is not whole.
    """
    try:
        types = {name: pa.string() if name in varied else TEXT for name in wanted}
        return _parsed(block, names, types, file)
    finally:
        block.release()


def _parsed(
    block: Block, names: Sequence[str], types: Mapping[str, pa.DataType], file: str
) -> Rows:
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(pa.py_buffer(block.data)),
            # A block ends where a row does: Arrow need not look for that, only for its columns.
            pyarrow.csv.ReadOptions(
                column_names=list(names), use_threads=False, block_size=len(block.data) + 1
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=list(types),
                column_types=types,
                # What is empty is found sooner among distinct values (`Column.of`).
                null_values=[],
            ),
        )
    except pa.ArrowInvalid as error:
        raise _first_wrong(block, names, types, file, error) from error
    return Rows(by_name(table), table.num_rows, Place(file, _line_of(block, table.num_rows)))


def _line_of(block: Block, rows: int) -> Callable[[int], int]:
    """The line of a row; found out now, since the block's bytes do not last."""
    if block.newlines == rows:
        first = block.first_line
        return lambda row: first + row
    lines = row_lines(block)
    if len(lines) != rows:
        # A quote within a value that does not begin with one is not counted as a quote by Arrow.
        lines = [line for line, _ in _rows_of(block)]
    return lambda row: lines[row]


def by_name(table: pa.Table) -> dict[str, pa.Array]:
    """The columns of a parsed block, each in one piece."""
    if any(column.num_chunks != 1 for column in table.columns):
        table = table.unify_dictionaries().combine_chunks()
    return {
        # A table without rows has no chunk at all.
        name: column.chunk(0) if column.num_chunks else pa.array([], column.type)
        for name, column in zip(table.column_names, table.columns, strict=True)
    }


def unreadable(file: str, line: int | None, what: str, **details: Any) -> DeliveryError:
    """The error for a file that cannot be read as CSV."""
    at = "" if line is None else f", line {line}"
    facts: dict[str, Any] = {"file": file, "line": line, "column": None, "value": None, **details}
    return DeliveryError(
        f"{file}{at}: {what}.",
        remedy="Have AWS deliver the report again, or open a case with AWS support.",
        **facts,
    )


def damaged(file: str, error: Damaged) -> DeliveryError:
    """The error for a file whose compression is broken."""
    return unreadable(file, error.line, str(error))


def _first_wrong(
    block: Block, names: Sequence[str], wanted: Collection[str], file: str, error: Exception
) -> DeliveryError:
    """The error for the first row that has not as many values as there are columns, or has one in
    a column of `wanted` that is no UTF-8."""
    asked = set(wanted)
    columns = [number for number, name in enumerate(names) if name in asked]
    for line, row in _rows_of(block):
        if len(row) != len(names):
            text = _shown(",".join(row))
            counted = f"{len(row)} columns instead of {len(names)}"
            return unreadable(file, line, f"the row {text!r} has {counted}", value=text)
        stray = next((number for number in columns if _has_stray_bytes(row[number])), None)
        if stray is not None:
            text = _shown(row[stray])
            what = f"column {names[stray]}: {text!r} is not UTF-8"
            return unreadable(file, line, what, column=names[stray], value=text)
    return unreadable(file, block.first_line, f"the rows from here on are no CSV ({error})")


def _shown(text: str) -> str:
    """The beginning of `text`; a byte that is no UTF-8 as `\\xe9`."""
    return text[:SHOWN].encode(errors="surrogateescape").decode(errors="backslashreplace")


def _has_stray_bytes(text: str) -> bool:
    """Whether `text` holds what `surrogateescape` puts for a byte that is no UTF-8."""
    return not text.isascii() and any("\udc80" <= character <= "\udcff" for character in text)


def _rows_of(block: Block) -> Iterator[tuple[int, list[str]]]:
    """The rows with the lines they start on, slowly, and quoted as Arrow has it: where a value
    begins with a quote. A last row whose quote stays open is there as an empty one."""
    text = bytes(block.data).decode(errors="surrogateescape")
    reader = csv.reader(f"{line}\n" for line in text.split("\n"))
    start = block.first_line
    try:
        for row in reader:
            if row:
                yield start, row
            start = block.first_line + reader.line_num
    except csv.Error:
        yield start, []

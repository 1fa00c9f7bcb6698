"""Blocks of CSV as rows of text."""

import csv
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv

from cloudspend.convert.engine.blocks import Block, CorruptFile, row_lines
from cloudspend.convert.engine.locations import SHOWN, FileLocator
from cloudspend.convert.engine.rows import Rows
from cloudspend.errors import DeliveryError

PARSED_BYTES = 4 * 1024 * 1024


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
        try:
            table = _table(block, names, wanted)
            count, texts = table.num_rows, dict(zip(wanted, table.columns, strict=True))
            # Each column's text goes as soon as it is coded.
            del table
            columns = {name: _column(texts.pop(name), coded=name not in varied) for name in wanted}
        except pa.ArrowInvalid as error:
            raise _first_wrong(block, names, wanted, file, error) from error
        return Rows(columns, count, FileLocator(file, _line_of(block, count)))
    finally:
        block.release()


def _table(block: Block, names: Sequence[str], wanted: Sequence[str]) -> pa.Table:
    """The columns as text, read in parts that fit the processor's cache: Arrow goes through the
    rows anew for each column.

    Where a newline stands within a value, a part may end in the midst of a row, which Arrow
    refuses; the whole block ends where a row does.
    """
    try:
        return _read(block, names, wanted, PARSED_BYTES)
    except pa.ArrowInvalid:
        return _read(block, names, wanted, len(block.data) + 1)


def _read(block: Block, names: Sequence[str], wanted: Sequence[str], size: int) -> pa.Table:
    return pyarrow.csv.read_csv(
        pa.BufferReader(pa.py_buffer(block.data)),
        pyarrow.csv.ReadOptions(column_names=list(names), use_threads=False, block_size=size),
        convert_options=pyarrow.csv.ConvertOptions(
            include_columns=list(wanted),
            column_types=dict.fromkeys(wanted, pa.string()),
            # What is empty, or no UTF-8, is found sooner among distinct values.
            null_values=[],
            check_utf8=False,
        ),
    )


def _column(parts: pa.ChunkedArray, *, coded: bool) -> pa.Array:
    """A column in one piece; a table without rows has not even that. Raises ArrowInvalid where a
    value is no UTF-8."""
    column = (parts.dictionary_encode() if coded else parts).combine_chunks()
    if not isinstance(column, pa.Array):
        return pa.array([], column.type)
    (column.dictionary if coded else column).validate(full=True)
    return column


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


def unreadable(file: str, line: int | None, what: str, **details: Any) -> DeliveryError:
    """The error for a file that cannot be read as CSV."""
    at = "" if line is None else f", line {line}"
    facts: dict[str, Any] = {"file": file, "line": line, "column": None, "value": None, **details}
    return DeliveryError(
        f"{file}{at}: {what}.",
        remedy="Have AWS deliver the report again, or open a case with AWS support.",
        **facts,
    )


def damaged(file: str, error: CorruptFile) -> DeliveryError:
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

"""Parse blocks of CSV to rows of text."""

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
    """Return the names in a file's first line. Raises DeliveryError."""
    try:
        names = next(csv.reader([header.decode()], strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise unreadable(file, 1, f"the header cannot be read ({error})") from error
    repeated = first_repeated(names)
    if repeated is not None:
        raise unreadable(file, 1, f"the header names {repeated!r} twice", column=repeated)
    return names


def first_repeated(names: Sequence[str]) -> str | None:
    """Return the first duplicate name."""
    return next((name for name, count in Counter(names).items() if count > 1), None)


def parse(
    block: Block,
    names: Sequence[str],
    wanted: Sequence[str],
    file: str,
    high_cardinality: Collection[str] = (),
) -> Rows:
    """Parse the `wanted` columns of a block, and always release it.

    Columns are dictionaries, except `high_cardinality` ones with (nearly) unique values. Raises
    DeliveryError at the first incomplete row.
    """
    try:
        try:
            table = _table(block, names, wanted)
            count, texts = table.num_rows, dict(zip(wanted, table.columns, strict=True))
            # Each column's text is freed as soon as it is encoded.
            del table
            columns = {
                name: _column(texts.pop(name), coded=name not in high_cardinality)
                for name in wanted
            }
        except pa.ArrowInvalid as error:
            raise _first_wrong(block, names, wanted, file, error) from error
        return Rows(columns, count, FileLocator(file, _line_of(block, count)))
    finally:
        block.release()


def _table(block: Block, names: Sequence[str], wanted: Sequence[str]) -> pa.Table:
    """Parse the columns as text, in parts that fit the processor's cache: Arrow scans the rows
    again for each column.

    With newlines in values, a part can end within a row, which Arrow refuses; the whole block never
    does.
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
            # Empty and invalid texts are found faster among distinct values.
            null_values=[],
            check_utf8=False,
        ),
    )


def _column(parts: pa.ChunkedArray, *, coded: bool) -> pa.Array:
    """Return a column in one piece. Raises ArrowInvalid for a value that is not UTF-8."""
    column = (parts.dictionary_encode() if coded else parts).combine_chunks()
    if not isinstance(column, pa.Array):
        return pa.array([], column.type)
    (column.dictionary if coded else column).validate(full=True)
    return column


def _line_of(block: Block, rows: int) -> Callable[[int], int]:
    """Return a function from row to line, computed now, because the block's bytes are reused."""
    if block.newlines == rows:
        first = block.first_line
        return lambda row: first + row
    lines = row_lines(block)
    if len(lines) != rows:
        # Arrow does not treat a quote inside an unquoted value as a quote.
        lines = [line for line, _ in _rows_of(block)]
    return lambda row: lines[row]


def unreadable(file: str, line: int | None, what: str, **details: Any) -> DeliveryError:
    """Return the error for a file that is not valid CSV."""
    at = "" if line is None else f", line {line}"
    facts: dict[str, Any] = {"file": file, "line": line, "column": None, "value": None, **details}
    return DeliveryError(
        f"{file}{at}: {what}.",
        remedy="Have AWS deliver the report again, or open a case with AWS support.",
        **facts,
    )


def damaged(file: str, error: CorruptFile) -> DeliveryError:
    """Return the error for a corrupt compressed file."""
    return unreadable(file, error.line, str(error))


def _first_wrong(
    block: Block, names: Sequence[str], wanted: Collection[str], file: str, error: Exception
) -> DeliveryError:
    """Return the error for the first row with a wrong number of values, or with an invalid value in
    `wanted`.
    """
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
    r"""Return the beginning of `text`; bytes that are not UTF-8 as `\xe9`."""
    return text[:SHOWN].encode(errors="surrogateescape").decode(errors="backslashreplace")


def _has_stray_bytes(text: str) -> bool:
    """Return whether `text` has `surrogateescape` characters of bytes that are not UTF-8."""
    return not text.isascii() and any("\udc80" <= character <= "\udcff" for character in text)


def _rows_of(block: Block) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows with their first lines, slowly, with Arrow's quoting: only at the start of a
    value.

    A last row with an open quote is yielded as an empty one.
    """
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

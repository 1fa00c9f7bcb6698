"""Blocks of CSV as rows of text."""

import csv
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv

from cloudspend.convert.blocks import Block, Damaged, row_lines
from cloudspend.convert.maps import TEXT
from cloudspend.convert.rows import Place, Rows
from cloudspend.errors import DeliveryError


def column_names(header: bytes, file: str) -> list[str]:
    """The names in a file's first line. Raises DeliveryError."""
    try:
        names = next(csv.reader([header.decode()], strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise unreadable(file, 1, f"the header cannot be read ({error})") from error
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise unreadable(file, 1, f"the header names {repeated[0]} twice", column=repeated[0])
    return names


def parse(block: Block, names: Sequence[str], wanted: Sequence[str], file: str) -> Rows:
    """The columns `wanted` of a block, which is released whatever happens.

    Raises DeliveryError at the first row that is not whole.
    """
    try:
        return _parsed(block, names, wanted, file)
    finally:
        block.release()


def _parsed(block: Block, names: Sequence[str], wanted: Sequence[str], file: str) -> Rows:
    uneven: list[pa.csv.InvalidRow] = []

    def stop(row: pa.csv.InvalidRow) -> str:
        uneven.append(row)
        return "error"

    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(pa.py_buffer(block.data)),
            # A block ends where a row does: Arrow need not look for that, only for its columns.
            pyarrow.csv.ReadOptions(
                column_names=list(names), use_threads=False, block_size=len(block.data) + 1
            ),
            pyarrow.csv.ParseOptions(invalid_row_handler=stop),
            pyarrow.csv.ConvertOptions(
                include_columns=list(wanted),
                column_types=dict.fromkeys(wanted, TEXT),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        raise _invalid(block, uneven, error, file) from error
    return Rows(by_name(table), table.num_rows, Place(file, _line_of(block, table.num_rows)))


def _line_of(block: Block, rows: int) -> Callable[[int], int]:
    """The line of a row; found out now, since the block's bytes do not last."""
    if block.newlines == rows:
        first = block.first_line
        return lambda row: first + row
    lines = row_lines(block)
    return lambda row: lines[row]


def by_name(table: pa.Table) -> dict[str, pa.DictionaryArray]:
    """The columns of a parsed block, each in one piece."""
    return {
        name: column.unify_dictionaries().combine_chunks()
        if column.num_chunks != 1
        else column.chunk(0)
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
    return unreadable(file, None, str(error))


def _invalid(
    block: Block, uneven: Sequence[pa.csv.InvalidRow], error: Exception, file: str
) -> DeliveryError:
    if not uneven:
        return unreadable(file, block.first_line, f"the rows from here on are no CSV ({error})")
    row = uneven[0]
    line = block.first_line if row.number is None else row_lines(block)[row.number - 1]
    what = f"the row has {row.actual_columns} columns instead of {row.expected_columns}"
    return unreadable(file, line, what, value=row.text[:100])

"""Detect the export kind and billing period from the beginning of a data file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.engine.blocks import (
    CorruptFile,
    PlainStream,
    decompressed,
    header_and_blocks,
)
from cloudspend.convert.engine.parquet import opened, parse_batch
from cloudspend.convert.engine.parse import column_names, damaged, parse, unreadable
from cloudspend.convert.engine.rows import Rows
from cloudspend.convert.focus.mappings import MAPPINGS
from cloudspend.convert.focus.names import column_key
from cloudspend.convert.ports import ByteStream
from cloudspend.exports.kinds import kinds_of
from cloudspend.exports.model import BillingPeriod, DeliveredFile
from cloudspend.standalone.ports import Objects

PARQUET = "parquet"


@dataclass(frozen=True)
class Peek:
    """The kinds that the file's columns match (at least one), and the period of its first rows,
    None without rows.
    """

    kinds: frozenset[ExportKind]
    period: BillingPeriod | None


def peek(file: DeliveredFile, compression: str, objects: Objects) -> Peek:
    """Return what the beginning of a file shows; only the conversion reads it to the end.

    Raises DeliveryError when it is unreadable, or when no cost export has such columns.
    """
    with objects.open(file) as stream:
        try:
            if compression == PARQUET:
                return _peek_parquet(stream, file.place)
            with decompressed(stream, compression, file.size) as plain:
                return _peek_csv(plain, file.place)
        except CorruptFile as error:
            raise damaged(file.place, error) from error


def _peek_csv(plain: PlainStream, place: str) -> Peek:
    header, blocks = header_and_blocks(plain)
    names = column_names(header, place)
    kinds, column = _recognized(names, place, 1)
    block = next(blocks, None)
    if block is None:
        return Peek(kinds, None)
    return Peek(kinds, _period(parse(block, names, [column], place), column))


def _peek_parquet(stream: ByteStream, place: str) -> Peek:
    with opened(stream, place) as parquet:
        kinds, column = _recognized(parquet.names, place, None)
        for batch in parquet.batches([column]):
            if period := _period(parse_batch(batch, place), column):
                return Peek(kinds, period)
    return Peek(kinds, None)


def _recognized(
    names: Sequence[str], place: str, line: int | None
) -> tuple[frozenset[ExportKind], str]:
    """Return the kinds that match the columns, and the column of `names` with the billing period.

    `line` is the line of the column names. Raises DeliveryError.
    """
    kinds = kinds_of(names)
    if not kinds or not names:
        raise unreadable(place, line, "its columns are those of no cost export of AWS's")
    # Kinds with the same columns share this one.
    wanted = next(mapping.period_start for kind, mapping in MAPPINGS.items() if kind in kinds)
    for name in names:
        if column_key(name) == column_key(wanted):
            return kinds, name
    raise unreadable(place, line, f"the column {wanted} is missing", column=wanted)


def _period(rows: Rows, column: str) -> BillingPeriod | None:
    """Return the period of the first row. The conversion checks that all rows have the same."""
    if not rows.count:
        return None
    first: datetime | None = next(
        (each for each in rows.timestamps(column).to_pylist() if each), None
    )
    if first is None:
        raise rows.refused(column, 0, "no date, which every row must have", None)
    return BillingPeriod.of(first.replace(tzinfo=UTC))

"""A billing table as AWS delivers it, before it has a file format.

Every cell is text, as in a CSV file: a map is JSON text, and the empty text is null.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files

from local.world.bill import Bill, Rows

# What koku-nise writes where AWS leaves a figure out (decision 66).
NO_FIGURE = "None"

Item = Mapping[str, str]


class Type(StrEnum):
    """Types of columns, in the words of the AWS Data Exports table dictionary."""

    STRING = "string"
    DOUBLE = "double"
    TIMESTAMP = "timestamp"
    TEXT_MAP = "map<string,string>"
    NUMBER_MAP = "map<string,double>"


@dataclass(frozen=True)
class Field:
    """A column."""

    name: str
    type: Type


@dataclass(frozen=True)
class Table:
    """Rows in files; each row has a cell for each field."""

    fields: tuple[Field, ...]
    files: tuple[Rows, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @property
    def records(self) -> Iterator[dict[str, str]]:
        """Every row, by name of column."""
        for file in self.files:
            for row in file:
                yield dict(zip(self.names, row, strict=True))


def published(table: str) -> tuple[Field, ...]:
    """The columns of a Data Exports table, as AWS's table dictionary has them."""
    text = files("local.world").joinpath("data_exports.json").read_text()
    return tuple(Field(name, Type(kind)) for name, kind in json.loads(text)[table].items())


def items(bill: Bill) -> list[list[Item]]:
    """The bill's line items, file by file; what is missing is the empty text."""
    return [
        [
            {
                column: "" if value == NO_FIGURE else value
                for column, value in zip(bill.columns, row, strict=True)
            }
            for row in file
        ]
        for file in bill.files
    ]


def of_records(fields: Iterable[Field], files: Iterable[Iterable[Item]]) -> Table:
    """The table of rows given by name of column; a column that a row lacks is null there."""
    held = tuple(fields)
    return Table(
        held,
        tuple(
            tuple(tuple(record.get(field.name, "") for field in held) for record in file)
            for file in files
        ),
    )


@cache
def moment(text: str) -> str:
    """A time as Data Exports write it, from either of the forms that a bill has."""
    if not text:
        return ""
    return f"{parse_moment(text):%Y-%m-%dT%H:%M:%S}.000Z"


def parse_moment(text: str) -> datetime:
    """The time in UTC. Raises ValueError."""
    return datetime.fromisoformat(text).astimezone(UTC)

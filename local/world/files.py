"""A file of a billing table, in each of the formats that AWS offers."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from local.world.bill import Rows
from local.world.tables import NO_FIGURE, Field, Type, parse_moment

# The first moment that a ZIP file can bear: the same rows give the same bytes.
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)

_ARROW = {
    Type.STRING: pa.string(),
    Type.DOUBLE: pa.float64(),
    Type.TIMESTAMP: pa.timestamp("ms", tz="UTC"),
    Type.TEXT_MAP: pa.map_(pa.string(), pa.string()),
    Type.NUMBER_MAP: pa.map_(pa.string(), pa.float64()),
}
_VALUES: dict[Type, Callable[[str], Any]] = {
    Type.STRING: str,
    Type.DOUBLE: float,
    Type.TIMESTAMP: parse_moment,
    Type.TEXT_MAP: lambda text: list(json.loads(text).items()),
    Type.NUMBER_MAP: lambda text: list(json.loads(text).items()),
}


class Form(StrEnum):
    """How a data file is written; the value is the end of its name."""

    GZIP = ".csv.gz"
    ZIP = ".csv.zip"
    PARQUET = ".snappy.parquet"


def encode(form: Form, stem: str, fields: tuple[Field, ...], rows: Rows) -> bytes:
    """The file's bytes; the same rows give the same. `stem` is its name without the ending."""
    if form is Form.PARQUET:
        return to_parquet(fields, rows)
    names = [field.name for field in fields]
    return to_gzip(names, rows) if form is Form.GZIP else to_zip(f"{stem}.csv", names, rows)


def to_gzip(columns: Iterable[str], rows: Rows) -> bytes:
    """CSV with a header line, gzipped."""
    return gzip.compress(_csv(columns, rows), compresslevel=6, mtime=0)


def to_zip(name: str, columns: Iterable[str], rows: Rows) -> bytes:
    """CSV with a header line as the only file of a ZIP archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        member = zipfile.ZipInfo(name, _ZIP_EPOCH)
        member.compress_type = zipfile.ZIP_DEFLATED
        file.writestr(member, _csv(columns, rows))
    return archive.getvalue()


def to_parquet(fields: tuple[Field, ...], rows: Rows) -> bytes:
    """Parquet with the types of `fields`; empty cells are null."""
    cells = list(zip(*rows, strict=True)) or [()] * len(fields)
    table = pa.table(
        [
            pa.array([_value(field.type, text) for text in column], _ARROW[field.type])
            for field, column in zip(fields, cells, strict=True)
        ],
        schema=pa.schema([(field.name, _ARROW[field.type]) for field in fields]),
    )
    file = io.BytesIO()
    pq.write_table(table, file, compression="snappy", store_schema=False)
    return file.getvalue()


def _value(kind: Type, text: str) -> Any:
    missing = not text or (text == NO_FIGURE and kind is Type.DOUBLE)
    return None if missing else _VALUES[kind](text)


def _csv(columns: Iterable[str], rows: Rows) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()

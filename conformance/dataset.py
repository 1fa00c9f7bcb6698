"""A bill as `cost_and_usage`, in the form in which the validator takes a FOCUS dataset."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.focus.mappings import MAPPINGS
from cloudspend.convert.focus.schema import COST_AND_USAGE
from cloudspend.convert.model import ConversionTask
from cloudspend.convert.ports import ByteStream
from cloudspend.convert.task import convert_task
from cloudspend.exports.model import DeliveredFile
from conformance.bill import PAYER, PERIOD
from conformance.deliveries import FOCUS, LINE_ITEMS, Record

CHARGE_CLASS = "ChargeClass"


class _Delivered:
    """The one delivered file, in memory."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.file = DeliveredFile("deliveries", "bill.csv.gz", "etag", len(body))

    @contextmanager
    def open(self, _file: DeliveredFile) -> Iterator[ByteStream]:
        yield io.BytesIO(self._body)


class _Kept:
    """The written table, in memory."""

    bucket = "lake"

    def __init__(self) -> None:
        self.table = pa.table({})

    def put(self, path: Path, _key: str) -> None:
        self.table = pq.read_table(path)


def focus_dataset(kind: ExportKind) -> pa.Table:
    """The bill, delivered as `kind` and converted, in FOCUS's columns and ours."""
    source, sink = _Delivered(_delivered(kind)), _Kept()
    task = ConversionTask(PAYER, PERIOD, "conformance", 0, kind, "gzip", (source.file,))
    convert_task(task, source, sink)
    return _as_focus(kind, sink.table)


def _delivered(kind: ExportKind) -> bytes:
    """How AWS makes FOCUS of line items is not public: the columns are ours, the gaps AWS's."""
    if kind in LINE_ITEMS:
        return LINE_ITEMS[kind]()
    return FOCUS[kind](_records(focus_dataset(ExportKind.CUR_2_0)))


def _records(dataset: pa.Table) -> list[Record]:
    return [
        {name: "" if value is None else str(value) for name, value in row.items()}
        for row in dataset.to_pylist()
    ]


def without_null_class(dataset: pa.Table) -> pa.Table:
    """The dataset with a word in place of a missing ChargeClass.

    The validator compares as SQL does, so that a rule which holds "when ChargeClass is not
    Correction" is never applied where ChargeClass is null, which is to say almost everywhere.
    """
    at = dataset.schema.get_field_index(CHARGE_CLASS)
    return dataset.set_column(at, CHARGE_CLASS, pc.fill_null(dataset.column(at), "Regular"))


def _as_focus(kind: ExportKind, table: pa.Table) -> pa.Table:
    """Glue lower-cases names and Athena has maps; FOCUS has names in Pascal case and JSON text."""
    mapping = MAPPINGS[kind].tables[COST_AND_USAGE]
    named = [*(target.column for target in mapping.targets), *mapping.maps]
    names = {name.lower(): name for name in named}
    columns = [_as_text(column) for column in table.columns]
    return pa.Table.from_arrays(columns, [names[name] for name in table.schema.names])


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_map(column.type):
        return column
    texts = [
        None if entries is None else json.dumps(dict(entries)) for entries in column.to_pylist()
    ]
    return pa.chunked_array([pa.array(texts, pa.string())])

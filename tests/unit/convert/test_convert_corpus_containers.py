"""Damaged containers, byte by byte: an error and nothing written, or the bill exactly."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.engine import blocks
from cloudspend.errors import DeliveryError
from tests.corpus.bills import (
    COLUMNS,
    FILE,
    KINDS,
    PACKED,
    converted,
    csv_of,
    gzipped,
    rows,
    zipped,
)

LEGACY = ExportKind.CUR_LEGACY
every_kind = pytest.mark.parametrize("kind", KINDS)


def as_parquet(body: bytes) -> bytes:
    """A CSV file's rows as Parquet, all columns as text."""
    header = body.split(b"\n", 1)[0].decode().split(",")
    text = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string()))
    target = io.BytesIO()
    pq.write_table(pyarrow.csv.read_csv(io.BytesIO(body), convert_options=text), target)
    return target.getvalue()


CONTAINERS: Mapping[str, Callable[[bytes], bytes]] = {**PACKED, "parquet": as_parquet}
BILL = csv_of(rows(LEGACY, {}, {}))


def damaged(compression: str, body: bytes, kind: ExportKind = LEGACY) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        converted(kind, compression, body)
    assert caught.value.details["file"] == FILE
    assert "\n" not in caught.value.sentence
    return caught.value


def outcome(compression: str, body: bytes) -> tuple[int, object] | None:
    """Rows and billed cost; None for a DeliveryError. Any other exception is a defect."""
    try:
        summary, _ = converted(LEGACY, compression, body)
    except DeliveryError:
        return None
    return summary.rows_read, summary.billed_cost


@pytest.mark.parametrize("compression", CONTAINERS)
def test_a_file_that_was_cut_anywhere_is_damaged(compression: str) -> None:
    whole = CONTAINERS[compression](BILL)
    step = max(1, len(whole) // 150)
    for length in [*range(0, len(whole) - 20, step), *range(len(whole) - 20, len(whole))]:
        damaged(compression, whole[:length])


@pytest.mark.parametrize("compression", ["gzip", "zip"])
def test_a_flipped_bit_is_noticed_or_changes_nothing(compression: str) -> None:
    whole = CONTAINERS[compression](BILL)
    right = outcome(compression, whole)
    for at in range(0, len(whole), 2):
        changed = bytearray(whole)
        changed[at] ^= 1 << at % 8
        assert outcome(compression, bytes(changed)) in (None, right), f"byte {at}"


def test_a_flipped_bit_of_parquet_never_ends_otherwise_than_in_an_error() -> None:
    """Parquet without page checksums cannot notice every flip; what it can do is not crash."""
    whole = as_parquet(BILL)
    for at in range(0, len(whole), max(1, len(whole) // 100)):
        changed = bytearray(whole)
        changed[at] ^= 1 << at % 8
        outcome("parquet", bytes(changed))


def _zip(**changes: Any) -> bytes:
    """A zip file whose one entry says of itself what it is not."""
    body = bytearray(zipped(BILL))
    for name, value in changes.items():
        local, central, form = ZIP_FIELDS[name]
        directory = body.index(b"PK\x01\x02")
        struct.pack_into(form, body, local, value)
        struct.pack_into(form, body, directory + central, value)
    return bytes(body)


# Offsets in the local header and in the directory (APPNOTE.TXT, 4.3.7 and 4.3.12).
ZIP_FIELDS = {"flags": (6, 8, "<H"), "method": (8, 10, "<H"), "crc": (14, 16, "<I")}
WHOLE = gzipped(BILL)

DAMAGED: dict[str, tuple[str, bytes]] = {
    "gzip: nothing": ("gzip", b""),
    "gzip: not compressed": ("gzip", BILL),
    "gzip: a zip": ("gzip", zipped(BILL)),
    "gzip: another checksum": ("gzip", WHOLE[:-8] + b"\0\0\0\0" + WHOLE[-4:]),
    "gzip: another length": ("gzip", WHOLE[:-4] + b"\0\0\0\0"),
    "gzip: something follows": ("gzip", WHOLE + b"more"),
    "gzip: half a member follows": ("gzip", WHOLE + WHOLE[:30]),
    "gzip: a bomb": ("gzip", gzipped(BILL + b"\n" * 4_000_000)),
    "zip: nothing": ("zip", b""),
    "zip: not compressed": ("zip", BILL),
    "zip: a gzip": ("zip", WHOLE),
    "zip: no file": ("zip", zipped()),
    "zip: two files": ("zip", zipped(BILL, BILL)),
    "zip: another checksum": ("zip", _zip(crc=zlib.crc32(BILL) ^ 1)),
    "zip: encrypted": ("zip", _zip(flags=1)),
    "zip: an unknown method": ("zip", _zip(method=99)),
    "zip: bzip2": ("zip", zipped(BILL, method=zipfile.ZIP_BZIP2)),
    "zip: lzma, which can ask for any memory": ("zip", zipped(BILL, method=zipfile.ZIP_LZMA)),
    "zip: a bomb": ("zip", zipped(BILL + b"\n" * 4_000_000)),
    "parquet: nothing": ("parquet", b""),
    "parquet: a csv": ("parquet", BILL),
    "parquet: only its ends": ("parquet", b"PAR1\x00\x00\x00\x00PAR1"),
    "parquet: a footer of any length": ("parquet", b"PAR1\xff\xff\xff\x7fPAR1"),
}


@pytest.mark.parametrize("fault", DAMAGED)
def test_a_damaged_container_is_named(fault: str) -> None:
    compression, body = DAMAGED[fault]
    with patch.object(blocks, "ALWAYS_ALLOWED", 1_000_000):
        damaged(compression, body)


@pytest.mark.parametrize(
    ("compression", "body"),
    [("gzip", gzipped(BILL[:300]) + gzipped(BILL[300:])), ("zip", zipped(BILL, method=0))],
    ids=["two members", "stored"],
)
def test_a_container_that_is_only_unusual_is_read(compression: str, body: bytes) -> None:
    assert outcome(compression, body) == outcome("gzip", WHOLE)


def parquet_of(kind: ExportKind, **changes: pa.Array) -> bytes:
    """A right bill of two rows, with some columns of other types."""
    table = pq.read_table(io.BytesIO(as_parquet(csv_of(rows(kind, {}, {})))))
    for role, column in changes.items():
        name = getattr(COLUMNS[kind], role)
        table = table.set_column(table.schema.get_field_index(name), name, column)
    target = io.BytesIO()
    pq.write_table(table, target)
    return target.getvalue()


WRONG_COLUMNS: dict[str, tuple[str, pa.Array]] = {
    "a cost that is no number": ("cost", pa.array([1.0, float("nan")])),
    "a cost without end": ("cost", pa.array([1.0, float("inf")])),
    "a cost that is missing": ("cost", pa.array([1.0, None])),
    "a cost in a list": ("cost", pa.array([[1.0], [2.0]])),
    "a cost that is true": ("cost", pa.array([True, False])),
    "a cost in bytes": ("cost", pa.array([b"\xff\xfe", b"1"])),
    "a period that is a number": ("period", pa.array([1, 2])),
    "a period of another month": ("period", pa.array([0, 0], pa.timestamp("ms", "UTC"))),
    "a period beyond the calendar": ("period", pa.array([2**55, 2**55], pa.timestamp("ms"))),
    "an account that is missing": ("account", pa.nulls(2, pa.string())),
}


# FOCUS lets a charge be without a sub account.
NEED_AN_ACCOUNT = {ExportKind.CUR_LEGACY, ExportKind.CUR_2_0}


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (kind, fault)
        for kind in ExportKind
        for fault, (role, _) in WRONG_COLUMNS.items()
        if role != "account" or kind in NEED_AN_ACCOUNT
    ],
)
def test_parquet_of_another_schema_is_named_with_its_column(kind: ExportKind, fault: str) -> None:
    role, column = WRONG_COLUMNS[fault]
    error = damaged("parquet", parquet_of(kind, **{role: column}), kind)
    assert error.details["column"] == getattr(COLUMNS[kind], role)


@every_kind
def test_parquet_that_is_no_bill_is_refused(kind: ExportKind) -> None:
    target = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), target)
    assert "is missing" in damaged("parquet", target.getvalue(), kind).summary


@every_kind
def test_parquet_without_rows_is_a_bill_without_rows(kind: ExportKind) -> None:
    table = pq.read_table(io.BytesIO(parquet_of(kind)))
    target = io.BytesIO()
    pq.write_table(table.slice(0, 0), target)
    summary, objects = converted(kind, "parquet", target.getvalue())
    assert (summary.rows_read, len(objects)) == (0, 1)

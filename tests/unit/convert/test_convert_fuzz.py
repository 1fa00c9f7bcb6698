"""Any bytes end in a CloudSpendError or a right result: never another exception, nor a hang.

The default suite runs a fixed number of examples from a fixed seed; `make fuzz` runs many new ones
(the hypothesis profile "fuzz", see tests/conftest.py).
"""

import io
import json
import tracemalloc
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.model import ConversionSummary
from cloudspend.errors import CloudSpendError, DeliveryError
from cloudspend.exports.manifest import read_manifest
from tests.corpus.bills import COLUMNS, KINDS, PACKED, ROWS, converted, csv_of, rows

# Python's own memory while a few kilobytes are read: what a length field claims is not believed.
MOST_MEMORY = 150_000_000

fuzzed = (
    settings()
    if settings.get_current_profile_name() == "fuzz"
    else settings(max_examples=25, deadline=None, derandomize=True, database=None)
)
kinds = st.sampled_from(KINDS)
GOOD = {kind: csv_of(rows(kind, {}, {})) for kind in KINDS}


def parquet_of(columns: dict[str, Any]) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


GOOD_PARQUET = {
    kind: parquet_of({name: [value or None] * 2 for name, value in ROWS[kind].items()})
    for kind in KINDS
}


def survives(kind: ExportKind, compression: str, body: bytes) -> None:
    """Every bill is read, or refused with a sentence."""
    tracemalloc.start()
    try:
        outcome = _outcome(kind, compression, body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST_MEMORY
    if isinstance(outcome, CloudSpendError):
        assert outcome.summary
        assert "\n" not in outcome.sentence
        return
    summary, objects = outcome
    for output in summary.outputs:
        written = pq.read_table(io.BytesIO(objects[output.key]))
        assert written.num_rows == output.rows == summary.rows_read - summary.rows_left_out


def _outcome(
    kind: ExportKind, compression: str, body: bytes
) -> CloudSpendError | tuple[ConversionSummary, dict[str, bytes]]:
    try:
        return converted(kind, compression, body)
    except CloudSpendError as error:
        return error


@st.composite
def mutated(draw: st.DrawFn, whole: bytes) -> bytes:
    """`batch` with a few pieces taken out, put in twice, overwritten or added."""
    body = whole
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        end = draw(st.integers(start, min(len(body), start + 40)))
        put = draw(
            st.one_of(st.binary(max_size=8), st.just(body[start:end] * 2), st.sampled_from(ODD))
        )
        body = body[:start] + put + body[end:]
    return body


ODD = [
    b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\n\n", b"\x00", b"\xff", b"\xef\xbb\xbf",
    b"{", b"}", b'{"a":"\\ud800"}', b"[" * 3000, b"NaN", b"1e999", b"-0", b"9" * 45,
    b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff",
]  # fmt: skip


@fuzzed
@given(kinds, st.sampled_from([*PACKED, "none", "parquet"]), st.binary(max_size=300))
def test_any_bytes(kind: ExportKind, compression: str, body: bytes) -> None:
    survives(kind, compression, body)


@fuzzed
@given(st.data(), kinds, st.sampled_from(["gzip", "none"]))
def test_any_text_in_place_of_a_bill(st_data: st.DataObject, kind: ExportKind, packed: str) -> None:
    body = st_data.draw(mutated(GOOD[kind]))
    survives(kind, packed, PACKED[packed](body) if packed in PACKED else body)


@fuzzed
@given(st.data(), kinds, st.sampled_from(list(PACKED)))
def test_any_container(st_data: st.DataObject, kind: ExportKind, packed: str) -> None:
    survives(kind, packed, st_data.draw(mutated(PACKED[packed](GOOD[kind]))))


@fuzzed
@given(st.data(), kinds)
def test_any_parquet(st_data: st.DataObject, kind: ExportKind) -> None:
    survives(kind, "parquet", st_data.draw(mutated(GOOD_PARQUET[kind])))


values = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(
        ["NaN", "inf", "1e400", "None", '{"a": 1}', "[" * 2000, "2026-10-01T00:00:00Z"]
    ),
    st.floats().map(repr),
    st.dates().map(str),
    st.datetimes(timezones=st.timezones()).map(str),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2).map(json.dumps),
)


@fuzzed
@given(st.data(), kinds, st.sampled_from(["none", "parquet"]))
def test_any_value_in_any_column(
    st_data: st.DataObject, kind: ExportKind, compression: str
) -> None:
    columns = st_data.draw(st.lists(st.sampled_from(list(ROWS[kind])), min_size=1, max_size=3))
    row = {**ROWS[kind], **{name: st_data.draw(values) or "" for name in columns}}
    encodable = {name: text.encode("utf-8", "replace").decode() for name, text in row.items()}
    if compression == "none":
        survives(kind, compression, csv_of([encodable, ROWS[kind]]))
    else:
        survives(kind, compression, parquet_of({n: [v or None] for n, v in encodable.items()}))


typed: st.SearchStrategy[Any] = st.one_of(
    st.lists(st.floats(), min_size=2, max_size=2),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=2),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=2).map(
        lambda numbers: pa.array(numbers, pa.timestamp("us"))
    ),
    st.lists(st.binary(max_size=5), min_size=2, max_size=2),
    st.lists(st.booleans(), min_size=2, max_size=2),
    st.lists(st.lists(st.floats(), max_size=2), min_size=2, max_size=2),
    st.lists(
        st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
        min_size=2,
        max_size=2,
    ).map(
        lambda maps: pa.array([list(m.items()) for m in maps], pa.map_(pa.string(), pa.string()))
    ),
)


@fuzzed
@given(st.data(), kinds)
def test_any_type_of_any_column(st_data: st.DataObject, kind: ExportKind) -> None:
    columns: dict[str, Any] = {name: [value or None] * 2 for name, value in ROWS[kind].items()}
    named = [*vars(COLUMNS[kind]).values(), *ROWS[kind]]
    for name in st_data.draw(st.lists(st.sampled_from(named), min_size=1, max_size=3)):
        columns[name] = st_data.draw(typed)
    survives(kind, "parquet", parquet_of(columns))


anything: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
MANIFEST = {
    "assemblyId": "a1",
    "billingPeriod": {"start": "20261001T000000.000Z", "end": "20261101T000000.000Z"},
    "compression": "GZIP",
    "columns": [{"category": "lineItem", "name": "UnblendedCost", "type": "String"}],
    "reportKeys": ["exports/bill/20261001-20261101/a1/bill-1.csv.gz"],
    "dataFiles": ["s3://bucket/exports/bill/data/BILLING_PERIOD=2026-10/bill-1.csv.gz"],
}


def reads(body: bytes) -> None:
    try:
        manifest = read_manifest("s3://bucket/bill-Manifest.json", body)
    except DeliveryError:
        return
    assert manifest.files
    assert manifest.kinds


@fuzzed
@given(st.one_of(st.binary(max_size=200), anything.map(lambda each: json.dumps(each).encode())))
def test_any_manifest(body: bytes) -> None:
    reads(body)


@fuzzed
@given(
    st.lists(st.sampled_from([*MANIFEST]), min_size=1, max_size=5, unique=True),
    st.sampled_from([*MANIFEST, "executionId"]),
    anything,
)
def test_any_field_of_a_manifest(kept: list[str], changed: str, value: Any) -> None:
    content = {**{name: MANIFEST[name] for name in kept}, changed: value}
    reads(json.dumps(content).encode())


@fuzzed
@given(st.data())
def test_a_manifest_of_almost_the_right_bytes(st_data: st.DataObject) -> None:
    reads(st_data.draw(mutated(json.dumps(MANIFEST).encode())))

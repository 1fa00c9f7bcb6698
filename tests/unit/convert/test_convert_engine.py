"""The engine: Parquet as csv, two workers as one, the first error, split outputs, exact sums."""

import gzip
import io
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudspend.convert import task, writer
from cloudspend.convert.engine import blocks, exact, parse
from cloudspend.convert.model import ConversionSummary
from cloudspend.convert.task import convert_task
from cloudspend.errors import DeliveryError
from tests.fakes.convert import FakeSink, FakeSource, a_task, csv_of, rows

COST = "lineItem/UnblendedCost"
BOTH = ("cost_and_usage", "billing_detail")
TIMES = ("StartDate", "EndDate")
Lines = list[dict[str, str]]


def parquet_of(lines: Lines) -> bytes:
    """The lines with numbers as doubles and times as timestamps."""
    columns: dict[str, pa.Array] = {}
    for name in lines[0]:
        texts = [line[name] for line in lines]
        if name.endswith(TIMES):
            moments = [datetime.fromisoformat(text).astimezone(UTC) for text in texts]
            columns[name] = pa.array(moments, pa.timestamp("ms", tz="UTC"))
        elif name.endswith(("Cost", "Amount")):
            columns[name] = pa.array([float(text) for text in texts])
        else:
            columns[name] = pa.array(texts, pa.string())
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target, row_group_size=7)
    return target.getvalue()


def run(body: bytes, compression: str = "gzip") -> tuple[ConversionSummary, FakeSink]:
    source, sink = FakeSource(), FakeSink()
    task = replace(a_task(source.put("bill", body)), compression=compression, tables=BOTH)
    return convert_task(task, source, sink), sink


def table(summary: ConversionSummary, sink: FakeSink, name: str) -> Counter[str]:
    """The rows of a table, each as text; maps in any order."""
    keys = [output.key for output in summary.outputs if output.table == name]
    found = pa.concat_tables(pq.read_table(io.BytesIO(sink.objects[key])) for key in keys)
    return Counter(
        repr([(k, sorted(v) if isinstance(v, list) else v) for k, v in row.items()])
        for row in found.to_pylist()
    )


def refused(body: bytes, compression: str = "gzip") -> DeliveryError:
    source, sink = FakeSource(), FakeSink()
    task = replace(a_task(source.put("bill", body)), compression=compression, tables=BOTH)
    with pytest.raises(DeliveryError) as caught:
        convert_task(task, source, sink)
    assert sink.objects == {}
    return caught.value


bills = st.lists(
    st.fixed_dictionaries(
        {
            COST: st.decimals(-1000, 1000, places=6, allow_nan=False).map(str),
            "lineItem/UsageAmount": st.sampled_from(["0", "0.1", "1e-7", "12345678.5"]),
            "lineItem/ResourceId": st.sampled_from(["", "i-1", "arn:aws:s3:::b"]),
            "lineItem/UsageStartDate": st.sampled_from(
                ["2026-10-05T01:00:00Z", "2026-10-31T23:59:59Z"]
            ),
        }
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=15, deadline=None)
@given(bills)
def test_parquet_gives_what_csv_gives(bill: Lines) -> None:
    lines = rows(*bill)
    text, typed = run(gzip.compress(csv_of(lines))), run(parquet_of(lines), "parquet")
    for name in BOTH:
        assert table(*typed, name) == table(*text, name)
    assert typed[0].billed_cost == text[0].billed_cost
    assert typed[0].rows_read == len(bill)


def test_a_value_of_a_parquet_file_is_named_by_row_group_and_row() -> None:
    error = refused(
        parquet_of(rows(*({COST: "nan" if n == 9 else "1"} for n in range(12)))), "parquet"
    )
    assert (error.details["row_group"], error.details["row"]) == (1, 2)
    assert error.details["column"] == COST


@pytest.mark.parametrize("cut", [1, 8, 200])
def test_a_damaged_parquet_file_is_named(cut: int) -> None:
    error = refused(parquet_of(rows({}, {}))[:-cut], "parquet")
    assert error.details["file"].endswith("bill")
    assert "damaged" in error.summary


def test_a_damaged_page_is_named_by_its_column() -> None:
    body = bytearray(parquet_of(rows({}, {})))
    place = pq.read_metadata(io.BytesIO(bytes(body))).row_group(0).column(3)
    start = place.dictionary_page_offset or place.data_page_offset
    body[start : start + 12] = b"\xff" * 12
    error = refused(bytes(body), "parquet")
    assert (error.details["row_group"], error.details["column"]) == (0, place.path_in_schema)


def many(count: int, **changed: dict[str, str]) -> bytes:
    lines = [{COST: str(n), "lineItem/ResourceId": f"i-{n % 50:04x}"} for n in range(count)]
    for number, change in changed.items():
        lines[int(number.removeprefix("row"))] |= change
    return gzip.compress(csv_of(rows(*lines)))


def small(group: int = 8192) -> Any:
    return patch.multiple(task, RUN_BYTES=group)


def test_two_workers_give_the_rows_of_one_and_the_same_objects_each_time() -> None:
    body, found = many(400), []
    for _ in range(3):
        with patch.object(blocks, "BLOCK_BYTES", 2048), small():
            found.append(run(body))
    with patch.object(task, "WORKERS", 1):
        alone = run(body)
    assert found[0][1].objects == found[1][1].objects == found[2][1].objects
    for name in BOTH:
        assert table(*found[0], name) == table(*alone, name)
    assert found[0][0].billed_cost == alone[0].billed_cost == sum(range(400))


@pytest.mark.parametrize("size", [64, 300, 1000])
def test_a_value_with_a_newline_is_whole_wherever_a_part_would_end(size: int) -> None:
    texts = {
        f"row{n}": {"lineItem/LineItemDescription": f'a\nb "{n}"\n\nc'} for n in range(0, 40, 3)
    }
    body = many(40, **texts)
    whole = run(body)
    with patch.object(parse, "PARSED_BYTES", size):
        parted = run(body)
    for name in BOTH:
        assert table(*parted, name) == table(*whole, name)


def test_the_first_of_several_wrong_rows_is_named_whoever_meets_it() -> None:
    wrong = {"row390": {COST: "last"}, "row250": {COST: "later"}, "row123": {COST: "first"}}
    with patch.object(blocks, "BLOCK_BYTES", 2048), small():
        for _ in range(5):
            error = refused(many(400, **wrong))
            assert (error.details["line"], error.details["value"]) == (125, "first")


def test_another_currency_is_named_before_a_later_error() -> None:
    wrong = {"row120": {"lineItem/CurrencyCode": "EUR"}, "row250": {COST: "later"}}
    with patch.object(blocks, "BLOCK_BYTES", 2048), small():
        error = refused(many(400, **wrong))
    assert (error.details["line"], error.details["value"]) == (122, "EUR")


def test_a_failure_leaves_no_thread_and_no_file(tmp_path: Any) -> None:
    with patch("tempfile.tempdir", str(tmp_path)), patch.object(blocks, "BLOCK_BYTES", 2048):
        refused(many(400, row7={COST: "bad"}))
        refused(many(400)[:-30])
    assert not [one.name for one in threading.enumerate() if one.name.startswith("convert-")]
    assert list(tmp_path.iterdir()) == []


def test_large_outputs_are_split() -> None:
    with (
        patch.object(blocks, "BLOCK_BYTES", 4096),
        small(8192),
        patch.object(writer, "PART_BYTES", 40_000),
    ):
        summary, sink = run(many(300))
    parts = [output for output in summary.outputs if output.table == "cost_and_usage"]
    assert len(parts) > 1
    assert [part.key[-7:-5] for part in parts] != []
    assert sum(part.rows for part in parts) == summary.rows_written("cost_and_usage") == 300
    assert {part.size for part in parts} == {len(sink.objects[part.key]) for part in parts}


figures = st.decimals(-(10**18), 10**18, allow_nan=False, allow_infinity=False, places=18)


@settings(deadline=None)
@given(st.lists(figures | st.just(Decimal("1E-30")), min_size=1, max_size=8), st.data())
def test_sums_are_exact(numbers: list[Decimal], data: st.DataObject) -> None:
    codes = data.draw(st.lists(st.integers(0, len(numbers)), max_size=50))
    limbs, wrong = exact.limbs([str(number) for number in numbers])
    context = exact.CONTEXT
    expected = Decimal(0)
    for code in codes:
        expected = context.add(expected, [*numbers, Decimal(0)][code])
    assert (exact.total(limbs, np.array(codes, np.int64)), wrong) == (expected, [])

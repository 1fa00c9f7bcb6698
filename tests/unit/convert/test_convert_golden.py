"""Small bills of every charge type, and the rows that were written down by hand for them.

`tests/golden` holds inputs as AWS delivers them and the expected rows as JSON: `every` applies to
all rows, `groups` to those that are `like` them; a column that is not named is null.
"""

import csv
import gzip
import io
import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.focus.mappings import MAPPINGS
from cloudspend.convert.focus.schema import BILLING_DETAIL, COST_AND_USAGE
from cloudspend.convert.model import ConversionSummary
from cloudspend.convert.task import convert_task
from tests.fakes.convert import FakeSink, FakeSource, a_task

GOLDEN = Path("tests/golden")
KINDS = {
    "legacy": ExportKind.CUR_LEGACY,
    "cur_2_0": ExportKind.CUR_2_0,
    "focus_1_0": ExportKind.FOCUS_1_0,
    "focus_1_2": ExportKind.FOCUS_1_2,
}
EXPECTED = {
    "legacy": "line_items/cost_and_usage",
    "cur_2_0": "line_items/cost_and_usage",
    "focus_1_0": "focus/focus_1_0",
    "focus_1_2": "focus/focus_1_2",
}
LINE_ITEMS = ("legacy", "cur_2_0")
# What AWS's Parquet exports have as maps, numbers and timestamps (table dictionaries).
MAPS = {
    "resource_tags": pa.string(),
    "cost_category": pa.string(),
    "product": pa.string(),
    "discount": pa.float64(),
    "Tags": pa.string(),
    "x_CostCategories": pa.string(),
}
NUMBERS = ("_cost", "_amount", "_discount", "_to_date", "_commitment", "_usage", "_quantity")
TIMES = ("_date", "PeriodStart", "PeriodEnd")


def golden(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    return read


def expected_rows(name: str, kind: str) -> list[dict[str, Any]]:
    """The rows written down, by their description."""
    file = golden(name)
    spelled = file.get(f"as {kind} spells it", {})
    groups = {key: {**group, **spelled.get(key, {})} for key, group in file["groups"].items()}
    rows = []
    for row in file["rows"]:
        found = dict(file["every"])
        for group in row.get("like", []):
            found |= groups[group]
        found |= {key: value for key, value in row.items() if key != "like"}
        described = found.get("chargedescription", found.get("line_item_line_item_description"))
        rows.append(found | spelled.get(described, {}))
    return rows


def plain(value: object) -> object:
    """A value of a table as it is in JSON."""
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, list) else value


@cache
def source_of(kind: str) -> bytes:
    folder = "line_items" if kind in LINE_ITEMS else "focus"
    return (GOLDEN / folder / f"{kind}.csv").read_bytes()


def parquet_of(kind: str) -> bytes:
    """The same bill as AWS's Parquet exports type it."""
    rows = list(csv.DictReader(io.StringIO(source_of(kind).decode())))
    columns = {name: typed(name, [row[name] or None for row in rows]) for name in rows[0]}
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


def typed(name: str, texts: list[str | None]) -> pa.Array:
    if name in MAPS:
        maps = [None if text is None else list(json.loads(text).items()) for text in texts]
        return pa.array(maps, pa.map_(pa.string(), MAPS[name]))
    if name.endswith(NUMBERS) or name in {"BilledCost", "EffectiveCost", "ListCost"}:
        return pa.array([None if text is None else float(text) for text in texts], pa.float64())
    if name.endswith(TIMES):
        moments = [text and datetime.fromisoformat(text.replace("Z", "")) for text in texts]
        return pa.array(moments, pa.timestamp("ms"))
    return pa.array(texts, pa.string())


def converted(
    kind: str, body: bytes, compression: str = "gzip"
) -> tuple[ConversionSummary, dict[str, pa.Table]]:
    source, sink = FakeSource(), FakeSink()
    task = replace(
        a_task(source.put("bill", body), compression=compression),
        kind=KINDS[kind],
        tables=tuple(MAPPINGS[KINDS[kind]].tables),
    )
    summary = convert_task(task, source, sink)
    return summary, {
        output.table: pq.read_table(io.BytesIO(sink.objects[output.key]))
        for output in summary.outputs
    }


def check(table: pa.Table, expected: list[dict[str, Any]], key: str) -> None:
    found = {row[key]: row for row in table.to_pylist()}
    assert sorted(found) == sorted(row[key] for row in expected)
    assert table.num_rows == len(expected)
    for row in expected:
        actual = {name: plain(value) for name, value in found[row[key]].items()}
        wanted = {**dict.fromkeys(actual), **row}
        assert actual == {name: close(value) for name, value in wanted.items()}


def close(value: object) -> object:
    """A figure but for its last digits."""
    return pytest.approx(value, rel=1e-12) if isinstance(value, float) else value


@pytest.mark.parametrize("form", ["gzip", "parquet"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_charge_type_becomes_the_rows_written_down(kind: str, form: str) -> None:
    body = parquet_of(kind) if form == "parquet" else gzip.compress(source_of(kind))
    summary, tables = converted(kind, body, form)
    expected = golden(EXPECTED[kind])
    for name, total in expected["totals"].items():
        assert getattr(summary, name) == pytest.approx(Decimal(total)), name
    assert list(summary.unknown_charge_types) == expected["unknown_charge_types"]
    check(tables[COST_AND_USAGE], expected_rows(EXPECTED[kind], kind), "chargedescription")
    if kind in LINE_ITEMS:
        rows = expected_rows("line_items/billing_detail", kind)
        check(tables[BILLING_DETAIL], rows, "identity_line_item_id")
    else:
        assert BILLING_DETAIL not in tables

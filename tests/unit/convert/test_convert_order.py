"""How rows are laid down: in their order (by several columns, missing values first, equal rows as
they came), and what recurs once a row group."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.chunk import write_chunk
from benchmarks.disk import Disk, task_of
from cloudspend.accounts.model import ExportKind
from cloudspend.convert.focus.mappings import MAPPINGS
from cloudspend.convert.focus.schema import BILLING_DETAIL, COST_AND_USAGE
from cloudspend.convert.task import convert_task
from cloudspend.convert.writer import levels, recurring, sorted_order

ROWS = st.lists(st.tuples(st.sampled_from([None, "a", "b", "ä"]), st.none() | st.integers(0, 3)))


def columns_of(rows: list[tuple[str | None, int | None]]) -> list[pa.Array]:
    texts = pa.array([text for text, _ in rows], pa.string()).dictionary_encode()
    hours = pa.array([hour for _, hour in rows], pa.timestamp("ms"))
    return [texts, hours]


def by_value(row: tuple[Any, ...]) -> list[tuple[bool, Any]]:
    return [
        (value is not None, value.encode() if isinstance(value, str) else value) for value in row
    ]


@given(ROWS)
def test_rows_stand_by_the_first_column_then_by_the_next(
    rows: list[tuple[str | None, int | None]],
) -> None:
    expected = sorted(range(len(rows)), key=lambda number: by_value(rows[number]))
    assert sorted_order(columns_of(rows)).tolist() == expected


@pytest.mark.parametrize("columns", [2, 7])
def test_the_order_is_the_same_when_one_number_cannot_hold_it(columns: int) -> None:
    random = np.random.default_rng(1)
    figures = [random.permutation(np.repeat(np.arange(1000), 2)) for _ in range(columns)]
    arrays = [pa.array(one.astype("datetime64[ms]")) for one in figures]
    assert (sorted_order(arrays) == np.lexsort(figures[::-1])).all()


def test_what_recurs_is_written_once_a_row_group(tmp_path: Path) -> None:
    chunk, disk = tmp_path / "chunk.csv.gz", Disk(tmp_path)
    # A tag and a cost category of the generated chunk have the same values.
    write_chunk(chunk, 2_000)
    for made in convert_task(task_of(chunk, (COST_AND_USAGE, BILLING_DETAIL)), disk, disk).outputs:
        file = pq.ParquetFile(disk.place(made.key))
        group = file.metadata.row_group(0)
        columns = [group.column(number) for number in range(group.num_columns)]
        written = {one.path_in_schema: one.encodings for one in columns}
        wanted = recurring(file.schema_arrow)
        assert wanted
        assert {path for path in wanted if "RLE_DICTIONARY" not in written[path]} == set()


def test_each_column_has_its_level_and_figures_the_light_one_but_those_that_are_summed() -> None:
    for table, light in ((COST_AND_USAGE, "listcost"), (BILLING_DETAIL, "line_item_usage_amount")):
        schema = MAPPINGS[ExportKind.CUR_2_0].tables[table].schema
        found = levels(schema)
        flat = {field.name for field in schema if not pa.types.is_map(field.type)}
        assert flat <= set(found)
        assert found[light] == 1
    found = levels(MAPPINGS[ExportKind.CUR_2_0].tables[COST_AND_USAGE].schema)
    assert {found[name] for name in ("effectivecost", "tags.key_value.value", "resourceid")} == {3}

"""The layout benchmark counts what a reader of Parquet would read, and runs."""

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import cold_start, layout
from benchmarks.layout import Laid, Query, bytes_read


@pytest.fixture
def metadata(tmp_path: Path) -> pq.FileMetaData:
    """Two row groups: accounts 1 to 2 on the first day, accounts 3 to 4 on the second."""
    table = pa.table(
        {
            "account": ["1", "2", "3", "4"],
            "moment": pa.array(
                [datetime(2026, 10, day) for day in (1, 1, 2, 2)],  # noqa: DTZ001 (as stored)
                pa.timestamp("ms"),
            ),
            "tags": pa.array([[("team", "shop")]] * 4, pa.map_(pa.string(), pa.string())),
        }
    )
    pq.write_table(table, tmp_path / "file.parquet", row_group_size=2)
    return pq.read_metadata(tmp_path / "file.parquet")


def chunk(metadata: pq.FileMetaData, group: int, column: int) -> int:
    return int(metadata.row_group(group).column(column).total_compressed_size)


def test_only_the_named_columns_are_read(metadata: pq.FileMetaData) -> None:
    expected = chunk(metadata, 0, 0) + chunk(metadata, 1, 0)
    assert bytes_read(metadata, Query("accounts", ("account",))) == expected


def test_a_map_is_read_with_its_keys_and_values(metadata: pq.FileMetaData) -> None:
    expected = sum(chunk(metadata, group, column) for group in (0, 1) for column in (2, 3))
    assert bytes_read(metadata, Query("tags", ("tags",))) == expected


@pytest.mark.parametrize(
    ("value", "groups"), [("0", []), ("1", [0]), ("2", [0]), ("3", [1]), ("5", [])]
)
def test_statistics_rule_row_groups_out(
    metadata: pq.FileMetaData, value: str, groups: list[int]
) -> None:
    query = Query("one account", ("account",), {"account": (value, value)})
    assert bytes_read(metadata, query) == sum(chunk(metadata, group, 0) for group in groups)


def test_moments_rule_row_groups_out(metadata: pq.FileMetaData) -> None:
    day = (datetime(2026, 10, 2), datetime(2026, 10, 2, 23))  # noqa: DTZ001 (as stored)
    query = Query("a day", ("account",), {"moment": day})
    assert bytes_read(metadata, query) == chunk(metadata, 1, 0)


def test_the_benchmark_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "ORDERS", {"time": (layout.TIME,)})
    monkeypatch.setattr(layout, "RUNS", layout.RUNS[:1])
    unsorted, ours, *others = layout.compare(tmp_path, 2_000, choices=True)
    assert len(others) == 3
    tag, day = "one tag", "a day of a service in an account"
    assert ours.read[tag] < unsorted.read[tag]
    assert set(ours.read) == set(unsorted.read)
    assert len(ours.read) == 6
    assert ours.read[day] > 0
    assert ours.size > ours.read["month over month"]


def test_the_report_compares_with_the_first() -> None:
    lines: list[str] = []
    first, second = (
        Laid(name, size, {"q": size}) for name, size in (("a", 4000000), ("b", 1000000))
    )
    layout.report([first, second], lines.append)
    assert [line.split() for line in lines[1:3]] == [
        ["a", "4.0", "1.00", "4.00", "1.00", "4.00"],
        ["b", "1.0", "0.25", "1.00", "0.25", "1.00"],
    ]


def test_a_cold_start_is_measured() -> None:
    start = cold_start.measured(turns=1)
    assert start.floor > 0
    assert start.handler > 0
    lines: list[str] = []
    cold_start.report(cold_start.Start(0.5, 0.4), lines.append)
    assert lines == ["import of the convert handler: 0.50 s, 1.25 of its floor (0.40 s)"]

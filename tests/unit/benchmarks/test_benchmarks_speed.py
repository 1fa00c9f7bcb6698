"""The speed benchmark does what it times, and judges ratios by their targets."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from benchmarks import speed
from benchmarks.chunk import write_chunk
from benchmarks.disk import Disk, task_of
from benchmarks.inflate import inflated
from benchmarks.speed import Run
from cloudspend.convert.task import convert_task

ROWS = 100
# What distinguishes the rows of a chunk.
IDENTITY = ("chargeperiodstart", "resourceid", "x_chargetype", "skuid", "subaccountid", "skumeter")


@pytest.fixture(scope="module")
def chunk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("speed") / "chunk.csv.gz"
    write_chunk(path, ROWS)
    return path


def test_every_way_works_through_the_whole_chunk(chunk: Path, tmp_path: Path) -> None:
    assert speed.work(speed.BOTH, chunk, tmp_path) == ROWS
    assert speed.work(speed.RAW, chunk, tmp_path) == ROWS
    assert pq.read_metadata(tmp_path / "peer.parquet").num_rows == ROWS
    assert 0 < speed.work(speed.MAPPED, chunk, tmp_path) <= ROWS
    assert inflated(chunk) > chunk.stat().st_size


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Rows that can be compared: maps as such, in an order of their own."""
    rows = [
        {name: dict(v) if isinstance(v, list) else v for name, v in row.items()}
        for row in pq.read_table(path).to_pylist()
    ]
    return sorted(rows, key=lambda row: [str(row[name]) for name in IDENTITY])


@pytest.mark.parametrize("way", [speed.MAPPED, speed.REMEMBERED])
def test_pandas_maps_what_the_conversion_maps(tmp_path: Path, way: str) -> None:
    chunk = tmp_path / "chunk.csv.gz"
    write_chunk(chunk, 2_000)
    disk = Disk(tmp_path)
    (ours,) = convert_task(task_of(chunk), disk, disk).outputs
    speed.work(way, chunk, tmp_path)
    wanted, found = rows_of(disk.place(ours.key)), rows_of(tmp_path / "peer.parquet")
    assert {row["x_chargetype"] for row in wanted} >= {"RIFee", "Tax", "SavingsPlanRecurringFee"}
    assert len(found) == len(wanted)
    for own, other in zip(wanted, found, strict=True):
        # pandas reads figures to the last but one digit.
        close = {k: pytest.approx(v) if isinstance(v, float) else v for k, v in own.items()}
        assert other == close


def test_the_conversion_is_timed_without_pandas(chunk: Path) -> None:
    # What is asked for is there, but for the one package.
    assert speed.WithoutPandas().find_spec("numpy") is None
    with pytest.raises(ModuleNotFoundError):
        speed.WithoutPandas().find_spec("pandas")
    run = speed.timed(speed.ONE, chunk)
    assert run.megabytes > 0
    lines: list[str] = []
    speed.report({"one": run}, [], lines.append)
    (size,) = run.objects
    assert lines[0].endswith(f"in objects of {size:.0f} MB")


def test_a_process_is_timed(chunk: Path) -> None:
    run = speed.timed(speed.INFLATED, chunk)
    assert run.seconds > 0
    assert run.megabytes > 0
    assert run.processor > 0


def test_ratios_are_judged() -> None:
    runs = {
        speed.ONE: Run(2, 300),
        speed.BOTH: Run(4, 500),
        speed.RAW: Run(6, 900),
        speed.MAPPED: Run(20, 900),
        speed.INFLATED: Run(0.25, 50),
    }
    found = speed.ratios(runs, larger=Run(12, 600))
    assert [ratio.value for ratio in found] == [10, 1.5, 8, 500, 1.2]
    assert [ratio.reached for ratio in found] == [True, False, False, True, False]
    lines: list[str] = []
    speed.report(runs, found, lines.append)
    assert lines[-1].endswith("1.20  at most 1.1: not reached")

"""The speed benchmark does what it times, and judges ratios by their targets."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks import speed
from benchmarks.chunk import write_chunk
from benchmarks.inflate import inflated
from benchmarks.speed import Run

ROWS = 100


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

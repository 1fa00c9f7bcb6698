"""Peak memory of a conversion, measured in a process of its own, does not grow with the rows."""

import gzip
import subprocess
import sys
from pathlib import Path

from tests.fakes.convert import csv_of, rows

PROGRAM = """
import sys
from pathlib import Path
from cloudspend.cli.memory import peak_rss_mb
from cloudspend.convert import task
from cloudspend.convert.engine import blocks
from tests.fakes.convert import FakeSink, FakeSource, a_task

class Nowhere(FakeSink):
    def put(self, path, key):
        pass

blocks.BLOCK_BYTES, task.RUN_BYTES = 64 * 1024, 1024 * 1024
source = FakeSource()
task.convert_task(a_task(source.put("bill", Path(sys.argv[1]).read_bytes())), source, Nowhere())
print(peak_rss_mb())
"""
FEW = 8_000
MANY = 5 * FEW


def peak(path: Path, count: int) -> float:
    """Megabytes that a process needs at the most to convert so many rows."""
    header, *lines = csv_of(
        rows(*({"lineItem/ResourceId": f"i-{n:017x}"} for n in range(count)))
    ).splitlines(True)
    path.write_bytes(gzip.compress(header + b"".join(lines), 1))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def test_five_times_the_rows_take_no_more_memory(tmp_path: Path) -> None:
    assert peak(tmp_path / "many", MANY) < 1.15 * peak(tmp_path / "few", FEW)

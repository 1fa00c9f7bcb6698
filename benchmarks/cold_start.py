"""What the convert function imports before its first event, in seconds and against its floor.

    python -m benchmarks.cold_start

Fresh processes import the handler with nothing on the path but the functions, the library and the
installed packages, with bytecode and from a warm disk. The floor is what cannot be left out: the
SDK, the logger and the parts of pyarrow that the conversion works with. Both are measured in turns
in one run, and the medians are shown.
"""

import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from sysconfig import get_path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PATHS = (ROOT / "lambdas", ROOT / "layers" / "cloudspend" / "python", get_path("platlib"))
HANDLER = "import ingest_convert"
FLOOR = (
    "import boto3, numpy, pyarrow, pyarrow.compute, pyarrow.csv, pyarrow.parquet, isal.igzip\n"
    "from aws_lambda_powertools import Logger"
)
TURNS = 7
TIMED = """
import sys, time
sys.path[:0] = {paths!r}
begun = time.perf_counter()
{code}
print(time.perf_counter() - begun)
"""


@dataclass(frozen=True)
class Start:
    """Seconds that the handler's imports take, and those of what it cannot do without."""

    handler: float
    floor: float


def measured(turns: int = TURNS) -> Start:
    """Medians over `turns`; a first turn of each warms the disk and writes bytecode."""
    for code in (HANDLER, FLOOR):
        _seconds(code)
    pairs = [(_seconds(HANDLER), _seconds(FLOOR)) for _ in range(turns)]
    handler, floor = (statistics.median(column) for column in zip(*pairs, strict=True))
    return Start(handler, floor)


def report(start: Start, say: Callable[[str], Any]) -> None:
    say(
        f"import of the convert handler: {start.handler:.2f} s, "
        f"{start.handler / start.floor:.2f} of its floor ({start.floor:.2f} s)"
    )


def _seconds(code: str) -> float:
    program = TIMED.format(paths=[str(path) for path in PATHS], code=code)
    done = subprocess.run(  # noqa: S603 (this Python, and a program from above)
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    report(measured(), lambda line: sys.stdout.write(f"{line}\n"))


if __name__ == "__main__":
    main()

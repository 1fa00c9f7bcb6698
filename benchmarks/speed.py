"""How fast a chunk is converted and in how much memory, as ratios of one run.

    python -m benchmarks.speed [ROWS]            against pandas, and against inflating alone
    python -m benchmarks.speed [ROWS] --memory   and the peaks of a tenth and of thrice the rows

Whole processes run in turns, so that what else the machine does meets all of them; medians of their
wall time and of their processor time, and peaks of their resident memory, are shown. On a machine
that other work shares, processor time is what can be compared; two workers make wall time less.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.chunk import write_chunk
from benchmarks.disk import Disk, task_of
from benchmarks.inflate import used
from cloudspend.convert.focus.schema import BILLING_DETAIL, COST_AND_USAGE
from cloudspend.settings import LIGHT_START

ROWS = 1_000_000
TURNS = 3
MEGABYTE = 1_000_000
SMALLER, LARGER = 10, 3
ONE, BOTH, RAW, MAPPED, REMEMBERED, INFLATED = (
    "one",
    "both",
    "raw",
    "mapped",
    "remembered",
    "inflated",
)
WAYS = (ONE, BOTH, RAW, MAPPED, REMEMBERED, INFLATED)


@dataclass(frozen=True)
class Run:
    """A process as measured: seconds, those of them on a processor (of each), megabytes of resident
    memory at the most, and megabytes of each object that a conversion made."""

    seconds: float
    megabytes: float
    processor: float = 0.0
    objects: tuple[float, ...] = ()


@dataclass(frozen=True)
class Ratio:
    """A figure and the target that it is held to, both at least or both at most."""

    name: str
    value: float
    target: float
    at_least: bool

    @property
    def reached(self) -> bool:
        return self.value >= self.target if self.at_least else self.value <= self.target


def convert(chunk: Path, folder: Path, tables: tuple[str, ...]) -> int:
    """Convert `chunk` as the function does: how many rows."""
    from cloudspend.convert.task import convert_task  # noqa: PLC0415 (not in what is compared)

    disk = Disk(folder)
    return convert_task(task_of(chunk, tables), disk, disk).rows_read


class WithoutPandas:
    """An import path on which there is no pandas, as on the function's: Arrow would load it to ask
    whether an array is of its kind."""

    def find_spec(self, name: str, *_: Any) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def work(way: str, chunk: Path, folder: Path) -> int:
    """Do what a process that is measured does: how many rows."""
    if way in {ONE, BOTH}:
        tables = (COST_AND_USAGE,) if way == ONE else (COST_AND_USAGE, BILLING_DETAIL)
        return convert(chunk, folder, tables)
    from benchmarks import peers  # noqa: PLC0415 (conversions do without pandas)

    out = folder / "peer.parquet"
    return {RAW: peers.raw, MAPPED: peers.mapped, REMEMBERED: peers.remembered}[way](chunk, out)


def timed(way: str, chunk: Path) -> Run:
    """Run `way` as a process of its own, each in the environment that the functions have."""
    with TemporaryDirectory() as folder:
        program = ["benchmarks.speed", way] if way != INFLATED else ["benchmarks.inflate"]
        command = [sys.executable, "-m", *program, str(chunk), folder]
        begun = time.perf_counter()
        done = subprocess.run(  # noqa: S603 (this Python, and a module of this package)
            command, capture_output=True, text=True, check=True, env={**os.environ, **LIGHT_START}
        )
        seconds = time.perf_counter() - begun
        peak, processor = map(float, done.stdout.split())
        made = sorted(Path(folder).iterdir()) if way in {ONE, BOTH} else []
        objects = tuple(path.stat().st_size / MEGABYTE for path in made)
        return Run(seconds, peak, processor, objects)


def in_turns(chunk: Path, ways: Sequence[str] = WAYS, turns: int = TURNS) -> dict[str, Run]:
    """Each way's median time and highest peak."""
    runs = [{way: timed(way, chunk) for way in ways} for _ in range(turns)]
    return {
        way: Run(
            statistics.median(turn[way].seconds for turn in runs),
            max(turn[way].megabytes for turn in runs),
            statistics.median(turn[way].processor for turn in runs),
            runs[0][way].objects,
        )
        for way in ways
    }


def ratios(runs: dict[str, Run], larger: Run | None = None) -> list[Ratio]:
    """The target; `larger` is a run of both tables over three times the rows."""
    one, both = runs[ONE], runs[BOTH]
    found = [
        Ratio("cost_and_usage, pandas' time in ours", runs[MAPPED].seconds / one.seconds, 8, True),
        Ratio("both tables, raw pandas' time in ours", runs[RAW].seconds / both.seconds, 1.6, True),
        Ratio("cost_and_usage in inflating", one.seconds / runs[INFLATED].seconds, 6.5, False),
        Ratio("both tables, peak MB", both.megabytes, 700, False),
    ]
    if larger:
        name = f"peak of {LARGER} times the rows"
        found.append(Ratio(name, larger.megabytes / both.megabytes, 1.1, False))
    return found


def report(runs: dict[str, Run], found: Sequence[Ratio], say: Callable[[str], Any]) -> None:
    for way, run in runs.items():
        say(
            f"{way:<18}{run.seconds:>8.1f} s{run.processor:>8.1f} s of processors"
            f"{run.megabytes:>8.0f} MB" + _objects(run.objects)
        )
    for ratio in found:
        bound = "at least" if ratio.at_least else "at most"
        verdict = "reached" if ratio.reached else "not reached"
        say(f"{ratio.name:<40}{ratio.value:>8.2f}  {bound} {ratio.target:g}: {verdict}")


def _objects(megabytes: Sequence[float]) -> str:
    return f"  in objects of {', '.join(f'{size:.0f}' for size in megabytes)} MB" * bool(megabytes)


def main(arguments: Sequence[str]) -> None:
    if arguments and arguments[0] in WAYS:
        way, source, target = arguments
        if way in {ONE, BOTH}:
            sys.meta_path.insert(0, WithoutPandas())
        work(way, Path(source), Path(target))
        sys.stdout.write(f"{used()}\n")
        return
    rows = next((int(word) for word in arguments if word.isdigit()), ROWS)
    with TemporaryDirectory() as folder:
        chunk = Path(folder) / "chunk.csv.gz"
        write_chunk(chunk, rows)
        runs, others = in_turns(chunk), dict[str, Run]()
        if "--memory" in arguments:
            for count in (rows // SMALLER, rows * LARGER):
                write_chunk(chunk, count)
                others[f"{BOTH} of {count}"] = timed(BOTH, chunk)
    found = ratios(runs, others.get(f"{BOTH} of {rows * LARGER}"))
    report({**runs, **others}, found, lambda line: sys.stdout.write(f"{line}\n"))


if __name__ == "__main__":
    main(sys.argv[1:])

"""The official validator in an environment of its own: it needs Python 3.12 and an older numpy."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts import pythons

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
HOME = HERE.parent / ".local" / "focus-validator"
STAMP = "made-from"
PYTHON = "3.12"


class NotJudged(Exception):
    """The validator cannot be run; the text says why and what to do."""


@dataclass(frozen=True)
class Judgement:
    """What the validator says of one dataset.

    `rules` is how many its model has, `judged` how many of those it can check, `failing` those
    that some row breaks, each with the words of the requirement.
    """

    rules: int
    judged: int
    failing: Mapping[str, str]


def judge(datasets: Sequence[Path], home: Path = HOME) -> list[Judgement]:
    """Judge Parquet files, in their order. Raises NotJudged when the validator does not run."""
    done = subprocess.run(  # noqa: S603 (our own environment and script)
        [_python_of(home), "-I", HERE / "judge.py", *datasets],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotJudged(
            f"The validator stopped ({_last_line(done)}). "
            f"Delete {home} and run this again; if it stops again, its packages have changed."
        )
    return [Judgement(**json.loads(line)) for line in done.stdout.splitlines()]


def prepare(home: Path = HOME) -> bool:
    """Make the validator's environment; False when it is there already. Raises NotJudged."""
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    stamp = home / STAMP
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return False
    python = find_python()
    shutil.rmtree(home, ignore_errors=True)
    _run([python, "-m", "venv", home], "Python could not make a virtual environment")
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    # The file names every package with its version: there is nothing to work out.
    install += ["--no-deps", "--requirement", str(REQUIREMENTS)]
    _run([_python_of(home), *install], "The validator's packages could not be installed")
    stamp.write_text(wanted, encoding="utf-8")
    return True


def find_python() -> str:
    """A Python 3.12 of this machine. Raises NotJudged when there is none."""
    found = pythons.find(PYTHON)
    if found is None:
        raise NotJudged(
            f"The FOCUS validator needs Python {PYTHON}, and none was found. "
            f"Install it, or name it: {pythons.variable(PYTHON)}=/path/to/python{PYTHON}."
        )
    return found


def _python_of(home: Path) -> Path:
    return home / "bin" / "python"


def _run(command: Sequence[str | Path], failure: str) -> None:
    done = subprocess.run(  # noqa: S603 (every word of the command is written above)
        command, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotJudged(
            f"{failure} ({_last_line(done)}). "
            "See that a package index can be reached from here, then run this again."
        )


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]

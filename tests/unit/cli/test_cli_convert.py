"""`cloudspend convert`: what it prints, its exit codes, and that a signal leaves nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from cloudspend.accounts.model import ExportKind
from cloudspend.cli import main
from cloudspend.cli.convert import SHOWN, Kind
from cloudspend.cli.memory import peak_rss_mb
from tests.corpus.bills import LEGACY, csv_of, gzipped, rows

ROOT = Path(__file__).parents[3]
RUN = "from cloudspend.cli.main import run; run()"
KEYS = [
    "kind",
    "rows_read",
    "rows_written",
    "billed_cost",
    "effective_cost",
    "list_cost",
    "currency",
    "periods",
    "unknown_columns",
    "seconds",
    "peak_rss_mb",
    "files",
]


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


Cli = Callable[..., Answer]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.setenv("COLUMNS", "120")

    def call(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["cloudspend", "convert", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.run()
        stated = capsys.readouterr()
        return Answer(int(ended.value.code or 0), stated.out, stated.err)

    return call


def write(path: Path, *changes: dict[str, str]) -> str:
    path.write_bytes(gzipped(csv_of(rows(ExportKind.CUR_LEGACY, *changes))))
    return str(path)


def test_the_answer_for_scripts_is_exact_and_has_these_keys(cli: Cli, tmp_path: Path) -> None:
    source = write(
        tmp_path / "a.csv.gz",
        {LEGACY.cost: "0.1000000001", "lineItem/Novelty": "x"},
        {LEGACY.cost: "0.2"},
        {LEGACY.category: "SavingsPlanNegation", LEGACY.cost: "-5"},
    )
    answer = cli(source, "--to", str(tmp_path / "lake"), "--output", "json")
    assert answer.code == 0
    facts = json.loads(answer.out)
    assert list(facts) == KEYS
    assert (facts["kind"], facts["periods"], facts["currency"]) == (
        "cur-legacy",
        ["2026-10"],
        "USD",
    )
    assert (facts["rows_read"], facts["rows_written"]) == (3, 2)
    assert Decimal(facts["billed_cost"]) == Decimal("0.3000000001")
    assert facts["unknown_columns"] == ["lineItem/Novelty"]
    assert facts["seconds"] >= 0
    assert facts["peak_rss_mb"] > 10
    assert [Path(file).is_file() for file in facts["files"]] == [True]


def test_the_answer_for_people_shows_categories_and_services(cli: Cli, tmp_path: Path) -> None:
    source = write(
        tmp_path / "a.csv.gz",
        *(
            {LEGACY.cost: str(number), "product/ProductName": f"Service {number:02}"}
            for number in range(SHOWN + 5)
        ),
    )
    answer = cli(source, "--to", str(tmp_path / "lake"))
    assert answer.code == 0
    assert "Usage" in answer.out
    assert "Service 24" in answer.out
    assert "Service 04" not in answer.out
    assert "(5 others)" in answer.out
    assert "300.00" in answer.out
    assert "\x1b" not in answer.out + answer.err


def test_a_bar_moves_on_a_terminal_only(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(tmp_path / "a.csv.gz", {})
    assert cli(source, "--to", str(tmp_path / "lake"), "-o", "json").err == ""
    monkeypatch.setenv("FORCE_COLOR", "1")
    answer = cli(source, "--to", str(tmp_path / "lake"), "-o", "json")
    assert "Converting" in answer.err
    assert json.loads(answer.out)["rows_read"] == 1


def test_bad_input_is_one_line_with_file_line_column_and_value(cli: Cli, tmp_path: Path) -> None:
    source = write(tmp_path / "a.csv.gz", {}, {LEGACY.cost: "twelve\nhundred"}, {})
    answer = cli(source, "--to", str(tmp_path / "lake"), "-o", "json")
    assert (answer.code, answer.out, answer.err.count("\n")) == (1, "", 1)
    for fact in (source, "line 3", LEGACY.cost, r"twelve\nhundred"):
        assert fact in answer.err
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("{source}",),
        ("--to", "{lake}"),
        ("{source}", "--to", "{lake}", "--kind", "cur"),
        ("{source}", "--to", "{lake}", "--kind", "focus-1-0"),
        ("{source}", "--to", "{lake}", "--table", "everything"),
        ("{source}", "--to", "{lake}", "--output", "csv"),
        ("{source}.missing", "--to", "{lake}"),
        ("{source}", "--to", "{source}"),
    ],
)
def test_wrong_usage_is_exit_code_2(cli: Cli, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    names = {"source": write(tmp_path / "a.csv.gz", {}), "lake": str(tmp_path / "lake")}
    answer = cli(*(argument.format(**names) for argument in arguments))
    assert (answer.code, answer.out) == (2, "")
    assert answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "lake").exists()


def test_what_a_person_should_know_is_told_beside_the_answer(cli: Cli, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv.gz"
    empty.write_bytes(gzipped(csv_of(rows(ExportKind.CUR_LEGACY, {})).split(b"\n")[0] + b"\n"))
    source = write(tmp_path / "a.csv.gz", {LEGACY.category: "Novelty"})
    answer = cli(source, str(empty), "--to", str(tmp_path / "lake"), "-o", "json")
    assert f"{empty} has no rows." in answer.err
    assert "Novelty" in answer.err
    assert json.loads(answer.out)["rows_read"] == 1


def test_every_kind_has_a_spelling() -> None:
    assert {kind.export_kind for kind in Kind} == {None, *ExportKind}


def test_peak_memory_is_this_processs_own() -> None:
    """What getrusage says of a process just started is its parent's peak."""
    ballast = b"x" * 300_000_000
    stated = subprocess.run(
        [sys.executable, "-c", "from cloudspend.cli.memory import *; print(peak_rss_mb())"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert peak_rss_mb() > len(ballast) / 1_000_000 > 100 > float(stated.stdout)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    body = csv_of(rows(ExportKind.CUR_LEGACY, {})).split(b"\n")
    source = tmp_path / "a.csv.gz"
    source.write_bytes(gzipped(b"\n".join([body[0], *body[1:2] * 300_000, b""])))
    lake = tmp_path / "lake"
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "convert", str(source), "--to", str(lake)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not lake.exists():
        time.sleep(0.01)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (128 + number, "")
    assert err == "cloudspend: Ended by a signal; nothing was written.\n"
    assert not lake.exists()

"""`cloudspend accounts import`: what it prints, and when it writes nothing."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.unit.cli.test_cli_commands import Cli, Operator, cli, operator

__all__ = ["cli", "operator"]

LIST = "account_id,name,type\n222222222222,Other Shop,LINKED\n333333333333,Other Bank,LINKED\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "list.csv"
    made.write_text(LIST, "utf-8")
    return made


def test_a_link_each_to_be_copied_whole(cli: Cli, file: Path, operator: Operator) -> None:
    answer = cli("accounts", "import", str(file))
    assert answer.code == 0
    links = [line.split() for line in answer.out.splitlines() if "https://" in line]
    assert [link[0] for link in links] == ["222222222222", "333333333333"]
    assert all("quickcreate" in link[1] for link in links)
    again = cli("accounts", "import", str(file))
    assert again.code == 0
    assert "https://" not in again.out
    assert "invited already" in again.out


def test_links_for_scripts(cli: Cli, file: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(cli("accounts", "import", str(file), "-o", "csv").out)))
    assert [row["state"] for row in rows] == ["invited", "invited"]
    assert all(row["link"].startswith("https://") for row in rows)
    made = json.loads(cli("accounts", "import", str(file), "--again", "-o", "json").out)
    assert [row["link"] != old["link"] for row, old in zip(made, rows, strict=True)] == [True, True]


def test_mistakes_are_a_table_and_nothing_is_written(
    cli: Cli, file: Path, operator: Operator
) -> None:
    file.write_text(LIST.replace("222222222222", "22222").replace("LINKED", "OWN"), "utf-8")
    answer = cli("accounts", "import", str(file), "-o", "json")
    assert answer.code == 2
    assert "3 mistakes; nothing was written" in answer.err
    found = json.loads(answer.out)
    assert [(one["line"], one["field"], one["value"]) for one in found] == [
        (2, "account_id", "22222"),
        (2, "type", "OWN"),
        (3, "type", "OWN"),
    ]
    assert len(operator.accounts.list()) == 1


def test_a_list_can_be_checked_alone(cli: Cli, file: Path, operator: Operator) -> None:
    answer = cli("accounts", "import", str(file), "--check")
    assert (answer.code, answer.out) == (0, "")
    assert "2 accounts" in answer.err
    assert len(operator.accounts.list()) == 1


def test_links_that_were_made_are_shown_whatever_follows(
    cli: Cli, file: Path, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = operator.bus.put

    def break_off(event: object) -> None:
        put(event)  # type: ignore[arg-type]
        operator.bus.broken = len(operator.bus.events) > 1

    monkeypatch.setattr(operator.bus, "put", break_off)
    answer = cli("accounts", "import", str(file), "-o", "csv")
    assert answer.code == 1
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert [row["account_id"] for row in rows] == ["222222222222"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read(cli: Cli, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "list.csv"
    if content is not None:
        path.write_bytes(content)
    answer = cli("accounts", "import", str(path))
    assert answer.code == 2
    assert "cannot be read" in answer.err

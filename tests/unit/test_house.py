"""Rules of the house that no linter knows."""

import re
import socket
import subprocess
from pathlib import Path

import pytest
from pytest_socket import SocketBlockedError

ROOT = Path(__file__).parents[2]
PRODUCT = ("app.py", "stacks", "lambdas", "layers/cloudspend")
EMULATION = re.compile(
    r"localhost|127\.0\.0\.1|ministack|localstack|\bmoto\b|emulator|/_local", re.I
)


def tracked(*paths: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *paths],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def product_files() -> list[Path]:
    return [p for p in tracked(*PRODUCT) if p.is_file() and p.suffix in {".py", ".sql", ".json"}]


def test_there_is_a_product_to_look_at() -> None:
    assert len(product_files()) > 50


def test_the_product_knows_nothing_of_the_local_cloud() -> None:
    hits = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in product_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if EMULATION.search(line)
    ]
    assert hits == []


@pytest.mark.parametrize("line", ["http://localhost:4566", "if ministack:", "GET /_local/inbox"])
def test_the_rule_sees_what_it_forbids(line: str) -> None:
    assert EMULATION.search(line)


def test_every_file_of_code_says_what_it_is_for() -> None:
    bare = [
        str(path.relative_to(ROOT))
        for path in tracked(*PRODUCT, "local")
        if path.suffix == ".py"
        and path.read_text(encoding="utf-8").strip()
        and not path.read_text(encoding="utf-8").lstrip().startswith('"""')
    ]
    assert bare == []


def test_a_unit_test_cannot_open_a_socket() -> None:
    with pytest.warns(UserWarning, match="socket"), pytest.raises(SocketBlockedError):
        socket.socket(socket.AF_INET)


def test_no_two_files_of_end_to_end_tests_share_an_account() -> None:
    # any of them may meet on one cloud, where an account's stack and history are there already
    users: dict[str, set[str]] = {}
    for path in sorted((ROOT / "tests" / "e2e").glob("test_*.py")):
        for account_id in re.findall(r"\b\d{12}\b", path.read_text(encoding="utf-8")):
            users.setdefault(account_id, set()).add(path.name)
    assert len(users) > 10
    assert {account: files for account, files in users.items() if len(files) > 1} == {}

"""Which Python is taken for work that needs another version."""

from pathlib import Path

import pytest

from scripts import pythons


def a_python(path: Path, says: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{says}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.delenv("PYTHON312", raising=False)


def test_there_may_be_none() -> None:
    assert pythons.find("3.12") is None


def test_a_command_that_only_answers_is_not_enough(tmp_path: Path) -> None:
    a_python(tmp_path / "bin" / "python3.12", "echo 'the command exists in 3.12.1'; exit 127")
    a_python(tmp_path / "bin" / "python3", "echo 3.11")
    assert pythons.find("3.12") is None
    kept = a_python(tmp_path / "pyenv" / "versions" / "3.12.1" / "bin" / "python", "echo 3.12")
    assert pythons.find("3.12") == str(kept)


def test_the_one_that_is_named_is_the_only_one_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    a_python(tmp_path / "bin" / "python3.12", "echo 3.12")
    assert pythons.find("3.12") == "python3.12"
    monkeypatch.setenv("PYTHON312", str(tmp_path / "none"))
    assert pythons.find("3.12") is None
    own = a_python(tmp_path / "own", "echo 3.12")
    monkeypatch.setenv("PYTHON312", str(own))
    assert pythons.find("3.12") == str(own)

"""What a newcomer reads when the machine lacks something: one sentence that says what to do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINS = ("requirements.txt", "requirements-dev.txt", "package-lock.json", "pyproject.toml")
TOOLS = ("sh", "dirname", "cat", "cksum", "mkdir", "rm", "sleep")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The files that set-up reads, on a machine with nothing but a shell."""
    made = tmp_path / "repository"
    (made / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "setup.sh", made / "scripts")
    for name in PINS:
        shutil.copy(ROOT / name, made)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return made


def program(repository: Path, name: str, script: str) -> None:
    path = repository.parent / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def sentence(repository: Path, **environment: str) -> str:
    """The last line that set-up says, which has to fail."""
    done = subprocess.run(
        [str(repository / "scripts" / "setup.sh")],
        env={"PATH": str(repository.parent / "bin"), "HOME": str(repository), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr.strip().splitlines()[-1]


def test_without_node(repository: Path) -> None:
    assert sentence(repository).startswith("cloudspend: Node.js is missing. Install")


def test_with_an_old_node(repository: Path) -> None:
    program(repository, "node", '[ "$1" = --version ] && echo v18.1.0; exit 1')
    assert "Node.js v18.1.0 is too old. Install Node.js 20" in sentence(repository)


def test_without_a_python_that_is_new_enough(repository: Path) -> None:
    program(repository, "node", "exit 0")
    program(repository, "npm", "exit 0")
    program(repository, "python3", "exit 1")
    assert "Python 3.11 or later was not found. Install it" in sentence(repository)


def test_without_a_package_index(repository: Path) -> None:
    program(repository, "node", "exit 0")
    program(repository, "npm", "exit 0")
    program(repository, "python3", f'exec {sys.executable} "$@"')
    stated = sentence(
        repository,
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_RETRIES="0",
        PIP_CONFIG_FILE=os.devnull,
    )
    assert "The Python packages could not be installed" in stated
    assert "Check that the package index can be reached" in stated

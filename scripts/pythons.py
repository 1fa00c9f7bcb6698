"""Finds a Python of another version: the FOCUS validator wants 3.12, Lambda's bytecode 3.13."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path


def variable(version: str) -> str:
    """The environment variable that names a Python of `version` (3.12) where none is found."""
    return f"PYTHON{version.replace('.', '')}"


def find(version: str) -> str | None:
    """The command of a Python of `version`, or None; one that is named is the only one tried."""
    return next((python for python in _candidates(version) if _is(python, version)), None)


def _candidates(version: str) -> Iterator[str]:
    named = os.environ.get(variable(version))
    if named:
        yield named
        return
    yield from (f"python{version}", "python3")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from map(str, sorted(pyenv.glob(f"versions/{version}*/bin/python"), reverse=True))


def _is(python: str, version: str) -> bool:
    """pyenv leaves commands on the path that only say that their Python is not chosen."""
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(  # noqa: S603 (a name from above, or the caller's own)
            [python, "-c", question], capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    return done.stdout.strip() == version

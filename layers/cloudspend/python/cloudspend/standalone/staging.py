"""A folder of Parquet files that changes as a whole or not at all."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from cloudspend.errors import TransientError, UsageError
from cloudspend.standalone.swap import swap

# Hidden from every reader that looks for `billing_period=*`.
PREFIX = ".cloudspend-"
PARQUET = ".parquet"


class Staging:
    """A hidden folder in `folder`, on the same file system; a sink of conversions."""

    bucket = ""

    def __init__(self, folder: Path, hidden: Path) -> None:
        self._folder = folder
        self._hidden = hidden

    def put(self, path: Path, key: str) -> None:
        target = self.path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)

    def path(self, key: str) -> Path:
        """Return the path of `key` before it is published."""
        return self._hidden / key

    def publish(self, moves: Mapping[str, str]) -> None:
        """Move staged folders to their destination: destination below the folder -> staged key.

        Replaces each existing destination in one step. When one step fails or the process is
        interrupted, the steps before it are undone. Raises UsageError when the destination has
        files that no conversion wrote.
        """
        for place in moves:
            _require_ours(self._folder / place)
        with ExitStack() as undo:
            for place, key in moves.items():
                _move(self.path(key), self._folder / place, undo)
            undo.pop_all()


@contextmanager
def staging(folder: Path) -> Iterator[Staging]:
    """Create a staging folder in `folder`, which is created if it is missing. Remove both unless
    something was published.

    Raises UsageError when `folder` is not writable, TransientError when the disk fails.
    """
    made = _make(folder)
    try:
        with tempfile.TemporaryDirectory(prefix=PREFIX, dir=folder) as hidden:
            yield Staging(folder, Path(hidden))
    except OSError as error:
        raise TransientError(
            f"{folder} cannot be written to: {error.strerror or error}.",
            remedy="Make room on the disk, or choose another folder.",
        ) from error
    finally:
        for path in made:
            # A folder that is not empty contains published files.
            with suppress(OSError):
                path.rmdir()


def _make(folder: Path) -> list[Path]:
    """Create `folder` and return the created folders, innermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be a folder: {error.strerror}.", remedy="Choose another with --to."
        ) from error
    return missing


def _require_ours(place: Path) -> None:
    strange = [path for path in place.glob("*") if path.suffix != PARQUET] if place.is_dir() else []
    if strange:
        raise UsageError(
            f"{strange[0]} was not written by CloudSpend and would be lost with its period.",
            remedy="Move it away, or choose another folder with --to.",
        )


def _move(staged: Path, place: Path, undo: ExitStack) -> None:
    if place.exists():
        swap(staged, place)
        undo.callback(swap, staged, place)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    undo.callback(_remove_empty, place.parent)
    staged.rename(place)
    undo.callback(place.rename, staged)


def _remove_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()

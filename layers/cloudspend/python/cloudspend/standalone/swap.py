"""Exchange two folders in one step."""

import ctypes
import os
import tempfile
from pathlib import Path

# From fcntl.h and linux/fs.h: relative paths as they are, exchange both names.
AT_FDCWD = -100
RENAME_EXCHANGE = 2


def swap(one: Path, other: Path) -> None:
    """Exchange two folders of one file system.

    On Linux the exchange is atomic: a reader finds either folder under a name. On other systems,
    and on file systems without support, `other` does not exist for a moment. Raises OSError.
    """
    if not _exchanged(one, other):
        with tempfile.TemporaryDirectory(dir=one.parent) as aside:
            held = other.rename(Path(aside) / "held")
            try:
                one.rename(other)
            except OSError:
                held.rename(other)
                raise
            held.rename(one)


def _exchanged(one: Path, other: Path) -> bool:
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    if rename is None:
        return False
    paths = os.fsencode(one), os.fsencode(other)
    return bool(rename(AT_FDCWD, paths[0], AT_FDCWD, paths[1], RENAME_EXCHANGE) == 0)

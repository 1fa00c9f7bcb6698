"""Inflates a chunk and throws it away: the least that any conversion does. Imports isal alone."""

import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from isal import igzip

# isal's stubs leave this without types.
IGZIP: Callable[..., Any] = igzip.open

READ_BYTES = 1024 * 1024


def inflated(chunk: Path) -> int:
    """Bytes of text in `chunk`."""
    buffer, total = bytearray(READ_BYTES), 0
    with IGZIP(chunk, "rb") as stream:
        while count := stream.readinto(buffer):
            total += count
    return total


if __name__ == "__main__":
    inflated(Path(sys.argv[1]))
    sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}\n")

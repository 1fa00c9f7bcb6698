"""Inflates a chunk and throws it away: the least that any conversion does. Imports little."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from isal import igzip

from cloudspend.cli.memory import peak_rss_mb

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


def used() -> str:
    """Megabytes of this process at its peak, and its seconds on processors."""
    return f"{peak_rss_mb()} {time.process_time()}"


if __name__ == "__main__":
    inflated(Path(sys.argv[1]))
    sys.stdout.write(f"{used()}\n")

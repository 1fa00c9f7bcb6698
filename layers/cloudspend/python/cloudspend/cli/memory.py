"""How much memory this process has needed."""

import re
import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
KIB, MB = 1024, 1_000_000


def peak_rss_mb() -> float:
    """The largest resident set so far, in units of 10^6 bytes.

    Linux counts it in the process's status (proc(5), VmHWM). What getrusage says there is at least
    the peak of the process that started this one; elsewhere there is nothing better, in bytes on
    macOS and in KiB on the BSDs (getrusage(2)).
    """
    if STATUS.is_file():
        found = re.search(r"^VmHWM:\s+(\d+) kB$", STATUS.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return int(found[1]) * KIB / MB
    unit = 1 if sys.platform == "darwin" else KIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MB

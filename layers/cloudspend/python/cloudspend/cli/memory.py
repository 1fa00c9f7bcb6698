"""Peak memory of this process."""

import re
import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
KIB, MB = 1024, 1_000_000


def peak_rss_mb() -> float:
    """Return the largest resident set so far, in units of 10^6 bytes.

    Linux has it in the process status (proc(5), VmHWM), because getrusage starts with the parent's
    peak. Other systems only have getrusage(2), in bytes on macOS and in KiB on BSD.
    """
    if STATUS.is_file():
        found = re.search(r"^VmHWM:\s+(\d+) kB$", STATUS.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return int(found[1]) * KIB / MB
    unit = 1 if sys.platform == "darwin" else KIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MB

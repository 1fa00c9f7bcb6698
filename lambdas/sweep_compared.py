"""Sweep: say whether every month could be compared; the execution fails when one could not be for a
reason of ours."""

from typing import Any

from cloudspend import wiring
from cloudspend.sweep.sweep_run import compared
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return compared(event, wiring.platform().lake)

"""Sweep: fail the execution when a month could not be compared because of a defect."""

from typing import Any

from cloudspend import wiring
from cloudspend.sweep.sweep_run import compared
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return compared(event, wiring.platform().lake)

"""Sweep: report the outcome of the run and the periods to compare with Cost Explorer."""

from typing import Any

from cloudspend import wiring
from cloudspend.sweep.sweep_run import report
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    return report(event, platform.lake, platform.bus, platform.settings.account_id)

"""Collect: report the outcome of the run."""

from typing import Any

from cloudspend import wiring
from cloudspend.collect.collect_run import report
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    return report(event, platform.lake, platform.bus, platform.settings.account_id)

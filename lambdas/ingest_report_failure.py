"""Ingest: report the file, line, column and value that stopped a delivery."""

from typing import Any

from cloudspend import wiring
from cloudspend.ingest.failure import report_failure
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    return report_failure(
        event, platform.accounts, platform.generations, platform.lake, platform.bus
    )

"""Ingest: compare the written Parquet with the control totals of the source text."""

from typing import Any

from cloudspend import wiring
from cloudspend.ingest.check import check
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    return check(event, platform.accounts, platform.ingest_ports, platform.catalog, platform.bus)

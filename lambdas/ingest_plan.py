"""Ingest: decide whether to ingest a delivery, and write its conversion tasks."""

from typing import Any

from cloudspend import wiring
from cloudspend.ingest.plan import plan
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    return plan(event, platform.accounts, platform.customer_bucket, platform.ingest_ports)

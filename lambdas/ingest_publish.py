"""Ingest: make the checked generation the one that readers see."""

from datetime import UTC, datetime
from typing import Any

from cloudspend import wiring
from cloudspend.ingest.publish import publish
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    return publish(event, platform.accounts, platform.publish_ports, datetime.now(UTC))

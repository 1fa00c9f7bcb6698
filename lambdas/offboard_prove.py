"""Offboard: list the remaining data, and close the account when there is none."""

from datetime import UTC, datetime
from typing import Any

from cloudspend import wiring
from cloudspend.offboarding.steps import prove
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return prove(event, wiring.platform().offboard_ports, datetime.now(UTC))

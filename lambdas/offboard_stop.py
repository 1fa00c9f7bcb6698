"""Offboard: stop every running execution of the account."""

from typing import Any

from cloudspend import wiring
from cloudspend.offboarding.steps import stop
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return stop(event, wiring.platform().offboard_ports)

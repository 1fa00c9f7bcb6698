"""Onboard: activate an account whose history is ingested."""

from datetime import UTC, datetime
from typing import Any

from cloudspend import payloads as p
from cloudspend import wiring
from cloudspend.onboarding.onboard import activate
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    activate(event[p.ACCOUNT_ID], platform.accounts, platform.bus, datetime.now(UTC))
    return event

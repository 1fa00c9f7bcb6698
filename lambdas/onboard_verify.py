"""Onboard: verify that only the platform can assume the role, in the right account."""

from datetime import UTC, datetime
from typing import Any

from cloudspend import payloads as p
from cloudspend import wiring
from cloudspend.onboarding.onboard import verify
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    verify(
        event[p.ACCOUNT_ID],
        platform.accounts,
        platform.bus,
        platform.customer_sessions,
        datetime.now(UTC),
    )
    return event

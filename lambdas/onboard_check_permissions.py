"""Onboard: try each permission with a real call."""

from datetime import UTC, datetime
from typing import Any

from cloudspend import payloads as p
from cloudspend import wiring
from cloudspend.onboarding.onboard import check_permissions
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    check_permissions(
        event[p.ACCOUNT_ID],
        platform.accounts,
        platform.bus,
        platform.customer,
        platform.key_store,
        datetime.now(UTC),
    )
    return event

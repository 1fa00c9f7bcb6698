"""Onboard: report the step that failed and the customer's remedy."""

from datetime import UTC, datetime
from typing import Any

from cloudspend import payloads as p
from cloudspend import wiring
from cloudspend.errors import parse
from cloudspend.onboarding.onboard import report_failure
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    caught = event[p.FAILURE]
    report_failure(
        event[p.ACCOUNT_ID],
        parse(caught["Error"], caught["Cause"]),
        platform.accounts,
        platform.bus,
        datetime.now(UTC),
    )
    return event

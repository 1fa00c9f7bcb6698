"""Onboard: say what the customer must do."""

from typing import Any

from cloudspend import payload as p
from cloudspend import wiring
from cloudspend.access.onboard import report_failure
from cloudspend.wiring import logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    failure = event[p.FAILURE]
    report_failure(
        event[p.ACCOUNT_ID], failure["Error"], failure["Cause"], platform.accounts, platform.bus
    )
    return event

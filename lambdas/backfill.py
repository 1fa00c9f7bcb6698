"""Onboard: take in what AWS delivered before the account was active, a few periods at once."""

from typing import Any

from cloudspend import wiring
from cloudspend.lake.backfill import onboard_backfill
from cloudspend.wiring import logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    return onboard_backfill(
        event,
        platform.accounts,
        platform.customer_bucket,
        platform.executions,
        platform.bus,
        platform.settings.backfill_at_once,
    )

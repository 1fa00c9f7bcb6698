"""Ingest: start an execution for a new manifest in a customer's bucket."""

from typing import Any

from cloudspend import wiring
from cloudspend.ingest.delivery_event import announce
from cloudspend.wiring import logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> None:
    platform = wiring.platform()
    announced = announce(
        event, platform.accounts, platform.customer_bucket, platform.executions, platform.bus
    )
    logger.info("handled a delivery event", started=announced.started, reason=announced.reason)

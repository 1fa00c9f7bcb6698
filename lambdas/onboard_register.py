"""Onboard: answer the registration messages of customers' stacks."""

from datetime import UTC, datetime
from typing import Any

from cloudspend import wiring
from cloudspend.onboarding.registration import register
from cloudspend.wiring import logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> None:
    platform = wiring.platform()
    for record in event["Records"]:
        answer = register(
            record["Sns"]["Message"],
            platform.accounts,
            platform.bus,
            platform.onboarding,
            platform.responder,
            platform.settings,
            datetime.now(UTC),
        )
        logger.info("answered a registration", status=answer.status, reason=answer.reason)

"""An event of the bus becomes a message that a person can act on."""

from typing import Any

from cloudspend import wiring
from cloudspend.alerts.notify import notify
from cloudspend.wiring import logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> None:
    notify(event, wiring.platform().topics)

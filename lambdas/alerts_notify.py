"""Send the alert for an event on the bus, unless it was sent before."""

from datetime import UTC, datetime
from typing import Any

from cloudspend import wiring
from cloudspend.alerts.notify import notify
from cloudspend.findings.event_findings import deliver_if_new
from cloudspend.wiring import logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> None:
    platform = wiring.platform()
    why = deliver_if_new(
        event["detail-type"],
        event["detail"],
        platform.findings_table,
        datetime.now(UTC),
        lambda: notify(event, platform.topics),
    )
    logger.info("handled an event", event_id=event["detail"]["event_id"], why=why)

"""Onboard: ingest the deliveries from before activation, a few periods at a time."""

from datetime import UTC, datetime
from typing import Any

from cloudspend import payloads as p
from cloudspend import wiring
from cloudspend.ingest.backfill import onboard_backfill
from cloudspend.sweep.coverage import withdraw_covered
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    state = onboard_backfill(
        event,
        platform.accounts,
        platform.customer_bucket,
        platform.executions,
        platform.bus,
        platform.settings.policy.backfill_at_once,
    )
    withdraw_covered(
        event[p.ACCOUNT_ID], platform.accounts, platform.retention_ports, datetime.now(UTC)
    )
    return state

"""Collect: record that a source failed after all retries."""

from datetime import UTC, datetime
from typing import Any

from cloudspend import payloads as p
from cloudspend import wiring
from cloudspend.collect.collect import failed, to_payload
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    account = platform.accounts.get(event[p.ACCOUNT_ID])
    outcome = failed(event, account, platform.progress, platform.bus, datetime.now(UTC))
    return to_payload(account.account_id, outcome)

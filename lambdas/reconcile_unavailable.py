"""Reconcile: record that a published period could not be compared."""

from datetime import UTC, datetime
from typing import Any

from cloudspend import payloads as p
from cloudspend import wiring
from cloudspend.reconcile.reconcile import unavailable
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    account = platform.accounts.get(event[p.ACCOUNT_ID])
    added = unavailable(event, account, platform.reconciling, datetime.now(UTC))
    return {**event, **added}

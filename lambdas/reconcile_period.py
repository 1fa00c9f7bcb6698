"""Reconcile: compare a published period with Cost Explorer and the invoices."""

from datetime import UTC, datetime
from typing import Any

from cloudspend import payloads as p
from cloudspend import wiring
from cloudspend.reconcile.invoice import invoices_of
from cloudspend.reconcile.reconcile import reconcile
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    account = platform.accounts.get(event[p.ACCOUNT_ID])
    added = reconcile(
        event,
        account,
        platform.cost_explorer(account),
        platform.reconciling,
        datetime.now(UTC),
        invoices_of(platform.services(account, "reconcile"), account.account_id),
    )
    return {**event, **added}

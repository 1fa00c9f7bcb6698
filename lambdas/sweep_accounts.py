"""Sweep: find and repair the drift of each account in a batch."""

from datetime import UTC, datetime
from typing import Any

from cloudspend import wiring
from cloudspend.sweep.sweep import sweep_accounts, to_payload
from cloudspend.wiring import entry, logger


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    swept = sweep_accounts(
        event["Items"],
        platform.accounts,
        platform.sweep_ports,
        platform.settings,
        datetime.now(UTC),
        _log,
    )
    return to_payload(swept)


def _log(account_id: str) -> None:
    logger.exception("an account was not swept", account_id=account_id)

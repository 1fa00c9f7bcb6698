"""Sweep: list the accounts of this run."""

from typing import Any

from cloudspend import wiring
from cloudspend.sweep.sweep_run import list_accounts
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    return list_accounts(event, platform.accounts, platform.lake)

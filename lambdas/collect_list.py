"""Collect: list the sources and accounts that are due in this run."""

from typing import Any

from cloudspend import wiring
from cloudspend.collect.collect_run import list_accounts
from cloudspend.collect.sources import SOURCES
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    return list_accounts(event, platform.accounts, platform.lake, SOURCES)

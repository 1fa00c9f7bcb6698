"""Collect: bring one source of one account up to date."""

from datetime import UTC, datetime
from typing import Any

from cloudspend import payloads as p
from cloudspend import wiring
from cloudspend.collect.collect import collect, overlaps, to_payload
from cloudspend.collect.sources import SOURCES
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    account = platform.accounts.get(event[p.ACCOUNT_ID])
    source = SOURCES[event[p.SOURCE]]
    outcome = collect(
        source,
        account,
        platform.services(account),
        platform.collect_ports,
        overlap=overlaps(platform.settings.policy.collect_overlaps, SOURCES)[source.name],
        now=datetime.now(UTC),
        force=event[p.FORCE],
    )
    return to_payload(account.account_id, outcome)

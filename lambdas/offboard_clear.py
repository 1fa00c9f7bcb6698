"""Offboard: remove the account's data, for as long as one call may take."""

from typing import Any

from cloudspend import wiring
from cloudspend.offboarding.steps import clear
from cloudspend.wiring import entry

# Upper bound for removing one page of objects or partitions.
MARGIN_MILLISECONDS = 120_000


@entry
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return clear(
        event,
        wiring.platform().offboard_ports,
        lambda: context.get_remaining_time_in_millis() > MARGIN_MILLISECONDS,
    )

"""Offboard: take away what is to go, for as long as one call may take."""

from typing import Any

from cloudspend import wiring
from cloudspend.offboarding.steps import clear
from cloudspend.wiring import entry

# What one page of a removal may take at the most.
MARGIN_MILLISECONDS = 120_000


@entry
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return clear(
        event,
        wiring.platform().exit,
        lambda: context.get_remaining_time_in_millis() > MARGIN_MILLISECONDS,
    )

"""What the catalogue says of one kind of event, and the pieces that several kinds share."""

from collections.abc import Mapping
from dataclasses import dataclass

from cloudspend.alerts import schema as s
from cloudspend.alerts.event import Severity

MAX_CELLS = 20
MAX_CHANGES = 200
MAX_NAMES = 200

GENERATION: Mapping[str, s.Schema] = {"period": s.PERIOD, "generation": s.TEXT}
QUERY_PERIODS = 'Look at the proof: cloudspend query "SELECT * FROM billing_periods".'


@dataclass(frozen=True)
class EventType:
    """One kind of event. `severity` is None where each event bears its own. `details` maps each
    key to the JSON Schema of its value; a key whose value may be null need not be given."""

    severity: Severity | None
    sentence: str
    actions: tuple[str, ...]
    details: Mapping[str, s.Schema]

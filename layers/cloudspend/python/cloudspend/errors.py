"""Errors, sorted by who must act.

    CloudSpendError
    ├── UsageError             the caller's input is wrong; nothing was done
    ├── TransientError         try again later
    ├── CustomerActionError    the customer must act; trying again changes nothing
    │   ├── ConnectionRefused      the role cannot be used, or must not be
    │   ├── PermissionDenied       one action of the role is refused
    │   └── DeliveryError          a delivery cannot be read as a bill
    │       └── DeliveryReplaced       a file changed after the delivery was planned
    └── Defect                 a fault of CloudSpend; the platform team must look
        └── TotalsDiffer           two paths through the same bill have different sums

Step Functions passes an exception on as a class name and a text. The text of every error is a JSON
object with `summary`, `remedy` and `details`, which `parse` reads back. Routing uses class names
(`names`), never the text.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class CloudSpendError(Exception):
    """An error that a person can act on: a sentence, the remedy, and the facts."""

    def __init__(self, summary: str, *, remedy: str = "", **details: Any) -> None:
        self.summary = summary
        self.remedy = remedy
        self.details = details
        super().__init__(
            json.dumps({"summary": summary, "remedy": remedy, "details": details}, default=str)
        )

    @property
    def sentence(self) -> str:
        """Return the error for a terminal: what happened, then what to do."""
        return f"{self.summary} {self.remedy}".strip()


class UsageError(CloudSpendError):
    """The caller's input is wrong; nothing was done."""


class TransientError(CloudSpendError):
    """A transient fault: throttling, or a service that is briefly unavailable."""


class CustomerActionError(CloudSpendError):
    """Only the customer can solve this; trying again changes nothing."""


class ConnectionRefused(CustomerActionError):
    """The customer's role cannot be assumed, or must not be used as it is."""


class PermissionDenied(CustomerActionError):
    """The role works, but a required action is denied."""


class DeliveryError(CustomerActionError):
    """A manifest or file of a delivery is missing, damaged or not a bill of its period."""


class DeliveryReplaced(DeliveryError):
    """A file is not the planned version any more (its ETag changed)."""


class Defect(CloudSpendError):
    """A fault of CloudSpend itself."""


class TotalsDiffer(Defect):
    """Two paths through the same bill have different row counts or sums."""


def names(*kinds: type[CloudSpendError]) -> list[str]:
    """Return the class names under which Step Functions sees `kinds` and their subclasses."""
    found: list[str] = []
    for kind in kinds:
        found.append(kind.__name__)
        found.extend(names(*kind.__subclasses__()))
    return found


@dataclass(frozen=True)
class Failure:
    """An error as Step Functions passes it on: its class name, and the content of its text."""

    error: str
    summary: str
    remedy: str
    details: Mapping[str, Any]


def parse(error: str, cause: str) -> Failure:
    """Parse a state machine's caught `Error` and `Cause`.

    `cause` is the JSON of Lambda (`errorMessage`), the text of a CloudSpendError, or any text of a
    service, which then is the summary.
    """
    message = _object(cause).get("errorMessage", cause)
    body = _object(message)
    if "summary" not in body:
        return Failure(error, str(message) or error, "", {})
    return Failure(error, body["summary"], body.get("remedy", ""), body.get("details", {}))


def _object(text: object) -> dict[str, Any]:
    try:
        value = json.loads(str(text))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}

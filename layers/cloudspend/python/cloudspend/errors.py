"""What can go wrong, sorted by who must act.

    CloudSpendError
    ├── UsageError             the caller's input is wrong; nothing was done
    ├── TransientError         try again later
    ├── CustomerActionError    the customer must act; trying again changes nothing
    │   ├── ConnectionRefused      the role cannot be used, or must not be
    │   ├── PermissionDenied       one action of the role is refused
    │   └── DeliveryError          what AWS delivered cannot be read as a bill
    │       └── DeliveryReplaced       a file changed after the delivery was planned
    └── Defect                 ours; a person of the platform team must look
        └── TotalsDiffer           two paths through the same bill give two sums

Step Functions sees an exception only as a class name and a text, so the text of every error is a
JSON object that holds all of it (`summary`, `remedy`, `details`) and can be read back with `parse`.
Routing goes by class name (`names`), never by the text.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class CloudSpendError(Exception):
    """An error that a person can act on: a sentence, what to do, and the facts behind it."""

    def __init__(self, summary: str, *, remedy: str = "", **details: Any) -> None:
        self.summary = summary
        self.remedy = remedy
        self.details = details
        super().__init__(
            json.dumps({"summary": summary, "remedy": remedy, "details": details}, default=str)
        )

    @property
    def sentence(self) -> str:
        """The error for a terminal: what happened, then what to do."""
        return f"{self.summary} {self.remedy}".strip()


class UsageError(CloudSpendError):
    """The caller's input is wrong; nothing was done."""


class TransientError(CloudSpendError):
    """A fault that passes by itself: throttling, a service that is briefly away."""


class CustomerActionError(CloudSpendError):
    """Only the customer can mend this; trying again changes nothing."""


class ConnectionRefused(CustomerActionError):
    """The customer's role cannot be assumed, or must not be used as it is."""


class PermissionDenied(CustomerActionError):
    """The role works, but one action that CloudSpend needs is refused."""


class DeliveryError(CustomerActionError):
    """A manifest or a file of a delivery is missing, damaged or not a bill of its period."""


class DeliveryReplaced(DeliveryError):
    """A file is no longer the one that was planned (its ETag changed)."""


class Defect(CloudSpendError):
    """CloudSpend itself is wrong."""


class TotalsDiffer(Defect):
    """Two paths through the same bill give two row counts or two sums."""


def names(*kinds: type[CloudSpendError]) -> list[str]:
    """The class names under which Step Functions sees `kinds` and everything below them."""
    found: list[str] = []
    for kind in kinds:
        found.append(kind.__name__)
        found.extend(names(*kind.__subclasses__()))
    return found


@dataclass(frozen=True)
class Failure:
    """An error as Step Functions hands it on: its class name, and what its text held."""

    error: str
    summary: str
    remedy: str
    details: Mapping[str, Any]


def parse(error: str, cause: str) -> Failure:
    """Read a state machine's caught `Error` and `Cause` back.

    `cause` is the JSON that Lambda writes (`errorMessage`), the text of a CloudSpendError, or, for
    errors of the services themselves, any text: then that text is the summary.
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

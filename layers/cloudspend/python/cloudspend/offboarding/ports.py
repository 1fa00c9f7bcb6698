"""What offboarding needs from outside."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol


class Holding(Protocol):
    """One kind of thing that the platform holds of accounts."""

    @property
    def kind(self) -> str:
        """What people call it, in the plural."""

    def of(self, account_id: str) -> Iterator[str]:
        """The name of each one that there is of the account, as far as AWS lists it."""

    def remove(self, account_id: str) -> int:
        """Take away what there is, or a good part of it; returns how many that were, 0 when nothing
        was left. May be repeated. Raises TransientError."""


class Reports(Protocol):
    """Where reports are kept."""

    @property
    def bucket(self) -> str:
        """The bucket's name."""

    def write_json(self, key: str, value: Any) -> None:
        """Replace the object at `key`."""

    def read_json(self, key: str) -> Any:
        """The value at `key`. Raises Defect naming the key when it is missing or not JSON."""


class Machine(Protocol):
    """Executions of the Offboard state machine, by name."""

    def start(self, name: str, payload: Mapping[str, Any]) -> bool:
        """Start an execution; False when there already is one of that name."""

    def status(self, name: str) -> str | None:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED; None when there is none."""

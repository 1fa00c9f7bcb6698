"""Ports of offboarding."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol


class Holding(Protocol):
    """One kind of data that the platform holds of accounts."""

    @property
    def kind(self) -> str:
        """Return its name in the plural, for people."""

    def of(self, account_id: str) -> Iterator[str]:
        """Yield the name of each item of the account."""

    def remove(self, account_id: str) -> int:
        """Remove the items, or a large part of them, and return their number; 0 when nothing was
        left.

        Can be repeated. Raises TransientError.
        """


class Reports(Protocol):
    """Storage of reports."""

    @property
    def bucket(self) -> str:
        """Return the bucket's name."""

    def write_json(self, key: str, value: Any) -> None:
        """Write the object at `key`, replacing an existing one."""

    def read_json(self, key: str) -> Any:
        """Read the value at `key`. Raises Defect that names the key when it is missing or not
        JSON.
        """


class Machine(Protocol):
    """Executions of the Offboard state machine, by name."""

    def start(self, name: str, payload: Mapping[str, Any]) -> bool:
        """Start an execution. Return False when one of that name exists."""

    def status(self, name: str) -> str | None:
        """Return RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED; None when there is none."""

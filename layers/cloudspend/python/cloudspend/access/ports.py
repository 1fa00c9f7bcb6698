"""What proving a connection needs from outside."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cloudspend.accounts.model import Account, CheckStatus


class Door(Protocol):
    """The way into a customer's account."""

    def enter(self, account: Account, external_id: str | None) -> str | None:
        """Assume the account's role with `external_id`, or with none.

        Returns the id of the account one is in then; None when the role refuses. Raises
        TransientError.
        """


@dataclass(frozen=True)
class Finding:
    """What one call in the customer's account came to; `reason` is for a person."""

    status: CheckStatus
    reason: str


class Customer(Protocol):
    """The customer's account, entered."""

    def probe(self, action: str, account: Account, now: datetime) -> Finding:
        """Make a real call that needs `action` (as IAM names it) and say what came of it.

        Raises TransientError, and Defect when it knows no call for `action`.
        """


EnterCustomer = Callable[[Account], Customer]

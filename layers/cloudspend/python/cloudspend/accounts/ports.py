"""Ports of the accounts room: registry, onboarding and answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from cloudspend.accounts.model import Account, Change, Check, Member
from cloudspend.alerts.event import Bus
from cloudspend.errors import TransientError
from cloudspend.settings import Settings


class AccountChanged(TransientError):
    """Another process has changed the account since it was read: read it and decide again."""


@dataclass(frozen=True)
class Registration:
    """A used registration token: the stack and the request that used it.

    It distinguishes a repeated message from a second use of the token.
    """

    account_id: str
    token_sha256: str
    stack_id: str
    request_id: str
    registered_at: datetime


class AccountReader(Protocol):
    """Read access to the registry, for other rooms."""

    def get(self, account_id: str) -> Account:
        """Read an account consistently. Raises UsageError for an unknown account."""


class AccountRegistry(AccountReader, Protocol):
    """The registry of accounts, checks, registrations, histories and members.

    Saving an account with a new `last_change` also writes the history entry, both or neither.
    """

    def find(self, account_id: str) -> Account | None:
        """Read an account consistently; None for an unknown account."""

    def list(self) -> Sequence[Account]:
        """Return all accounts in order of their ids. May lag behind a write by seconds."""

    def add(self, account: Account) -> None:
        """Write a new account.

        Raises UsageError for a display name of another account, AccountChanged when the account
        exists.
        """

    def save(self, before: Account, after: Account) -> None:
        """Replace `before`, as it was read, by `after`.

        Raises AccountChanged when the registry does not contain `before` any more, and UsageError
        for a display name of another account.
        """

    def register(self, before: Account, after: Account, registration: Registration) -> None:
        """Save the account and `registration`, both or neither."""

    def find_registration(self, account_id: str, token_sha256: str) -> Registration | None:
        """Return the registration that used a token; None for an unused token."""

    def increment_refusals(self, hour: datetime) -> int:
        """Increment the refused registrations of an hour and return the new count."""

    def put_check(self, account_id: str, check: Check) -> None:
        """Save the newest result of a check."""

    def checks(self, account_id: str) -> Sequence[Check]:
        """Return the newest result of every check, in order of names."""

    def history(self, account_id: str) -> Sequence[Change]:
        """Return the account's history, oldest entry first."""

    def put_members(self, organization_id: str, members: Sequence[Member]) -> None:
        """Save these members of an organization; other members stay unchanged."""

    def members(self, organization_id: str) -> Sequence[Member]:
        """Return every present and former member, in order of ids."""

    def organizations_of(self, account_id: str) -> Sequence[str]:
        """Return the ids of the onboarded organizations that the account is a member of now.

        May lag behind a write by seconds.
        """


# Returns the region codes of a partition.
KnownRegions = Callable[[str], frozenset[str]]


@dataclass(frozen=True)
class InvitationPorts:
    """Ports of the operator's use cases."""

    registry: AccountRegistry
    bus: Bus
    settings: Settings
    known_regions: KnownRegions


class Onboarding(Protocol):
    """The Onboard state machine."""

    def start(self, account_id: str, name: str) -> None:
        """Start an execution called `name`. Does nothing if one of that name exists."""


class Responder(Protocol):
    """Answers to custom resources."""

    def put(self, url: str, body: Mapping[str, Any]) -> None:
        """PUT `body` as JSON without following redirects. Raises TransientError when it is
        refused.
        """

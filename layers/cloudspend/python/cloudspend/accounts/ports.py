"""What the use cases need from outside: the registry, the onboarding, the way to answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from cloudspend.accounts.model import Account, Change, Check, Member
from cloudspend.alerts.event import Bus
from cloudspend.errors import TransientError
from cloudspend.settings import Settings


class AccountChanged(TransientError):
    """Someone else wrote the account since it was read: read it again and decide again."""


@dataclass(frozen=True)
class Registration:
    """A spent registration token: which stack used it, and with which of its requests.

    It is what tells a message that arrives twice from a second use of the token.
    """

    account_id: str
    token_sha256: str
    stack_id: str
    request_id: str
    registered_at: datetime


class AccountReader(Protocol):
    """What other rooms need of the registry."""

    def get(self, account_id: str) -> Account:
        """Read consistently. Raises UsageError when the account is not onboarded."""


class AccountRegistry(AccountReader, Protocol):
    """The accounts, their checks, registrations, histories and members.

    Whoever writes an account whose `last_change` is new writes that step into its history as well,
    both or neither.
    """

    def find(self, account_id: str) -> Account | None:
        """Read consistently; None when there is no such account."""

    def list(self) -> Sequence[Account]:
        """All accounts in order of their ids. May lag behind a write by seconds."""

    def add(self, account: Account) -> None:
        """Write a new account. Raises UsageError when the display name is another account's,
        AccountChanged when the account exists."""

    def save(self, before: Account, after: Account) -> None:
        """Replace `before`, as it was read, by `after`. Raises AccountChanged when the registry
        no longer holds `before`, UsageError when the new display name is another account's."""

    def register(self, before: Account, after: Account, registration: Registration) -> None:
        """`save` and write down `registration`, both or neither."""

    def find_registration(self, account_id: str, token_sha256: str) -> Registration | None:
        """What a token was spent on; None when it was not spent."""

    def refused(self, hour: datetime) -> int:
        """Count one more refused registration in the hour that begins then; how many there were."""

    def put_check(self, account_id: str, check: Check) -> None:
        """Write down a check's newest result."""

    def checks(self, account_id: str) -> Sequence[Check]:
        """The newest result of every check, in order of the checks' names."""

    def history(self, account_id: str) -> Sequence[Change]:
        """Every step of the account's life, the first one first."""

    def put_members(self, organization_id: str, members: Sequence[Member]) -> None:
        """Write these members of an organization; others that it has stay as they are."""

    def members(self, organization_id: str) -> Sequence[Member]:
        """Every member that the organization has or had, in order of their ids."""

    def organizations_of(self, account_id: str) -> Sequence[str]:
        """The ids of the onboarded organizations that the account is a member of now, in order. May
        lag behind a write by seconds."""


# The codes of the regions of a partition.
KnownRegions = Callable[[str], frozenset[str]]


@dataclass(frozen=True)
class InvitationPorts:
    """What operators' use cases work with."""

    registry: AccountRegistry
    bus: Bus
    settings: Settings
    known_regions: KnownRegions


class Onboarding(Protocol):
    """The Onboard state machine."""

    def start(self, account_id: str, name: str) -> None:
        """Start an execution called `name`; one that already bears the name is left alone."""


class Responder(Protocol):
    """Where the answer to a custom resource goes."""

    def put(self, url: str, body: Mapping[str, Any]) -> None:
        """PUT `body` as JSON, following no redirect. Raises TransientError when it is refused."""

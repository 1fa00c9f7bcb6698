"""Ports of the access room: sessions in customers' accounts, key store, key inspection, and
permission probes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from cloudspend.access.keys import AccessKey, Identity
from cloudspend.accounts.members import OrganizationAccount
from cloudspend.accounts.model import Account, CheckStatus

# Secrets Manager's version stages, in the order in which keys are tried.
CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
STAGES = (CURRENT, PREVIOUS)


class CustomerSessions(Protocol):
    """Sessions in customers' accounts."""

    @property
    def platform_id(self) -> str:
        """Return the id of the platform's account."""

    def enter(self, account: Account, external_id: str | None) -> str | None:
        """Assume the account's role with `external_id`, or without one.

        Return the id of the account to which the role belongs; None when AWS denies it. Raises
        TransientError.
        """

    def accepts_session_tags(self, account: Account) -> bool:
        """Return whether the role accepts session tags and a source identity."""

    def trust_policy(self, account: Account) -> Mapping[str, Any]:
        """Return the role's trust policy, read with the role itself. Raises PermissionDenied."""

    def enter_by_key(self, account: Account) -> Identity:
        """Create a session with the account's stored access key and return its identity.

        Raises ConnectionRefused.
        """


class AccessKeyStore(Protocol):
    """Store of access keys, with the current and the previous key of each account."""

    def put(self, account_id: str, key: AccessKey) -> None:
        """Store `key` as the account's current key; the current one becomes the previous one."""

    def read(self, account_id: str, stage: str) -> AccessKey | None:
        """Return the account's key of a stage, CURRENT or PREVIOUS; None when there is none."""

    def forget(self, account_id: str) -> None:
        """Delete every key of the account permanently. Does nothing when there is none."""


@dataclass(frozen=True)
class ExcessPermissions:
    """Permissions of a key beyond its purpose."""

    # IAM actions, in alphabetical order.
    actions: tuple[str, ...]
    # True if IAM evaluated all policies; False if only a few calls were tried.
    complete: bool


class AccessKeyInspector(Protocol):
    """Inspection of an access key with calls of the key itself."""

    def identity(self, key: AccessKey) -> Identity:
        """Return the owner of the key. Raises ConnectionRefused when AWS refuses it."""

    def created_at(self, key: AccessKey) -> datetime | None:
        """Return when the key was created; None if the key may not query that."""

    def excess(self, key: AccessKey, identity: Identity) -> ExcessPermissions:
        """Return the permissions of the key beyond its purpose."""

    def customer(self, account: Account, key: AccessKey) -> "Customer":
        """Return the customer's account, entered with this key. Raises ConnectionRefused."""


@dataclass(frozen=True)
class ProbeResult:
    """The result of one call in the customer's account."""

    # PASSED, DENIED, or NOT_AVAILABLE if the permission could not be tried.
    status: CheckStatus
    # Why the call did not pass, for a person; empty if it passed.
    reason: str
    # The type of policy that denied (`denials.DeniedBy`); empty if AWS does not name it.
    denied_by: str = ""


class Customer(Protocol):
    """A customer's account, with a session in it."""

    def probe(self, action: str, account: Account, now: datetime) -> ProbeResult:
        """Make a real call that needs the IAM action `action` and return its result.

        Raises TransientError, and Defect when there is no probe for `action`.
        """

    def organization_accounts(self, account: Account) -> Sequence[OrganizationAccount]:
        """Return every account of the organization that `account` manages; none if it manages none.

        Raises PermissionDenied and TransientError.
        """


# Returns the customer's account, entered with the pending connection.
EnterCustomer = Callable[[Account], Customer]

"""What proving a connection needs from outside."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from cloudspend.access.keys import AccessKey, Identity
from cloudspend.accounts.members import OrganizationAccount
from cloudspend.accounts.model import Account, CheckStatus

# Secrets Manager's names for the versions of a secret; the order in which keys are tried.
CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
STAGES = (CURRENT, PREVIOUS)


class CustomerSessions(Protocol):
    """The way into a customer's account."""

    @property
    def platform_id(self) -> str:
        """The platform's own account."""

    def enter(self, account: Account, external_id: str | None) -> str | None:
        """Assume the account's role with `external_id`, or with none.

        Returns the id of the account one is in then; None when the role refuses. Raises
        TransientError.
        """

    def takes_marks(self, account: Account) -> bool:
        """Whether the role lets its sessions bear tags and a source identity."""

    def trust_policy(self, account: Account) -> Mapping[str, Any]:
        """The role's trust policy, read with the role itself. Raises PermissionDenied."""

    def enter_by_key(self, account: Account) -> Identity:
        """Get a session with the stored access key; returns whose it is. Raises
        ConnectionRefused."""


class AccessKeyStore(Protocol):
    """Where access keys are, and nowhere else."""

    def put(self, account_id: str, key: AccessKey) -> None:
        """Keep `key` as the account's current one; the one it had becomes the previous."""

    def read(self, account_id: str, stage: str) -> AccessKey | None:
        """The account's key of that stage, CURRENT or PREVIOUS; None when there is none."""

    def forget(self, account_id: str) -> None:
        """Delete every key of the account, beyond recovery; nothing when there is none."""


@dataclass(frozen=True)
class ExcessPermissions:
    """What a key may do that it should not. `whole`: IAM itself was asked; otherwise only what a
    few calls showed."""

    actions: tuple[str, ...]
    whole: bool


class AccessKeyInspector(Protocol):
    """Looks at an access key that somebody hands over."""

    def identity(self, key: AccessKey) -> Identity:
        """Whose key it is. Raises ConnectionRefused when AWS does not take it."""

    def made_at(self, key: AccessKey) -> datetime | None:
        """When the key was made; None where it may not ask that of itself."""

    def excess(self, key: AccessKey, identity: Identity) -> ExcessPermissions:
        """What the key may do beyond its purpose."""

    def customer(self, account: Account, key: AccessKey) -> "Customer":
        """The customer's account, entered with this key. Raises ConnectionRefused."""


@dataclass(frozen=True)
class ProbeResult:
    """What one call in the customer's account came to; `reason` is for a person, `denied_by` the
    kind of policy that refused it, where AWS says so."""

    status: CheckStatus
    reason: str
    denied_by: str = ""


class Customer(Protocol):
    """The customer's account, entered."""

    def probe(self, action: str, account: Account, now: datetime) -> ProbeResult:
        """Make a real call that needs `action` (as IAM names it) and say what came of it.

        Raises TransientError, and Defect when it knows no call for `action`.
        """

    def organization_accounts(self, account: Account) -> Sequence[OrganizationAccount]:
        """Every account of the organization that `account` manages; none where it manages none.
        Raises PermissionDenied and TransientError."""


EnterCustomer = Callable[[Account], Customer]

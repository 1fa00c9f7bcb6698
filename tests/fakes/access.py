"""Fakes of the access room: a customer's role, its permissions, and access keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cloudspend.access.keys import AccessKey, Identity
from cloudspend.access.ports import CURRENT, PREVIOUS, ExcessPermissions, ProbeResult
from cloudspend.accounts.members import OrganizationAccount
from cloudspend.accounts.model import Account, CheckStatus
from cloudspend.errors import ConnectionRefused, PermissionDenied

PLATFORM = "000000000000"


def a_trust_policy(**changes: Any) -> dict[str, Any]:
    """Return the trust policy of the template's role, for the external id of `an_account`.

    `changes` replace elements of the statement that allows sts:AssumeRole.
    """
    platform = {"AWS": f"arn:aws:iam::{PLATFORM}:root"}
    assume = {
        "Effect": "Allow",
        "Principal": platform,
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "external-id-of-the-account"}},
    }
    tag = {
        "Effect": "Allow",
        "Principal": platform,
        "Action": ["sts:SetSourceIdentity", "sts:TagSession"],
    }
    return {"Version": "2012-10-17", "Statement": [assume | changes, tag]}


@dataclass
class FakeCustomerSessions:
    """`CustomerSessions`. The role requires its external id, unless a field makes it faulty."""

    # The account to which the role belongs.
    leads_into: str = "111111111111"
    exists: bool = True
    opens_to_any_id: bool = False
    opens_without_id: bool = False
    session_tags: bool = True
    # The trust policy; None if the role may not read it.
    policy: Mapping[str, Any] | None = field(default_factory=a_trust_policy)
    key_works: bool = True
    platform_id: str = PLATFORM
    # External ids with which the role was assumed, in order.
    tried: list[str | None] = field(default_factory=list)

    def accepts_session_tags(self, account: Account) -> bool:
        return self.session_tags

    def trust_policy(self, account: Account) -> Mapping[str, Any]:
        if self.policy is None:
            raise PermissionDenied("Not allowed: iam:GetRole.", check="iam:GetRole")
        return self.policy

    def enter_by_key(self, account: Account) -> Identity:
        if not self.key_works:
            raise ConnectionRefused("AWS does not accept the key.", remedy="Provide another.")
        return Identity(self.leads_into, f"arn:aws:sts::{self.leads_into}:federated-user/x")

    def enter(self, account: Account, external_id: str | None) -> str | None:
        self.tried.append(external_id)
        if external_id is None:
            opens = self.opens_without_id
        else:
            opens = self.opens_to_any_id or external_id == account.external_id
        return self.leads_into if opens and self.exists else None


@dataclass
class FakeCustomer:
    """`Customer` whose permissions are granted, except where `results` has another result."""

    results: dict[str, ProbeResult] = field(default_factory=dict)
    probed: list[tuple[str, str, datetime]] = field(default_factory=list)
    listed: Sequence[OrganizationAccount] = ()

    def probe(self, action: str, account: Account, now: datetime) -> ProbeResult:
        self.probed.append((action, account.account_id, now))
        return self.results.get(action, ProbeResult(CheckStatus.PASSED, ""))

    def organization_accounts(self, account: Account) -> Sequence[OrganizationAccount]:
        return self.listed


def denied(*actions: str) -> FakeCustomer:
    """Return a customer whose role lacks `actions`."""
    return FakeCustomer(
        {action: ProbeResult(CheckStatus.DENIED, f"Not allowed: {action}.") for action in actions}
    )


class FakeKeyStore:
    """`AccessKeyStore` in a dictionary: the keys of each account, the newest first."""

    def __init__(self) -> None:
        self.kept: dict[str, list[AccessKey]] = {}

    def put(self, account_id: str, key: AccessKey) -> None:
        self.kept.setdefault(account_id, []).insert(0, key)

    def read(self, account_id: str, stage: str) -> AccessKey | None:
        keys = self.kept.get(account_id, [])
        position = (CURRENT, PREVIOUS).index(stage)
        return keys[position] if position < len(keys) else None

    def forget(self, account_id: str) -> None:
        self.kept.pop(account_id, None)


@dataclass
class FakeKeyInspector:
    """`AccessKeyInspector` that finds the same for every key."""

    account_id: str = "111111111111"
    # The last part of the owner's ARN.
    owner: str = "user/cloudspend"
    created: datetime | None = None
    beyond: ExcessPermissions = field(default_factory=lambda: ExcessPermissions((), complete=True))
    inside: FakeCustomer = field(default_factory=FakeCustomer)
    known: bool = True

    def identity(self, key: AccessKey) -> Identity:
        if not self.known:
            raise ConnectionRefused("AWS does not accept the key.", remedy="Provide another.")
        return Identity(self.account_id, f"arn:aws:iam::{self.account_id}:{self.owner}")

    def created_at(self, key: AccessKey) -> datetime | None:
        return self.created

    def excess(self, key: AccessKey, identity: Identity) -> ExcessPermissions:
        return self.beyond

    def customer(self, account: Account, key: AccessKey) -> FakeCustomer:
        return self.inside

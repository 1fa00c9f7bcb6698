"""A customer's account: a role that opens to some, keys, and permissions that are there or not."""

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
    """What the template's role trusts, for the external id of `an_account`."""
    platform = {"AWS": f"arn:aws:iam::{PLATFORM}:root"}
    opens = {
        "Effect": "Allow",
        "Principal": platform,
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "external-id-of-the-account"}},
    }
    marks = {
        "Effect": "Allow",
        "Principal": platform,
        "Action": ["sts:SetSourceIdentity", "sts:TagSession"],
    }
    return {"Version": "2012-10-17", "Statement": [opens | changes, marks]}


@dataclass
class FakeDoor:
    """`Door`. The role asks for its external id, unless it is one of the badly made kinds."""

    leads_into: str = "111111111111"
    exists: bool = True
    opens_to_any_id: bool = False
    opens_without_id: bool = False
    marks: bool = True
    policy: Mapping[str, Any] | None = field(default_factory=a_trust_policy)
    key_works: bool = True
    platform_id: str = PLATFORM
    tried: list[str | None] = field(default_factory=list)

    def accepts_session_tags(self, account: Account) -> bool:
        return self.marks

    def trust_policy(self, account: Account) -> Mapping[str, Any]:
        if self.policy is None:
            raise PermissionDenied("Not allowed: iam:GetRole.", check="iam:GetRole")
        return self.policy

    def enter_by_key(self, account: Account) -> Identity:
        if not self.key_works:
            raise ConnectionRefused("AWS does not take the key.", remedy="Give another.")
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
    """`Customer` that finds everything granted but what is named otherwise."""

    findings: dict[str, ProbeResult] = field(default_factory=dict)
    probed: list[tuple[str, str, datetime]] = field(default_factory=list)
    listed: Sequence[OrganizationAccount] = ()

    def probe(self, action: str, account: Account, now: datetime) -> ProbeResult:
        self.probed.append((action, account.account_id, now))
        return self.findings.get(action, ProbeResult(CheckStatus.PASSED, ""))

    def organization_accounts(self, account: Account) -> Sequence[OrganizationAccount]:
        return self.listed


def denied(*actions: str) -> FakeCustomer:
    """A customer whose role lacks `actions`."""
    return FakeCustomer(
        {action: ProbeResult(CheckStatus.DENIED, f"Not allowed: {action}.") for action in actions}
    )


class FakeVault:
    """`Vault` in a dictionary: an account's keys, the newest first."""

    def __init__(self) -> None:
        self.kept: dict[str, list[AccessKey]] = {}

    def put(self, account_id: str, key: AccessKey) -> None:
        self.kept.setdefault(account_id, []).insert(0, key)

    def read(self, account_id: str, stage: str) -> AccessKey | None:
        keys = self.kept.get(account_id, [])
        place = (CURRENT, PREVIOUS).index(stage)
        return keys[place] if place < len(keys) else None

    def forget(self, account_id: str) -> None:
        self.kept.pop(account_id, None)


@dataclass
class FakeGate:
    """`KeyGate`: what a key turns out to be."""

    account_id: str = "111111111111"
    who: str = "user/cloudspend"
    made: datetime | None = None
    beyond: ExcessPermissions = field(default_factory=lambda: ExcessPermissions((), complete=True))
    inside: FakeCustomer = field(default_factory=FakeCustomer)
    known: bool = True

    def identity(self, key: AccessKey) -> Identity:
        if not self.known:
            raise ConnectionRefused("AWS does not take the key.", remedy="Give another.")
        return Identity(self.account_id, f"arn:aws:iam::{self.account_id}:{self.who}")

    def created_at(self, key: AccessKey) -> datetime | None:
        return self.made

    def excess(self, key: AccessKey, identity: Identity) -> ExcessPermissions:
        return self.beyond

    def customer(self, account: Account, key: AccessKey) -> FakeCustomer:
        return self.inside

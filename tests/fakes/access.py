"""A customer's account: a role that opens to some, and permissions that are there or not."""

from dataclasses import dataclass, field
from datetime import datetime

from cloudspend.access.ports import Finding
from cloudspend.accounts.model import Account, CheckStatus


@dataclass
class FakeDoor:
    """`Door`. The role asks for its external id, unless it is one of the badly made kinds."""

    leads_into: str = "111111111111"
    exists: bool = True
    opens_to_any_id: bool = False
    opens_without_id: bool = False
    tried: list[str | None] = field(default_factory=list)

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

    findings: dict[str, Finding] = field(default_factory=dict)
    probed: list[tuple[str, str, datetime]] = field(default_factory=list)

    def probe(self, action: str, account: Account, now: datetime) -> Finding:
        self.probed.append((action, account.account_id, now))
        return self.findings.get(action, Finding(CheckStatus.PASSED, ""))


def denied(*actions: str) -> FakeCustomer:
    """A customer whose role lacks `actions`."""
    return FakeCustomer(
        {action: Finding(CheckStatus.DENIED, f"Not allowed: {action}.") for action in actions}
    )

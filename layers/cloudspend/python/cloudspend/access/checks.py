"""The permissions that CloudSpend needs, each with what the customer does when it is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cloudspend.access.ports import Customer
from cloudspend.access.verify import UPDATE_STACK
from cloudspend.accounts.model import (
    DATA_EXPORTS,
    Account,
    AccountType,
    Check,
    CheckStatus,
    ExportKind,
)
from cloudspend.errors import PermissionDenied

EVERY_TYPE = frozenset(AccountType)
ORGANIZATION = frozenset({AccountType.ORGANIZATION})
EVERY_KIND = frozenset(ExportKind)
LEGACY = EVERY_KIND - DATA_EXPORTS

_GRANT = (
    f"{UPDATE_STACK} If it is unchanged, ask who manages the account's service control policies"
)
_COST_EXPLORER = (
    f"{_GRANT}, and see that Cost Explorer is enabled: in this account (Billing, Cost Explorer), "
    "and for linked accounts in the management account's preferences."
)


@dataclass(frozen=True)
class PermissionCheck:
    """One action of the customer's role, needed for accounts of `types` with an export of `kinds`.
    `remedy` speaks to the customer."""

    action: str
    remedy: str
    types: frozenset[AccountType] = EVERY_TYPE
    kinds: frozenset[ExportKind] = EVERY_KIND

    def needed_for(self, account: Account) -> bool:
        """Whether the account's role must have it."""
        return account.type in self.types and account.export.kind in self.kinds


PERMISSIONS: Sequence[PermissionCheck] = (
    PermissionCheck("s3:GetBucketLocation", f"{_GRANT} and the export bucket's policy."),
    PermissionCheck("s3:ListBucket", f"{_GRANT} and the export bucket's policy."),
    PermissionCheck(
        "s3:GetObject", f"{_GRANT}, the export bucket's policy and, if it has one, its KMS key's."
    ),
    PermissionCheck("cur:DescribeReportDefinitions", f"{_GRANT}.", kinds=LEGACY),
    PermissionCheck("bcm-data-exports:ListExports", f"{_GRANT}.", kinds=DATA_EXPORTS),
    PermissionCheck(
        "bcm-data-exports:GetExport",
        f"{_GRANT}. The role may look at the export that the stack created and at no other, so the "
        "stack's parameter ExportName must be the export's name.",
        kinds=DATA_EXPORTS,
    ),
    PermissionCheck("ce:GetDimensionValues", _COST_EXPLORER),
    PermissionCheck("ce:GetCostAndUsage", _COST_EXPLORER),
    PermissionCheck("organizations:DescribeOrganization", f"{_GRANT}.", ORGANIZATION),
    PermissionCheck(
        "organizations:ListAccounts",
        "Only an organization's management account may list its accounts: invite that account, "
        f"or invite this one as LINKED. Otherwise: {_GRANT}.",
        ORGANIZATION,
    ),
)


def run_checks(account: Account, customer: Customer, now: datetime) -> list[Check]:
    """Try every permission that the account's type and export need; the check bears the action's
    name."""
    return [
        _run(permission, account, customer, now)
        for permission in PERMISSIONS
        if permission.needed_for(account)
    ]


def require_granted(checks: Sequence[Check]) -> None:
    """Raises PermissionDenied that names every refused action, with the first one's remedy."""
    denied = [check for check in checks if check.status is CheckStatus.DENIED]
    if denied:
        reasons = " ".join(f"{check.action} is refused: {check.reason}" for check in denied)
        actions = ", ".join(check.action for check in denied)
        raise PermissionDenied(reasons, remedy=denied[0].remedy, check=actions)


def _run(permission: PermissionCheck, account: Account, customer: Customer, now: datetime) -> Check:
    finding = customer.probe(permission.action, account, now)
    remedy = permission.remedy if finding.status is CheckStatus.DENIED else ""
    return Check(permission.action, permission.action, finding.status, finding.reason, remedy, now)

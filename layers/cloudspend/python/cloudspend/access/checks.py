"""The permissions that CloudSpend needs, each with what the customer does when it is refused.

Those that only Collect uses are optional: without one of them an account is onboarded all the same,
and what it would have read is missing, with that reason (decision 95).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cloudspend.access.ports import Customer
from cloudspend.access.verify import UPDATE_STACK
from cloudspend.accounts.model import (
    Account,
    AccountType,
    Check,
    CheckStatus,
    ConnectionKind,
)
from cloudspend.errors import PermissionDenied

EVERY_TYPE = frozenset(AccountType)
ORGANIZATION = frozenset({AccountType.ORGANIZATION})
EITHER_WAY = frozenset(ConnectionKind)
BY_ROLE = frozenset({ConnectionKind.IAM_ROLE})

ALLOW_USER = (
    "Allow it in the policy of the user whose key it is (cloudspend accounts key-policy prints it)."
)

_GRANT = (
    f"{UPDATE_STACK} If it is unchanged, ask who manages the account's service control policies"
)
_COST_EXPLORER = (
    f"{_GRANT}, and see that Cost Explorer is enabled: in this account (Billing, Cost Explorer), "
    "and for linked accounts in the management account's preferences."
)


@dataclass(frozen=True)
class PermissionCheck:
    """One action of the customer's role or key, needed for accounts of `types` connected by `ways`;
    if `encrypted`, only where the bill is encrypted with a key of the customer's. `remedy` speaks
    to the customer. An `optional` one keeps no account from being onboarded."""

    action: str
    remedy: str
    types: frozenset[AccountType] = EVERY_TYPE
    encrypted: bool = False
    optional: bool = False
    ways: frozenset[ConnectionKind] = EITHER_WAY

    def needed_for(self, account: Account) -> bool:
        """Whether the account's role or key must have it."""
        return (
            account.type in self.types
            and account.offered in self.ways
            and (not self.encrypted or bool(account.kms_key_arn))
        )

    def remedy_for(self, account: Account) -> str:
        """The remedy, by the connection: who has no stack cannot update it."""
        if account.offered is ConnectionKind.IAM_ROLE:
            return self.remedy
        return self.remedy.replace(UPDATE_STACK, ALLOW_USER)


def _collected(
    action: str, what: str, remedy: str = _GRANT, types: frozenset[AccountType] = EVERY_TYPE
) -> PermissionCheck:
    """A permission that only Collect uses, for `what`."""
    told = f"Without it {what} are not collected; everything else is. {remedy.rstrip('.')}."
    return PermissionCheck(action, told, types, optional=True)


PERMISSIONS: Sequence[PermissionCheck] = (
    # The role shows by whom it may be used (`cloudspend.access.trust`).
    PermissionCheck("iam:GetRole", f"{_GRANT}.", ways=BY_ROLE),
    PermissionCheck("s3:ListBucket", f"{_GRANT} and the export bucket's policy."),
    PermissionCheck(
        "s3:GetObject", f"{_GRANT}, the export bucket's policy and, if it has one, its KMS key's."
    ),
    PermissionCheck("cur:DescribeReportDefinitions", f"{_GRANT}."),
    PermissionCheck("bcm-data-exports:ListExports", f"{_GRANT}."),
    PermissionCheck("bcm-data-exports:GetExport", f"{_GRANT}."),
    PermissionCheck("bcm-data-exports:ListExecutions", f"{_GRANT}."),
    PermissionCheck("bcm-data-exports:GetExecution", f"{_GRANT}."),
    PermissionCheck("ce:GetDimensionValues", _COST_EXPLORER),
    PermissionCheck("ce:GetCostAndUsage", _COST_EXPLORER),
    PermissionCheck("organizations:DescribeOrganization", f"{_GRANT}.", ORGANIZATION),
    PermissionCheck(
        "organizations:ListAccounts",
        "Only an organization's management account may list its accounts: invite that account, "
        f"or invite this one as LINKED. Otherwise: {_GRANT}.",
        ORGANIZATION,
    ),
    _collected("ce:GetTags", "the keys of cost allocation tags", _COST_EXPLORER),
    _collected("ce:ListCostCategoryDefinitions", "cost categories", _COST_EXPLORER),
    _collected("ce:DescribeCostCategoryDefinition", "cost categories", _COST_EXPLORER),
    _collected("ce:GetReservationCoverage", "figures of reservation coverage", _COST_EXPLORER),
    _collected(
        "ce:GetReservationUtilization", "figures of reservation utilization", _COST_EXPLORER
    ),
    _collected(
        "ce:GetReservationPurchaseRecommendation", "reservation recommendations", _COST_EXPLORER
    ),
    _collected(
        "ce:GetSavingsPlansUtilization", "figures of Savings Plans utilization", _COST_EXPLORER
    ),
    _collected("ce:GetSavingsPlansCoverage", "figures of Savings Plans coverage", _COST_EXPLORER),
    _collected("budgets:ViewBudget", "budgets"),
    _collected("invoicing:ListInvoiceSummaries", "invoices"),
    _collected("organizations:ListRoots", "the organization's units", types=ORGANIZATION),
    _collected(
        "organizations:ListOrganizationalUnitsForParent",
        "the organization's units",
        types=ORGANIZATION,
    ),
    _collected(
        "organizations:ListAccountsForParent", "the organization's units", types=ORGANIZATION
    ),
    _collected("organizations:ListTagsForResource", "the tags of accounts", types=ORGANIZATION),
    PermissionCheck(
        "kms:Decrypt",
        f"{_GRANT}, and that the key's own policy lets the account's roles use it (or this role).",
        encrypted=True,
    ),
)
OPTIONAL = frozenset(permission.action for permission in PERMISSIONS if permission.optional)


def run_checks(account: Account, customer: Customer, now: datetime) -> list[Check]:
    """Try every permission that the account's type and export need; the check bears the action's
    name."""
    return [
        _run(permission, account, customer, now)
        for permission in PERMISSIONS
        if permission.needed_for(account)
    ]


def denied_and_needed(checks: Sequence[Check]) -> list[Check]:
    """The denied ones of `checks` that an account cannot be without."""
    return [
        check
        for check in checks
        if check.status is CheckStatus.DENIED and check.name not in OPTIONAL
    ]


def require_granted(checks: Sequence[Check]) -> None:
    """Raises PermissionDenied that names every refused action that is not optional, with the first
    one's remedy."""
    denied = denied_and_needed(checks)
    if denied:
        reasons = " ".join(f"{check.action} is refused: {check.reason}" for check in denied)
        actions = ", ".join(check.action for check in denied)
        raise PermissionDenied(reasons, remedy=denied[0].remedy, check=actions)


def _run(permission: PermissionCheck, account: Account, customer: Customer, now: datetime) -> Check:
    finding = customer.probe(permission.action, account, now)
    remedy = permission.remedy_for(account) if finding.status is CheckStatus.DENIED else ""
    return Check(
        permission.action,
        permission.action,
        finding.status,
        finding.reason,
        remedy,
        now,
        finding.denied_by,
    )

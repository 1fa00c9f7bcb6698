"""The permissions that CloudSpend needs, each with the customer's remedy when it is denied.

Permissions that only Collect uses are optional: an account is onboarded without them, and the
missing data is reported with that reason (docs/decisions/0095).
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
    """A permission that accounts of `types`, connected by `ways`, need.

    `encrypted` limits the check to bills that are encrypted with a customer's KMS key. `remedy`
    addresses the customer. A denied `optional` permission does not stop onboarding.
    """

    action: str
    remedy: str
    types: frozenset[AccountType] = EVERY_TYPE
    encrypted: bool = False
    optional: bool = False
    ways: frozenset[ConnectionKind] = EITHER_WAY

    def needed_for(self, account: Account) -> bool:
        """Return whether the account's role or key must have the permission."""
        return (
            account.type in self.types
            and account.pending_connection in self.ways
            and (not self.encrypted or bool(account.kms_key_arn))
        )

    def remedy_for(self, account: Account) -> str:
        """Return the remedy for the account's connection: an account without a stack cannot update
        it.
        """
        if account.pending_connection is ConnectionKind.IAM_ROLE:
            return self.remedy
        return self.remedy.replace(UPDATE_STACK, ALLOW_USER)


def _collected(
    action: str, what: str, remedy: str = _GRANT, types: frozenset[AccountType] = EVERY_TYPE
) -> PermissionCheck:
    """Return a permission that only Collect uses, to read `what`."""
    consequence = f"Without it {what} are not collected; everything else is. {remedy.rstrip('.')}."
    return PermissionCheck(action, consequence, types, optional=True)


PERMISSIONS: Sequence[PermissionCheck] = (
    # The role must show whom it trusts (`cloudspend.access.trust`).
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
    """Try every permission that the account needs. A check is named after its action."""
    return [
        _run(permission, account, customer, now)
        for permission in PERMISSIONS
        if permission.needed_for(account)
    ]


def denied_and_needed(checks: Sequence[Check]) -> list[Check]:
    """Return the denied checks that an account cannot do without."""
    return [
        check
        for check in checks
        if check.status is CheckStatus.DENIED and check.name not in OPTIONAL
    ]


def require_granted(checks: Sequence[Check]) -> None:
    """Raise PermissionDenied if a required permission is denied.

    The error names every such action and has the remedy of the first one.
    """
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

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

ANY_TYPE = frozenset(AccountType)
ORGANIZATION = frozenset({AccountType.ORGANIZATION})
ANY_CONNECTION = frozenset(ConnectionKind)
ROLE_ONLY = frozenset({ConnectionKind.IAM_ROLE})

# In place of UPDATE_STACK, for accounts without a stack.
ALLOW_USER = (
    "Allow it in the policy of the key's user (cloudspend accounts key-policy prints the policy)."
)

_GRANT = (
    f"{UPDATE_STACK} If it is unchanged, ask the person who manages the account's service control "
    "policies"
)
_COST_EXPLORER = (
    f"{_GRANT}, and check that Cost Explorer is enabled: in this account (Billing, Cost Explorer), "
    "and for linked accounts in the management account's preferences."
)


@dataclass(frozen=True)
class PermissionCheck:
    """A permission of the customer's role or key, and the accounts that need it."""

    # The IAM action, for example `s3:GetObject`; also the name of the check.
    action: str
    # What the customer can do when it is denied.
    remedy: str
    # Types of accounts that need the permission.
    types: frozenset[AccountType] = ANY_TYPE
    # True for bills that are encrypted with a customer's KMS key only.
    encrypted: bool = False
    # True if an account is onboarded without the permission.
    optional: bool = False
    # Kinds of connections that need the permission.
    connections: frozenset[ConnectionKind] = ANY_CONNECTION

    def needed_for(self, account: Account) -> bool:
        """Return whether the account's pending connection must have the permission."""
        return (
            account.type in self.types
            and account.pending_connection in self.connections
            and (not self.encrypted or bool(account.kms_key_arn))
        )

    def remedy_for(self, account: Account) -> str:
        """Return the remedy for the account's pending connection.

        An account that is connected by a key has no stack to update.
        """
        if account.pending_connection is ConnectionKind.IAM_ROLE:
            return self.remedy
        return self.remedy.replace(UPDATE_STACK, ALLOW_USER)


def _optional(
    action: str, data: str, remedy: str = _GRANT, types: frozenset[AccountType] = ANY_TYPE
) -> PermissionCheck:
    """Return a permission that only Collect uses, to read `data`."""
    consequence = f"Without it, {data} are not collected; everything else is."
    return PermissionCheck(action, f"{consequence} {remedy.rstrip('.')}.", types, optional=True)


PERMISSIONS: Sequence[PermissionCheck] = (
    # The role must show which principals it trusts (`cloudspend.access.trust`).
    PermissionCheck("iam:GetRole", f"{_GRANT}.", connections=ROLE_ONLY),
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
    _optional("ce:GetTags", "the keys of cost allocation tags", _COST_EXPLORER),
    _optional("ce:ListCostCategoryDefinitions", "cost categories", _COST_EXPLORER),
    _optional("ce:DescribeCostCategoryDefinition", "cost categories", _COST_EXPLORER),
    _optional("ce:GetReservationCoverage", "figures of reservation coverage", _COST_EXPLORER),
    _optional("ce:GetReservationUtilization", "figures of reservation utilization", _COST_EXPLORER),
    _optional(
        "ce:GetReservationPurchaseRecommendation", "reservation recommendations", _COST_EXPLORER
    ),
    _optional(
        "ce:GetSavingsPlansUtilization", "figures of Savings Plans utilization", _COST_EXPLORER
    ),
    _optional("ce:GetSavingsPlansCoverage", "figures of Savings Plans coverage", _COST_EXPLORER),
    _optional("budgets:ViewBudget", "budgets"),
    _optional("invoicing:ListInvoiceSummaries", "invoices"),
    _optional("organizations:ListRoots", "the organization's units", types=ORGANIZATION),
    _optional(
        "organizations:ListOrganizationalUnitsForParent",
        "the organization's units",
        types=ORGANIZATION,
    ),
    _optional(
        "organizations:ListAccountsForParent", "the organization's units", types=ORGANIZATION
    ),
    _optional("organizations:ListTagsForResource", "the tags of accounts", types=ORGANIZATION),
    PermissionCheck(
        "kms:Decrypt",
        f"{_GRANT}, and check that the key's own policy allows this role, or IAM policies of the "
        "account, to use the key.",
        encrypted=True,
    ),
)
OPTIONAL = frozenset(permission.action for permission in PERMISSIONS if permission.optional)


def run_checks(account: Account, customer: Customer, now: datetime) -> list[Check]:
    """Try every permission that the account needs, and return a check for each.

    A check is named after its action. Raises TransientError.
    """
    return [
        _run(permission, account, customer, now)
        for permission in PERMISSIONS
        if permission.needed_for(account)
    ]


def denied_and_needed(checks: Sequence[Check]) -> list[Check]:
    """Return the denied checks without which an account is not onboarded."""
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
    result = customer.probe(permission.action, account, now)
    remedy = permission.remedy_for(account) if result.status is CheckStatus.DENIED else ""
    return Check(
        permission.action,
        permission.action,
        result.status,
        result.reason,
        remedy,
        now,
        result.denied_by,
    )

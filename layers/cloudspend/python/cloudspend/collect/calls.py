"""The operations of AWS that Collect calls, and their paging."""

from dataclasses import dataclass
from decimal import Decimal

# AWS Cost Management pricing: each request of the Cost Explorer API, and each page is a request.
PAGE_PRICE = Decimal("0.01")
PRICED_SERVICE = "ce"


@dataclass(frozen=True)
class Call:
    """An operation of an AWS service.

    `action` is its IAM action. `token` is the member with the next page's token in answer and
    request; None for a single page.
    """

    service: str
    operation: str
    action: str
    token: str | None

    @property
    def priced(self) -> bool:
        """Return whether AWS bills each page."""
        return self.service == PRICED_SERVICE


COST_AND_USAGE = Call("ce", "get_cost_and_usage", "ce:GetCostAndUsage", "NextPageToken")
DIMENSION_VALUES = Call("ce", "get_dimension_values", "ce:GetDimensionValues", "NextPageToken")
TAGS = Call("ce", "get_tags", "ce:GetTags", "NextPageToken")
COST_CATEGORIES = Call(
    "ce", "list_cost_category_definitions", "ce:ListCostCategoryDefinitions", "NextToken"
)
COST_CATEGORY = Call(
    "ce", "describe_cost_category_definition", "ce:DescribeCostCategoryDefinition", None
)
RESERVATION_COVERAGE = Call(
    "ce", "get_reservation_coverage", "ce:GetReservationCoverage", "NextPageToken"
)
RESERVATION_UTILIZATION = Call(
    "ce", "get_reservation_utilization", "ce:GetReservationUtilization", "NextPageToken"
)
RESERVATION_RECOMMENDATION = Call(
    "ce",
    "get_reservation_purchase_recommendation",
    "ce:GetReservationPurchaseRecommendation",
    "NextPageToken",
)
SAVINGS_PLANS_UTILIZATION = Call(
    "ce", "get_savings_plans_utilization", "ce:GetSavingsPlansUtilization", None
)
SAVINGS_PLANS_COVERAGE = Call(
    "ce", "get_savings_plans_coverage", "ce:GetSavingsPlansCoverage", "NextToken"
)
BUDGETS = Call("budgets", "describe_budgets", "budgets:ViewBudget", "NextToken")
BUDGET_NOTIFICATIONS = Call(
    "budgets", "describe_budget_notifications_for_account", "budgets:ViewBudget", "NextToken"
)
INVOICE_SUMMARIES = Call(
    "invoicing", "list_invoice_summaries", "invoicing:ListInvoiceSummaries", "NextToken"
)
OWN_ORGANIZATION = Call(
    "organizations", "describe_organization", "organizations:DescribeOrganization", None
)
ACCOUNTS = Call("organizations", "list_accounts", "organizations:ListAccounts", "NextToken")
ROOTS = Call("organizations", "list_roots", "organizations:ListRoots", "NextToken")
UNITS = Call(
    "organizations",
    "list_organizational_units_for_parent",
    "organizations:ListOrganizationalUnitsForParent",
    "NextToken",
)
ACCOUNTS_OF_UNIT = Call(
    "organizations",
    "list_accounts_for_parent",
    "organizations:ListAccountsForParent",
    "NextToken",
)
ACCOUNT_TAGS = Call(
    "organizations", "list_tags_for_resource", "organizations:ListTagsForResource", "NextToken"
)

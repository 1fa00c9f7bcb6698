"""Permission probes: one real call in the customer's account for each permission."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import ClientError

from cloudspend.access.denials import read_denial
from cloudspend.access.ports import ProbeResult
from cloudspend.accounts.members import OrganizationAccount
from cloudspend.accounts.model import Account, CheckStatus
from cloudspend.aws.errors import call, code
from cloudspend.aws.paging import elements
from cloudspend.errors import Defect, PermissionDenied
from cloudspend.settings import BILLING_REGIONS

NOTHING_THERE = frozenset(
    {"DataUnavailableException", "AWSOrganizationsNotInUseException", "NotFoundException"}
)
PASSED = ProbeResult(CheckStatus.PASSED, "")
NO_OBJECT = ProbeResult(
    CheckStatus.NOT_AVAILABLE,
    "There is no delivery in the bucket yet, and S3 answers for an object that is not there as for "
    "one that may not be read. The first delivery will show it.",
)
NOT_LISTED = ProbeResult(
    CheckStatus.NOT_AVAILABLE, "It could not be tried, since the bucket cannot be listed."
)

NOT_AMONG_EXPORTS = ProbeResult(
    CheckStatus.NOT_AVAILABLE, "It could not be tried, since the exports cannot be listed."
)
NO_EXPORT = ProbeResult(
    CheckStatus.NOT_AVAILABLE, "The account has no export of AWS Data Exports to try it with."
)
NO_EXECUTION = ProbeResult(
    CheckStatus.NOT_AVAILABLE, "AWS has not delivered any export of the account yet."
)
NOT_ENCRYPTED_WITH_IT = ProbeResult(
    CheckStatus.NOT_AVAILABLE, "The first file of the export is not encrypted with this key."
)

NO_COST_CATEGORY = ProbeResult(
    CheckStatus.NOT_AVAILABLE, "There is no cost category to be tried with, or none may be listed."
)
NO_ROOT = ProbeResult(
    CheckStatus.NOT_AVAILABLE, "It could not be tried, since the organization's root is not known."
)
# The smallest valid request for recommendations and Savings Plans.
_SOME_SERVICE = "Amazon Elastic Compute Cloud - Compute"


class CustomerProber:
    """`Customer` with a session in the customer's account."""

    def __init__(self, session: boto3.Session, partition: str) -> None:
        self._session = session
        self._billing_region = BILLING_REGIONS[partition]

    def probe(self, action: str, account: Account, now: datetime) -> ProbeResult:
        if action not in PROBES:
            raise Defect(f"No call is known that would try {action}.")
        try:
            return PROBES[action](self, account, now)
        except ClientError as error:
            if code(error) in NOTHING_THERE:
                return ProbeResult(CheckStatus.NOT_AVAILABLE, str(error))
            denial = read_denial(str(error))
            return ProbeResult(CheckStatus.DENIED, f"{denial.sentence} {error}", denial.by)

    def organization_accounts(self, account: Account) -> list[OrganizationAccount]:
        client = self._billing("organizations")
        try:
            described = call(client.describe_organization)["Organization"]
            if described["MasterAccountId"] != account.account_id:
                return []
            accounts = list(elements(client, "list_accounts", "Accounts"))
        except ClientError as error:
            if code(error) in NOTHING_THERE:
                return []
            denial = read_denial(str(error))
            raise PermissionDenied(
                f"{denial.sentence} {error}", check="organizations:ListAccounts"
            ) from error
        return [_organization_account(listed) for listed in accounts]

    def own_role(self, account: Account, _: datetime) -> ProbeResult:
        role = str(account.role_arn).rpartition("/")[2]
        call(self._session.client("iam").get_role, RoleName=role)
        return PASSED

    def bucket_list(self, account: Account, _: datetime) -> ProbeResult:
        self._first_key(account)
        return PASSED

    def object(self, account: Account, _: datetime) -> ProbeResult:
        read = self._read_first(account)
        return read if isinstance(read, ProbeResult) else PASSED

    def report_definitions(self, _: Account, __: datetime) -> ProbeResult:
        call(self._billing("cur").describe_report_definitions)
        return PASSED

    def exports(self, account: Account, _: datetime) -> ProbeResult:
        self._export_arn(account)
        return PASSED

    def export(self, account: Account, _: datetime) -> ProbeResult:
        return self._with_export("get_export", account)

    def executions(self, account: Account, _: datetime) -> ProbeResult:
        return self._with_export("list_executions", account)

    def execution(self, account: Account, _: datetime) -> ProbeResult:
        client = self._billing("bcm-data-exports")
        try:
            arn = self._export_arn(account)
            listed = call(client.list_executions, ExportArn=arn)["Executions"] if arn else []
        except ClientError:
            return NOT_AMONG_EXPORTS
        if not listed:
            return NO_EXECUTION
        call(client.get_execution, ExportArn=arn, ExecutionId=listed[0]["ExecutionId"])
        return PASSED

    def decryption(self, account: Account, _: datetime) -> ProbeResult:
        """Try decryption by reading an object: the key only allows decryption through S3."""
        read = self._read_first(account)
        if isinstance(read, ProbeResult):
            return read
        return PASSED if read["key"] == account.kms_key_arn else NOT_ENCRYPTED_WITH_IT

    def dimension_values(self, _: Account, now: datetime) -> ProbeResult:
        call(
            self._billing("ce").get_dimension_values,
            TimePeriod=_yesterday(now),
            Dimension="RECORD_TYPE",
        )
        return PASSED

    def cost_and_usage(self, _: Account, now: datetime) -> ProbeResult:
        call(
            self._billing("ce").get_cost_and_usage,
            TimePeriod=_yesterday(now),
            Granularity="DAILY",
            Metrics=["UnblendedCost"],
        )
        return PASSED

    def organization(self, _: Account, __: datetime) -> ProbeResult:
        call(self._billing("organizations").describe_organization)
        return PASSED

    def members(self, _: Account, __: datetime) -> ProbeResult:
        call(self._billing("organizations").list_accounts, MaxResults=1)
        return PASSED

    def tag_keys(self, _: Account, now: datetime) -> ProbeResult:
        call(self._billing("ce").get_tags, TimePeriod=_yesterday(now))
        return PASSED

    def cost_categories(self, _: Account, __: datetime) -> ProbeResult:
        call(self._billing("ce").list_cost_category_definitions, MaxResults=1)
        return PASSED

    def cost_category(self, _: Account, __: datetime) -> ProbeResult:
        ce = self._billing("ce")
        try:
            listed = call(ce.list_cost_category_definitions, MaxResults=1)
        except ClientError:
            return NO_COST_CATEGORY
        for found in listed.get("CostCategoryReferences", [])[:1]:
            call(ce.describe_cost_category_definition, CostCategoryArn=found["CostCategoryArn"])
            return PASSED
        return NO_COST_CATEGORY

    def reservation_coverage(self, _: Account, now: datetime) -> ProbeResult:
        call(self._billing("ce").get_reservation_coverage, TimePeriod=_yesterday(now))
        return PASSED

    def reservation_utilization(self, _: Account, now: datetime) -> ProbeResult:
        call(self._billing("ce").get_reservation_utilization, TimePeriod=_yesterday(now))
        return PASSED

    def reservation_recommendation(self, _: Account, __: datetime) -> ProbeResult:
        call(
            self._billing("ce").get_reservation_purchase_recommendation,
            Service=_SOME_SERVICE,
            PageSize=1,
        )
        return PASSED

    def savings_plans_utilization(self, _: Account, now: datetime) -> ProbeResult:
        call(self._billing("ce").get_savings_plans_utilization, TimePeriod=_yesterday(now))
        return PASSED

    def savings_plans_coverage(self, _: Account, now: datetime) -> ProbeResult:
        call(self._billing("ce").get_savings_plans_coverage, TimePeriod=_yesterday(now))
        return PASSED

    def budgets(self, account: Account, _: datetime) -> ProbeResult:
        call(self._billing("budgets").describe_budgets, AccountId=account.account_id, MaxResults=1)
        return PASSED

    def invoices(self, account: Account, now: datetime) -> ProbeResult:
        call(
            self._billing("invoicing").list_invoice_summaries,
            Selector={"ResourceType": "ACCOUNT_ID", "Value": account.account_id},
            Filter={"BillingPeriod": {"Month": now.month, "Year": now.year}},
            MaxResults=1,
        )
        return PASSED

    def roots(self, _: Account, __: datetime) -> ProbeResult:
        call(self._billing("organizations").list_roots)
        return PASSED

    def units(self, _: Account, __: datetime) -> ProbeResult:
        return self._under_root("list_organizational_units_for_parent")

    def members_of_unit(self, _: Account, __: datetime) -> ProbeResult:
        return self._under_root("list_accounts_for_parent")

    def account_tags(self, account: Account, _: datetime) -> ProbeResult:
        call(self._billing("organizations").list_tags_for_resource, ResourceId=account.account_id)
        return PASSED

    def _under_root(self, operation: str) -> ProbeResult:
        organizations = self._billing("organizations")
        try:
            roots = call(organizations.list_roots)["Roots"]
        except ClientError:
            return NO_ROOT
        if not roots:
            return NO_ROOT
        call(getattr(organizations, operation), ParentId=roots[0]["Id"], MaxResults=1)
        return PASSED

    def _with_export(self, operation: str, account: Account) -> ProbeResult:
        try:
            arn = self._export_arn(account)
        except ClientError:
            return NOT_AMONG_EXPORTS
        if arn is None:
            return NO_EXPORT
        call(getattr(self._billing("bcm-data-exports"), operation), ExportArn=arn)
        return PASSED

    def _export_arn(self, account: Account) -> str | None:
        """Return the ARN of the account's export, or of any other export.

        AWS adds a random id to an export's name. A legacy report has no such ARN.
        """
        client = self._billing("bcm-data-exports")
        other: str | None = None
        for export in elements(client, "list_exports", "Exports"):
            if export["ExportName"] == account.export.name:
                return str(export["ExportArn"])
            other = other or str(export["ExportArn"])
        return other

    def _billing(self, service: str) -> Any:
        return self._session.client(service, region_name=self._billing_region)

    def _read_first(self, account: Account) -> dict[str, Any] | ProbeResult:
        """Read the first object of the export and return its encryption."""
        try:
            name = self._first_key(account)
        except ClientError:
            return NOT_LISTED
        if name is None:
            return NO_OBJECT
        s3 = self._session.client("s3")
        # GET instead of HEAD: only the error of GET names the denying policy.
        answer = call(s3.get_object, Bucket=account.export.bucket, Key=name)
        answer["Body"].close()
        return {"key": answer.get("SSEKMSKeyId")}

    def _first_key(self, account: Account) -> str | None:
        export = account.export
        page = call(
            self._session.client("s3").list_objects_v2,
            Bucket=export.bucket,
            Prefix=f"{export.prefix}/",
            MaxKeys=1,
        )
        return next((str(item["Key"]) for item in page.get("Contents", [])), None)


PROBES: dict[str, Callable[[CustomerProber, Account, datetime], ProbeResult]] = {
    "iam:GetRole": CustomerProber.own_role,
    "s3:ListBucket": CustomerProber.bucket_list,
    "s3:GetObject": CustomerProber.object,
    "cur:DescribeReportDefinitions": CustomerProber.report_definitions,
    "bcm-data-exports:ListExports": CustomerProber.exports,
    "bcm-data-exports:GetExport": CustomerProber.export,
    "bcm-data-exports:ListExecutions": CustomerProber.executions,
    "bcm-data-exports:GetExecution": CustomerProber.execution,
    "ce:GetDimensionValues": CustomerProber.dimension_values,
    "ce:GetCostAndUsage": CustomerProber.cost_and_usage,
    "organizations:DescribeOrganization": CustomerProber.organization,
    "organizations:ListAccounts": CustomerProber.members,
    "ce:GetTags": CustomerProber.tag_keys,
    "ce:ListCostCategoryDefinitions": CustomerProber.cost_categories,
    "ce:DescribeCostCategoryDefinition": CustomerProber.cost_category,
    "ce:GetReservationCoverage": CustomerProber.reservation_coverage,
    "ce:GetReservationUtilization": CustomerProber.reservation_utilization,
    "ce:GetReservationPurchaseRecommendation": CustomerProber.reservation_recommendation,
    "ce:GetSavingsPlansUtilization": CustomerProber.savings_plans_utilization,
    "ce:GetSavingsPlansCoverage": CustomerProber.savings_plans_coverage,
    "budgets:ViewBudget": CustomerProber.budgets,
    "invoicing:ListInvoiceSummaries": CustomerProber.invoices,
    "organizations:ListRoots": CustomerProber.roots,
    "organizations:ListOrganizationalUnitsForParent": CustomerProber.units,
    "organizations:ListAccountsForParent": CustomerProber.members_of_unit,
    "organizations:ListTagsForResource": CustomerProber.account_tags,
    "kms:Decrypt": CustomerProber.decryption,
}


def _organization_account(listed: Any) -> OrganizationAccount:
    """Convert an account of AWS Organizations.

    `State` has replaced `Status`. AWS omits the joined time of an account that is being created.
    """
    joined = listed.get("JoinedTimestamp") or datetime.now(UTC)
    return OrganizationAccount(
        listed["Id"],
        listed["Name"],
        listed.get("State") or listed["Status"],
        joined.astimezone(UTC),
    )


def _yesterday(now: datetime) -> dict[str, str]:
    """Return one whole day, the shortest period of Cost Explorer; `End` is exclusive."""
    today = now.date()
    return {"Start": str(today - timedelta(days=1)), "End": str(today)}

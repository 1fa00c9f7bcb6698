"""Permission probes: one real call in the customer's account for each permission."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from mypy_boto3_bcm_data_exports import BillingandCostManagementDataExportsClient
    from mypy_boto3_budgets import BudgetsClient
    from mypy_boto3_ce import CostExplorerClient
    from mypy_boto3_ce.type_defs import DateIntervalTypeDef
    from mypy_boto3_cur import CostandUsageReportServiceClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_invoicing import InvoicingClient
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_organizations.type_defs import AccountTypeDef
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

# Codes with which a service answers a permitted call when the account has no such data.
NO_DATA = frozenset(
    {"DataUnavailableException", "AWSOrganizationsNotInUseException", "NotFoundException"}
)
PASSED = ProbeResult(CheckStatus.PASSED, "")
NO_OBJECT = ProbeResult(
    CheckStatus.NOT_AVAILABLE,
    "There is no delivery in the bucket yet, and S3 gives the same answer for a missing object as "
    "for one that must not be read. The first delivery will show whether reading is allowed.",
)
BUCKET_NOT_LISTED = ProbeResult(
    CheckStatus.NOT_AVAILABLE, "This could not be tried, because the bucket cannot be listed."
)
EXPORTS_NOT_LISTED = ProbeResult(
    CheckStatus.NOT_AVAILABLE, "This could not be tried, because the exports cannot be listed."
)
NO_EXPORT = ProbeResult(
    CheckStatus.NOT_AVAILABLE,
    "This could not be tried, because the account has no export of AWS Data Exports.",
)
NO_EXECUTION = ProbeResult(
    CheckStatus.NOT_AVAILABLE, "AWS has not delivered any export of the account yet."
)
OTHER_KEY = ProbeResult(
    CheckStatus.NOT_AVAILABLE, "The first file of the export is not encrypted with this key."
)
NO_COST_CATEGORY = ProbeResult(
    CheckStatus.NOT_AVAILABLE,
    "This could not be tried, because the account has no cost category, or none may be listed.",
)
NO_ROOT = ProbeResult(
    CheckStatus.NOT_AVAILABLE,
    "This could not be tried, because the organization's root is not known.",
)
# The service of the smallest valid request for reservation recommendations.
_SOME_SERVICE = "Amazon Elastic Compute Cloud - Compute"


class CustomerProber:
    """`Customer` with a session in the customer's account.

    A method for a permission makes the smallest call that needs it, and raises the ClientError of
    a refusal.
    """

    def __init__(self, session: boto3.Session, partition: str) -> None:
        self._session = session
        self._billing_region = BILLING_REGIONS[partition]

    def probe(self, action: str, account: Account, now: datetime) -> ProbeResult:
        if action not in PROBES:
            raise Defect(f"CloudSpend has no probe for the permission {action}.")
        try:
            return PROBES[action](self, account, now)
        except ClientError as error:
            if code(error) in NO_DATA:
                return ProbeResult(CheckStatus.NOT_AVAILABLE, str(error))
            denial = read_denial(str(error))
            return ProbeResult(CheckStatus.DENIED, f"{denial.sentence} {error}", denial.by)

    def organization_accounts(self, account: Account) -> list[OrganizationAccount]:
        try:
            organization = call(self._organizations.describe_organization)["Organization"]
            if organization["MasterAccountId"] != account.account_id:
                return []
            accounts = list(elements(self._organizations, "list_accounts", "Accounts"))
        except ClientError as error:
            if code(error) in NO_DATA:
                return []
            denial = read_denial(str(error))
            raise PermissionDenied(
                f"{denial.sentence} {error}", check="organizations:ListAccounts"
            ) from error
        return list(map(_organization_account, accounts))

    def role(self, account: Account, _: datetime) -> ProbeResult:
        iam: IAMClient = self._session.client("iam")
        call(iam.get_role, RoleName=str(account.role_arn).rpartition("/")[2])
        return PASSED

    def bucket_list(self, account: Account, _: datetime) -> ProbeResult:
        self._first_key(account)
        return PASSED

    def first_object(self, account: Account, _: datetime) -> ProbeResult:
        answer = self._read_first(account)
        return answer if isinstance(answer, ProbeResult) else PASSED

    def decryption(self, account: Account, _: datetime) -> ProbeResult:
        """Try decryption by reading an object: the key only allows decryption through S3."""
        answer = self._read_first(account)
        if isinstance(answer, ProbeResult):
            return answer
        return PASSED if answer.get("SSEKMSKeyId") == account.kms_key_arn else OTHER_KEY

    def report_definitions(self, _: Account, __: datetime) -> ProbeResult:
        cur: CostandUsageReportServiceClient = self._billing("cur")
        call(cur.describe_report_definitions)
        return PASSED

    def exports(self, account: Account, _: datetime) -> ProbeResult:
        self._export_arn(account)
        return PASSED

    def export(self, account: Account, _: datetime) -> ProbeResult:
        return self._with_export(account, lambda arn: call(self._exports.get_export, ExportArn=arn))

    def executions(self, account: Account, _: datetime) -> ProbeResult:
        return self._with_export(
            account, lambda arn: call(self._exports.list_executions, ExportArn=arn)
        )

    def execution(self, account: Account, _: datetime) -> ProbeResult:
        try:
            arn = self._export_arn(account)
            if arn is None:
                return NO_EXECUTION
            executions = call(self._exports.list_executions, ExportArn=arn)["Executions"]
        except ClientError:
            return EXPORTS_NOT_LISTED
        if not executions:
            return NO_EXECUTION
        execution_id = executions[0]["ExecutionId"]
        call(self._exports.get_execution, ExportArn=arn, ExecutionId=execution_id)
        return PASSED

    def dimension_values(self, _: Account, now: datetime) -> ProbeResult:
        call(
            self._cost_explorer.get_dimension_values,
            TimePeriod=_yesterday(now),
            Dimension="RECORD_TYPE",
        )
        return PASSED

    def cost_and_usage(self, _: Account, now: datetime) -> ProbeResult:
        call(
            self._cost_explorer.get_cost_and_usage,
            TimePeriod=_yesterday(now),
            Granularity="DAILY",
            Metrics=["UnblendedCost"],
        )
        return PASSED

    def tag_keys(self, _: Account, now: datetime) -> ProbeResult:
        call(self._cost_explorer.get_tags, TimePeriod=_yesterday(now))
        return PASSED

    def cost_categories(self, _: Account, __: datetime) -> ProbeResult:
        call(self._cost_explorer.list_cost_category_definitions, MaxResults=1)
        return PASSED

    def cost_category(self, _: Account, __: datetime) -> ProbeResult:
        client = self._cost_explorer
        try:
            answer = call(client.list_cost_category_definitions, MaxResults=1)
        except ClientError:
            return NO_COST_CATEGORY
        for category in answer.get("CostCategoryReferences", [])[:1]:
            arn = category["CostCategoryArn"]
            call(client.describe_cost_category_definition, CostCategoryArn=arn)
            return PASSED
        return NO_COST_CATEGORY

    def reservation_coverage(self, _: Account, now: datetime) -> ProbeResult:
        call(self._cost_explorer.get_reservation_coverage, TimePeriod=_yesterday(now))
        return PASSED

    def reservation_utilization(self, _: Account, now: datetime) -> ProbeResult:
        call(self._cost_explorer.get_reservation_utilization, TimePeriod=_yesterday(now))
        return PASSED

    def reservation_recommendation(self, _: Account, __: datetime) -> ProbeResult:
        call(
            self._cost_explorer.get_reservation_purchase_recommendation,
            Service=_SOME_SERVICE,
            PageSize=1,
        )
        return PASSED

    def savings_plans_utilization(self, _: Account, now: datetime) -> ProbeResult:
        call(self._cost_explorer.get_savings_plans_utilization, TimePeriod=_yesterday(now))
        return PASSED

    def savings_plans_coverage(self, _: Account, now: datetime) -> ProbeResult:
        call(self._cost_explorer.get_savings_plans_coverage, TimePeriod=_yesterday(now))
        return PASSED

    def budgets(self, account: Account, _: datetime) -> ProbeResult:
        budgets: BudgetsClient = self._billing("budgets")
        call(budgets.describe_budgets, AccountId=account.account_id, MaxResults=1)
        return PASSED

    def invoices(self, account: Account, now: datetime) -> ProbeResult:
        invoicing: InvoicingClient = self._billing("invoicing")
        call(
            invoicing.list_invoice_summaries,
            Selector={"ResourceType": "ACCOUNT_ID", "Value": account.account_id},
            Filter={"BillingPeriod": {"Month": now.month, "Year": now.year}},
            MaxResults=1,
        )
        return PASSED

    def organization(self, _: Account, __: datetime) -> ProbeResult:
        call(self._organizations.describe_organization)
        return PASSED

    def members(self, _: Account, __: datetime) -> ProbeResult:
        call(self._organizations.list_accounts, MaxResults=1)
        return PASSED

    def roots(self, _: Account, __: datetime) -> ProbeResult:
        call(self._organizations.list_roots)
        return PASSED

    def units(self, _: Account, __: datetime) -> ProbeResult:
        client = self._organizations
        return _with_root(
            client,
            lambda root: call(
                client.list_organizational_units_for_parent, ParentId=root, MaxResults=1
            ),
        )

    def members_of_unit(self, _: Account, __: datetime) -> ProbeResult:
        client = self._organizations
        return _with_root(
            client,
            lambda root: call(client.list_accounts_for_parent, ParentId=root, MaxResults=1),
        )

    def account_tags(self, account: Account, _: datetime) -> ProbeResult:
        call(self._organizations.list_tags_for_resource, ResourceId=account.account_id)
        return PASSED

    def _with_export(self, account: Account, probe: Callable[[str], object]) -> ProbeResult:
        """Run a probe that needs the ARN of an export."""
        try:
            arn = self._export_arn(account)
        except ClientError:
            return EXPORTS_NOT_LISTED
        if arn is None:
            return NO_EXPORT
        probe(arn)
        return PASSED

    def _export_arn(self, account: Account) -> str | None:
        """Return the ARN of the account's export, or of any other export; None without exports.

        AWS adds a random id to an export's name. A legacy report has no such ARN.
        """
        other: str | None = None
        for export in elements(self._exports, "list_exports", "Exports"):
            if export["ExportName"] == account.export.name:
                return str(export["ExportArn"])
            other = other or str(export["ExportArn"])
        return other

    def _read_first(self, account: Account) -> "GetObjectOutputTypeDef | ProbeResult":
        """Request the first object of the export, without its content."""
        try:
            key = self._first_key(account)
        except ClientError:
            return BUCKET_NOT_LISTED
        if key is None:
            return NO_OBJECT
        s3: S3Client = self._session.client("s3")
        # GET instead of HEAD: only the error of GET names the denying policy.
        answer = call(s3.get_object, Bucket=account.export.bucket, Key=key)
        answer["Body"].close()
        return answer

    def _first_key(self, account: Account) -> str | None:
        s3: S3Client = self._session.client("s3")
        export = account.export
        page = call(s3.list_objects_v2, Bucket=export.bucket, Prefix=f"{export.prefix}/", MaxKeys=1)
        return next((entry["Key"] for entry in page.get("Contents", [])), None)

    @cached_property
    def _cost_explorer(self) -> "CostExplorerClient":
        client: CostExplorerClient = self._billing("ce")
        return client

    @cached_property
    def _organizations(self) -> "OrganizationsClient":
        client: OrganizationsClient = self._billing("organizations")
        return client

    @cached_property
    def _exports(self) -> "BillingandCostManagementDataExportsClient":
        client: BillingandCostManagementDataExportsClient = self._billing("bcm-data-exports")
        return client

    def _billing(self, service: str) -> Any:
        return self._session.client(service, region_name=self._billing_region)


# In the order of `checks.PERMISSIONS`.
PROBES: dict[str, Callable[[CustomerProber, Account, datetime], ProbeResult]] = {
    "iam:GetRole": CustomerProber.role,
    "s3:ListBucket": CustomerProber.bucket_list,
    "s3:GetObject": CustomerProber.first_object,
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


def _with_root(client: "OrganizationsClient", probe: Callable[[str], object]) -> ProbeResult:
    """Run a probe that needs the id of the organization's root."""
    try:
        roots = call(client.list_roots)["Roots"]
    except ClientError:
        return NO_ROOT
    if not roots:
        return NO_ROOT
    probe(roots[0]["Id"])
    return PASSED


def _organization_account(listed: "AccountTypeDef") -> OrganizationAccount:
    """Convert an account of AWS Organizations.

    `State` has replaced `Status`. AWS omits the joined time of an account that is being created.
    """
    joined = listed.get("JoinedTimestamp") or datetime.now(UTC)
    state = listed.get("State") or listed["Status"]
    return OrganizationAccount(listed["Id"], listed["Name"], state, joined.astimezone(UTC))


def _yesterday(now: datetime) -> "DateIntervalTypeDef":
    """Return a period of one day, the shortest of Cost Explorer; `End` is exclusive."""
    today = now.date()
    return {"Start": str(today - timedelta(days=1)), "End": str(today)}

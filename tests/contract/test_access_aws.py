"""Permission probes: every request is checked against botocore's models (Stubber)."""

import io
import json
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from cloudspend.access.aws.probes import PROBES, CustomerProber
from cloudspend.access.checks import PERMISSIONS
from cloudspend.accounts.model import CheckStatus
from cloudspend.errors import Defect, TransientError
from tests.fakes.accounts import NOW, an_account

ACCOUNT = an_account(kms_key_arn="arn:aws:kms:us-east-1:111111111111:key/0a1b2c3d")
LIST = ("s3", "list_objects_v2", {"Bucket": "a-bucket", "Prefix": "a-prefix/", "MaxKeys": 1})
YESTERDAY = {"Start": "2026-11-22", "End": "2026-11-23"}
EXPORTS: tuple[str, str, dict[str, Any]] = ("bcm-data-exports", "list_exports", {})
EXPORT_ARN = "arn:aws:bcm-data-exports:us-east-1:111111111111:export"

CATEGORIES: tuple[str, str, dict[str, Any]] = (
    "ce",
    "list_cost_category_definitions",
    {"MaxResults": 1},
)
CATEGORY = "arn:aws:ce::111111111111:costcategory/0a1b"
ROOTS: tuple[str, str, dict[str, Any]] = ("organizations", "list_roots", {})
OWN_EXPORT = {"ExportArn": f"{EXPORT_ARN}/a-name-1"}


def an_export(name: str) -> dict[str, Any]:
    return {
        "ExportArn": f"{EXPORT_ARN}/{name}-1",
        "ExportName": name,
        "ExportStatus": {"StatusCode": "HEALTHY"},
    }


def a_role(**policy: Any) -> dict[str, Any]:
    """Return IAM's answer about the account's role, with a trust policy."""
    role = {
        "Path": "/",
        "RoleName": "cloudspend-access",
        "RoleId": "AROA" + "A" * 16,
        "Arn": ACCOUNT.role_arn,
        "CreateDate": NOW,
        "AssumeRolePolicyDocument": quote(json.dumps(policy)),
    }
    return {"Role": role}


# The requests of each probe: service, operation, parameters, and a successful answer.
CALLS: dict[str, list[tuple[str, str, dict[str, Any], dict[str, Any]]]] = {
    "iam:GetRole": [("iam", "get_role", {"RoleName": "cloudspend-access"}, a_role())],
    "s3:ListBucket": [(*LIST, {})],
    "s3:GetObject": [
        (*LIST, {"Contents": [{"Key": "a-prefix/x"}]}),
        ("s3", "get_object", {"Bucket": "a-bucket", "Key": "a-prefix/x"}, {}),
    ],
    "cur:DescribeReportDefinitions": [("cur", "describe_report_definitions", {}, {})],
    "bcm-data-exports:ListExports": [(*EXPORTS, {"Exports": []})],
    "bcm-data-exports:GetExport": [
        (*EXPORTS, {"Exports": [], "NextToken": "more"}),
        (
            *EXPORTS[:2],
            {"NextToken": "more"},
            {"Exports": [an_export("a-name-of-another"), an_export("a-name")]},
        ),
        ("bcm-data-exports", "get_export", OWN_EXPORT, {}),
    ],
    "bcm-data-exports:ListExecutions": [
        (*EXPORTS, {"Exports": [an_export("another"), an_export("a-name")]}),
        ("bcm-data-exports", "list_executions", OWN_EXPORT, {"Executions": []}),
    ],
    "bcm-data-exports:GetExecution": [
        (*EXPORTS, {"Exports": [an_export("another")]}),
        (
            "bcm-data-exports",
            "list_executions",
            {"ExportArn": f"{EXPORT_ARN}/another-1"},
            {"Executions": [{"ExecutionId": "newest", "ExecutionStatus": {}}]},
        ),
        (
            "bcm-data-exports",
            "get_execution",
            {"ExportArn": f"{EXPORT_ARN}/another-1", "ExecutionId": "newest"},
            {},
        ),
    ],
    "ce:GetDimensionValues": [
        (
            "ce",
            "get_dimension_values",
            {"TimePeriod": YESTERDAY, "Dimension": "RECORD_TYPE"},
            {"DimensionValues": [], "ReturnSize": 0, "TotalSize": 0},
        )
    ],
    "ce:GetCostAndUsage": [
        (
            "ce",
            "get_cost_and_usage",
            {"TimePeriod": YESTERDAY, "Granularity": "DAILY", "Metrics": ["UnblendedCost"]},
            {},
        )
    ],
    "organizations:DescribeOrganization": [("organizations", "describe_organization", {}, {})],
    "organizations:ListAccounts": [("organizations", "list_accounts", {"MaxResults": 1}, {})],
    "ce:GetTags": [
        (
            "ce",
            "get_tags",
            {"TimePeriod": YESTERDAY},
            {"Tags": [], "ReturnSize": 0, "TotalSize": 0},
        )
    ],
    "ce:ListCostCategoryDefinitions": [(*CATEGORIES, {})],
    "ce:DescribeCostCategoryDefinition": [
        (*CATEGORIES, {"CostCategoryReferences": [{"CostCategoryArn": CATEGORY}]}),
        ("ce", "describe_cost_category_definition", {"CostCategoryArn": CATEGORY}, {}),
    ],
    "ce:GetReservationCoverage": [
        ("ce", "get_reservation_coverage", {"TimePeriod": YESTERDAY}, {"CoveragesByTime": []})
    ],
    "ce:GetReservationUtilization": [
        ("ce", "get_reservation_utilization", {"TimePeriod": YESTERDAY}, {"UtilizationsByTime": []})
    ],
    "ce:GetReservationPurchaseRecommendation": [
        (
            "ce",
            "get_reservation_purchase_recommendation",
            {"Service": "Amazon Elastic Compute Cloud - Compute", "PageSize": 1},
            {},
        )
    ],
    "ce:GetSavingsPlansUtilization": [
        (
            "ce",
            "get_savings_plans_utilization",
            {"TimePeriod": YESTERDAY},
            {"Total": {"Utilization": {}}},
        )
    ],
    "ce:GetSavingsPlansCoverage": [
        (
            "ce",
            "get_savings_plans_coverage",
            {"TimePeriod": YESTERDAY},
            {"SavingsPlansCoverages": []},
        )
    ],
    "budgets:ViewBudget": [
        ("budgets", "describe_budgets", {"AccountId": "111111111111", "MaxResults": 1}, {})
    ],
    "invoicing:ListInvoiceSummaries": [
        (
            "invoicing",
            "list_invoice_summaries",
            {
                "Selector": {"ResourceType": "ACCOUNT_ID", "Value": "111111111111"},
                "Filter": {"BillingPeriod": {"Month": 11, "Year": 2026}},
                "MaxResults": 1,
            },
            {"InvoiceSummaries": []},
        )
    ],
    "organizations:ListRoots": [("organizations", "list_roots", {}, {})],
    "organizations:ListOrganizationalUnitsForParent": [
        (*ROOTS, {"Roots": [{"Id": "r-ab12"}]}),
        (
            "organizations",
            "list_organizational_units_for_parent",
            {"ParentId": "r-ab12", "MaxResults": 1},
            {},
        ),
    ],
    "organizations:ListAccountsForParent": [
        (*ROOTS, {"Roots": [{"Id": "r-ab12"}]}),
        ("organizations", "list_accounts_for_parent", {"ParentId": "r-ab12", "MaxResults": 1}, {}),
    ],
    "organizations:ListTagsForResource": [
        ("organizations", "list_tags_for_resource", {"ResourceId": "111111111111"}, {})
    ],
    "kms:Decrypt": [
        (*LIST, {"Contents": [{"Key": "a-prefix/x"}]}),
        (
            "s3",
            "get_object",
            {"Bucket": "a-bucket", "Key": "a-prefix/x"},
            {"SSEKMSKeyId": ACCOUNT.kms_key_arn},
        ),
    ],
}


class Scripted(boto3.Session):
    """A session whose clients give scripted answers and fail for any other request."""

    def __init__(self) -> None:
        super().__init__(region_name="us-east-1")
        self.stubs: dict[str, Stubber] = {}
        self.regions: dict[str, str] = {}

    def script(self, service: str) -> Stubber:
        if service not in self.stubs:
            client = boto3.Session.client(self, service)
            self.stubs[service] = Stubber(client)
            self.stubs[service].activate()
        return self.stubs[service]

    # The method of boto3 has nine parameters; the code under test passes these two.
    def client(self, service: str, region_name: str = "", **_: Any) -> Any:  # type: ignore[override]
        self.regions[service] = region_name
        return self.script(service).client


def probed(
    action: str, code: str = "", status: int = 400, message: str = "User is not authorized."
) -> Any:
    """Return the result of a probe whose last request fails with `code`, or succeeds."""
    session = Scripted()
    *earlier, (service, operation, parameters, answer) = CALLS[action]
    for request in earlier:
        session.script(request[0]).add_response(request[1], request[3], request[2])
    if code:
        session.script(service).add_client_error(
            operation, code, message, status, expected_params=parameters
        )
    else:
        if operation == "get_object":
            answer = {**answer, "Body": StreamingBody(io.BytesIO(b"x"), 1)}
        session.script(service).add_response(operation, answer, parameters)
    result = CustomerProber(session, "aws").probe(action, ACCOUNT, NOW)
    for stub in session.stubs.values():
        stub.assert_no_pending_responses()
    return result


def test_every_permission_has_a_probe() -> None:
    assert list(PROBES) == [permission.action for permission in PERMISSIONS] == list(CALLS)


@pytest.mark.parametrize("action", CALLS)
def test_a_granted_permission_passes(action: str) -> None:
    assert probed(action).status is CheckStatus.PASSED


@pytest.mark.parametrize("action", CALLS)
@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException"])
def test_a_denied_permission_has_aws_s_message(action: str, code: str) -> None:
    result = probed(action, code, 403)
    assert result.status is CheckStatus.DENIED
    assert "User is not authorized." in result.reason


@pytest.mark.parametrize("empty", [True, False])
def test_without_an_object_reading_cannot_be_tried(empty: bool) -> None:
    session = Scripted()
    if empty:
        session.script("s3").add_response("list_objects_v2", {})
    else:
        session.script("s3").add_client_error("list_objects_v2", "AccessDenied")
    result = CustomerProber(session, "aws").probe("s3:GetObject", ACCOUNT, NOW)
    assert result.status is CheckStatus.NOT_AVAILABLE
    assert result.reason


@pytest.mark.parametrize("action", ["GetExport", "ListExecutions", "GetExecution"])
@pytest.mark.parametrize(
    ("listed", "reason"), [(True, "no"), (False, "the exports cannot be listed")]
)
def test_without_an_export_its_permissions_cannot_be_tried(
    action: str, listed: bool, reason: str
) -> None:
    session = Scripted()
    stub = session.script("bcm-data-exports")
    if listed:
        stub.add_response("list_exports", {"Exports": []}, {})
    else:
        stub.add_client_error("list_exports", "AccessDeniedException")
    result = CustomerProber(session, "aws").probe(f"bcm-data-exports:{action}", ACCOUNT, NOW)
    assert result.status is CheckStatus.NOT_AVAILABLE
    assert reason in result.reason


@pytest.mark.parametrize("denied", [True, False])
@pytest.mark.parametrize(
    "action",
    [
        "ce:DescribeCostCategoryDefinition",
        "organizations:ListOrganizationalUnitsForParent",
        "organizations:ListAccountsForParent",
    ],
)
def test_a_permission_that_cannot_be_tried_is_not_denied(action: str, denied: bool) -> None:
    session = Scripted()
    service, operation, parameters, _ = CALLS[action][0]
    if denied:
        session.script(service).add_client_error(operation, "AccessDeniedException")
    else:
        empty: dict[str, Any] = {"Roots": []} if operation == "list_roots" else {}
        session.script(service).add_response(operation, empty, parameters)
    result = CustomerProber(session, "aws").probe(action, ACCOUNT, NOW)
    assert result.status is CheckStatus.NOT_AVAILABLE
    assert result.reason


def test_a_file_that_is_encrypted_with_another_key_proves_nothing() -> None:
    session = Scripted()
    session.script("s3").add_response("list_objects_v2", {"Contents": [{"Key": "a-prefix/x"}]})
    body = StreamingBody(io.BytesIO(b"x"), 1)
    session.script("s3").add_response("get_object", {"Body": body})
    result = CustomerProber(session, "aws").probe("kms:Decrypt", ACCOUNT, NOW)
    assert result.status is CheckStatus.NOT_AVAILABLE
    assert "not encrypted with this key" in result.reason


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("ce:GetReservationCoverage", "DataUnavailableException"),
        ("ce:GetCostAndUsage", "DataUnavailableException"),
        ("organizations:DescribeOrganization", "AWSOrganizationsNotInUseException"),
    ],
)
def test_missing_data_is_not_a_denial(action: str, code: str) -> None:
    assert probed(action, code).status is CheckStatus.NOT_AVAILABLE


@pytest.mark.parametrize(("code", "status"), [("ThrottlingException", 400), ("Odd", 503)])
def test_throttling_is_not_a_denial(code: str, status: int) -> None:
    with pytest.raises(TransientError):
        probed("ce:GetCostAndUsage", code, status)


def test_a_missing_bucket_is_named_in_the_reason() -> None:
    assert "NoSuchBucket" in probed("s3:ListBucket", "NoSuchBucket", 404).reason


def test_an_unknown_action_is_a_defect() -> None:
    with pytest.raises(Defect, match="s3:PutObject"):
        CustomerProber(Scripted(), "aws").probe("s3:PutObject", ACCOUNT, NOW)


def test_billing_services_are_called_in_the_billing_region() -> None:
    session = Scripted()
    session.script("cur").add_response("describe_report_definitions", {})
    CustomerProber(session, "aws-cn").probe("cur:DescribeReportDefinitions", ACCOUNT, NOW)
    assert session.regions["cur"] == "cn-northwest-1"


def test_a_denial_names_the_type_of_policy_if_aws_does() -> None:
    message = "with an explicit deny in a service control policy"
    result = probed("ce:GetCostAndUsage", "AccessDeniedException", 400, message)
    assert result.denied_by == "service control policy"
    assert "dministrator" in result.reason
    assert message in result.reason

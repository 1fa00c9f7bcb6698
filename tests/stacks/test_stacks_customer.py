"""The customer's template: what it grants, exactly, and how it reads."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from cloudspend.access.checks import PERMISSIONS
from cloudspend.accounts.link import quick_create_link
from cloudspend.accounts.model import (
    DATA_EXPORTS,
    Account,
    AccountState,
    AccountType,
    Export,
    ExportKind,
)
from cloudspend.exports.tables import EXPORT_TABLES
from cloudspend.settings import CUSTOMER_ROLE, Settings
from stacks.customer_parameters import INTERFACE
from tests.stacks.stacks_reading import (
    Template,
    as_created,
    as_list,
    grants,
    of_type,
    only,
    plain,
    role_grants,
)

BUCKET = "arn:<AWS::Partition>:s3:::<ExportBucketName>"


def access_role(customer: Template) -> Any:
    (role,) = [
        one
        for one in of_type(customer, "AWS::IAM::Role").values()
        if one.get("RoleName") == CUSTOMER_ROLE
    ]
    return role


EVERY_ROLE = {
    ("s3:GetBucketLocation", BUCKET),
    ("s3:ListBucket", BUCKET),
    ("s3:GetObject", f"{BUCKET}/<ExportPrefix>/*"),
    ("ce:GetCostAndUsage", "*"),
    ("ce:GetDimensionValues", "*"),
    ("organizations:DescribeOrganization", "*"),
    ("organizations:ListAccounts", "*"),
    ("ce:GetTags", "*"),
    ("ce:ListCostCategoryDefinitions", "*"),
    ("ce:DescribeCostCategoryDefinition", "*"),
    ("ce:GetReservationCoverage", "*"),
    ("ce:GetReservationUtilization", "*"),
    ("ce:GetReservationPurchaseRecommendation", "*"),
    ("ce:GetSavingsPlansUtilization", "*"),
    ("ce:GetSavingsPlansCoverage", "*"),
    ("budgets:ViewBudget", "*"),
    ("invoicing:ListInvoiceSummaries", "*"),
    ("organizations:ListRoots", "*"),
    ("organizations:ListOrganizationalUnitsForParent", "*"),
    ("organizations:ListAccountsForParent", "*"),
    ("organizations:ListTagsForResource", "*"),
}
OF_A_REPORT = {("cur:DescribeReportDefinitions", "*")}
OF_AN_EXPORT = {
    ("bcm-data-exports:ListExports", "*"),
    (
        "bcm-data-exports:GetExport",
        "arn:<AWS::Partition>:bcm-data-exports:us-east-1:<AWS::AccountId>:export/<ExportName>-*",
    ),
}
DEFINITIONS = dict.fromkeys(ExportKind, OF_AN_EXPORT) | {ExportKind.CUR_LEGACY: OF_A_REPORT}

each_kind = pytest.mark.parametrize("kind", ExportKind)


@pytest.fixture
def created(customer: Template, kind: ExportKind) -> Template:
    """The customer's template, once the kind of export was chosen."""
    return as_created(customer, ExportKind=kind)


def all_grants(template: Template) -> set[tuple[str, str]]:
    """What the access role may do, by the policy in it and those attached to it."""
    (own,) = access_role(template)["Policies"]
    return set(grants(own["PolicyDocument"])) | role_grants(template, "AccessRole")


@each_kind
def test_the_role_may_do_exactly_this(created: Template, kind: ExportKind) -> None:
    assert all_grants(created) == EVERY_ROLE | DEFINITIONS[kind]
    assert "ManagedPolicyArns" not in access_role(created)


@each_kind
def test_each_granted_action_is_tried_and_each_tried_action_granted(
    created: Template, kind: ExportKind
) -> None:
    granted = {action for action, _ in all_grants(created)}
    tried = {one.action for one in PERMISSIONS if one.needed_for(_account(kind))}
    assert granted == tried


def test_the_bucket_is_listed_only_under_the_prefix(customer: Template) -> None:
    (policy,) = access_role(customer)["Policies"]
    (listing,) = [
        one for one in policy["PolicyDocument"]["Statement"] if one["Action"] == "s3:ListBucket"
    ]
    assert plain(listing["Condition"]["StringLike"]["s3:prefix"]) == "<ExportPrefix>/*"


def test_only_the_platform_with_the_external_id_may_assume_the_role(customer: Template) -> None:
    (statement,) = access_role(customer)["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Action"] == "sts:AssumeRole"
    assert (
        plain(statement["Principal"]["AWS"]) == "arn:<AWS::Partition>:iam::<PlatformAccountId>:root"
    )
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}}


def test_no_other_role_may_do_more_than_tell_of_deliveries(customer: Template) -> None:
    others = [
        one
        for one in of_type(customer, "AWS::IAM::Role").values()
        if one.get("RoleName") != CUSTOMER_ROLE
    ]
    found = {
        grant for one in others for p in one["Policies"] for grant in grants(p["PolicyDocument"])
    }
    assert found == {("events:PutEvents", "<DeliveriesBusArn>")}


def test_the_bucket_policy_lets_in_billing_of_this_account_and_no_plain_http(
    customer: Template,
) -> None:
    statements = only(customer, "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    allowed = [one for one in statements if one["Effect"] == "Allow"]
    found = {
        (one["Principal"]["Service"], action, plain(resource))
        for one in allowed
        for action in as_list(one["Action"])
        for resource in as_list(one["Resource"])
    }
    assert found == {
        ("billingreports.amazonaws.com", "s3:GetBucketAcl", BUCKET),
        ("billingreports.amazonaws.com", "s3:GetBucketPolicy", BUCKET),
        ("billingreports.amazonaws.com", "s3:PutObject", f"{BUCKET}/<ExportPrefix>/*"),
        ("bcm-data-exports.amazonaws.com", "s3:GetBucketPolicy", BUCKET),
        ("bcm-data-exports.amazonaws.com", "s3:PutObject", f"{BUCKET}/<ExportPrefix>/*"),
    }
    sources = {
        "billingreports.amazonaws.com": "cur:us-east-1:<AWS::AccountId>:definition/*",
        "bcm-data-exports.amazonaws.com": "bcm-data-exports:us-east-1:<AWS::AccountId>:export/*",
    }
    for one in allowed:
        assert one["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        source = plain(one["Condition"]["ArnLike"]["aws:SourceArn"])
        assert source == f"arn:<AWS::Partition>:{sources[one['Principal']['Service']]}"
    (denied,) = [one for one in statements if one["Effect"] == "Deny"]
    assert (denied["Principal"], denied["Action"]) == ("*", "s3:*")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_bills_outlive_the_stack_but_a_failed_creation_leaves_nothing(customer: Template) -> None:
    (bucket,) = [one for one in customer["Resources"].values() if one["Type"] == "AWS::S3::Bucket"]
    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    assert bucket["UpdateReplacePolicy"] == "Retain"


EXPORT_TYPES = ("AWS::CUR::ReportDefinition", "AWS::BCMDataExports::Export")


@each_kind
def test_exactly_the_chosen_export_is_created_after_the_bucket_s_policy(
    created: Template, kind: ExportKind
) -> None:
    [export] = [one for one in created["Resources"].values() if one["Type"] in EXPORT_TYPES]
    assert export["Type"] == EXPORT_TYPES[kind in DATA_EXPORTS]
    assert export["DependsOn"] == ["ExportBucketPolicy"]


def test_the_report_keeps_each_delivery_and_takes_late_changes(customer: Template) -> None:
    report = only(customer, "AWS::CUR::ReportDefinition")
    assert report["ReportVersioning"] == "CREATE_NEW_REPORT"
    assert report["RefreshClosedReports"] is True
    assert report["S3Prefix"] == {"Ref": "ExportPrefix"}


@pytest.mark.parametrize("kind", sorted(DATA_EXPORTS))
def test_an_export_selects_all_of_its_table_and_keeps_each_delivery(
    created: Template, kind: ExportKind
) -> None:
    export = only(created, "AWS::BCMDataExports::Export")["Export"]
    table = EXPORT_TABLES[kind]
    assert export["Name"] == {"Ref": "ExportName"}
    assert export["DataQuery"]["QueryStatement"] == table.query()
    destination = export["DestinationConfigurations"]["S3Destination"]
    assert (destination["S3Bucket"], destination["S3Prefix"]) == (
        {"Ref": "ExportBucketName"},
        {"Ref": "ExportPrefix"},
    )
    assert destination["S3OutputConfigurations"] == {
        "OutputType": "CUSTOM",
        "Format": "TEXT_OR_CSV",
        "Compression": "GZIP",
        "Overwrite": "CREATE_NEW_REPORT",
    }
    # AWS Billing and Cost Management API reference, DataQuery
    assert len(table.query(split_cost=True)) <= 36_000


@pytest.mark.parametrize(("choice", "split"), [("FALSE", False), ("TRUE", True)])
def test_split_cost_columns_are_selected_only_while_the_table_has_them(
    customer: Template, choice: str, split: bool
) -> None:
    kind = ExportKind.CUR_2_0
    created = as_created(customer, ExportKind=kind, SplitCostAllocationData=choice)
    query = only(created, "AWS::BCMDataExports::Export")["Export"]["DataQuery"]
    assert ("split_line_item_split_cost" in query["QueryStatement"]) is split
    assert query["TableConfigurations"] == {
        "COST_AND_USAGE_REPORT": {
            "TIME_GRANULARITY": "HOURLY",
            "INCLUDE_RESOURCES": "TRUE",
            "INCLUDE_MANUAL_DISCOUNT_COMPATIBILITY": "FALSE",
            "INCLUDE_SPLIT_COST_ALLOCATION_DATA": {"Ref": "SplitCostAllocationData"},
        }
    }


@each_kind
def test_the_message_home_comes_after_everything_it_speaks_of(
    created: Template, kind: ExportKind
) -> None:
    (registration,) = [
        one
        for one in created["Resources"].values()
        if one["Type"] == "Custom::CloudSpendRegistration"
    ]
    [export] = [name for name, one in created["Resources"].items() if one["Type"] in EXPORT_TYPES]
    properties = registration["Properties"]
    assert set(registration["DependsOn"]) == {"ExportBucketPolicy", "NewManifest"}
    assert properties["RoleArn"] == {"Fn::GetAtt": ["AccessRole", "Arn"]}
    legacy = kind is ExportKind.CUR_LEGACY
    assert properties["Export"] == (
        {"Ref": export} if legacy else {"Fn::GetAtt": [export, "ExportArn"]}
    )
    policy = "LookAtTheReport" if legacy else "LookAtTheExport"
    assert properties["DefinitionPolicy"] == {"Ref": policy}
    assert set(properties) == {
        "ServiceToken",
        "ServiceTimeout",
        "RegistrationToken",
        "AccountId",
        "RoleArn",
        "Export",
        "DefinitionPolicy",
        "ExportBucketName",
        "ExportPrefix",
        "ExportName",
        "ExportKind",
        "Region",
        "TemplateVersion",
    }


def test_only_manifests_of_the_export_are_told_of(customer: Template) -> None:
    rule = only(customer, "AWS::Events::Rule")
    detail = rule["EventPattern"]["detail"]
    assert detail["bucket"]["name"] == [{"Ref": "ExportBucket"}]
    assert plain(detail["object"]["key"][0]["wildcard"]) == "<ExportPrefix>/*-Manifest.json"


@pytest.mark.parametrize("section", ["Parameters", "Resources", "Outputs"])
def test_names_are_plain_words(customer: Template, section: str) -> None:
    assert all(re.fullmatch(r"([A-Z][a-z]+)+", name) for name in customer[section])


def test_every_parameter_is_explained_grouped_and_filled_in_by_the_link(
    customer: Template,
) -> None:
    parameters = set(customer["Parameters"])
    groups = INTERFACE["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert parameters == {name for group in groups for name in group["Parameters"]}
    assert all(customer["Parameters"][name]["Description"] for name in parameters)
    assert _link_parameters() == parameters - {"SplitCostAllocationData"}


def test_nothing_needs_bootstrapping(customer: Template) -> None:
    assert "BootstrapVersion" not in customer["Parameters"]
    assert "Rules" not in customer


def _account(kind: ExportKind) -> Account:
    moment = datetime(2026, 10, 1, tzinfo=UTC)
    return Account(
        account_id="111111111111",
        display_name="Acme",
        type=AccountType.ORGANIZATION,
        regions=("us-east-1",),
        start_date=moment.date(),
        retention_months=12,
        export=Export(kind, "acme-bills", "cloudspend", "cloudspend-cur"),
        external_id="0" * 32,
        state=AccountState.INVITED,
        invited_at=moment,
        expires_at=moment,
    )


def _link_parameters() -> set[str]:
    account = _account(ExportKind.CUR_LEGACY)
    link = quick_create_link(account, "token", Settings("000000000000", "us-east-1"))
    query = parse_qs(link.partition("quickcreate?")[2])
    return {name.removeprefix("param_") for name in query if name.startswith("param_")}

"""The customer's template: what it grants, exactly, and how it reads."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from cloudspend.access.checks import PERMISSIONS
from cloudspend.accounts.link import quick_create_link
from cloudspend.accounts.model import Account, AccountState, AccountType, Export, ExportKind
from cloudspend.settings import CUSTOMER_ROLE, Settings
from stacks.customer_parameters import INTERFACE
from tests.stacks.stacks_reading import Template, as_list, grants, of_type, only, plain

BUCKET = "arn:<AWS::Partition>:s3:::<ExportBucketName>"


def access_role(customer: Template) -> Any:
    (role,) = [
        one
        for one in of_type(customer, "AWS::IAM::Role").values()
        if one.get("RoleName") == CUSTOMER_ROLE
    ]
    return role


def test_the_role_may_do_exactly_this(customer: Template) -> None:
    (policy,) = access_role(customer)["Policies"]
    assert set(grants(policy["PolicyDocument"])) == {
        ("s3:GetBucketLocation", BUCKET),
        ("s3:ListBucket", BUCKET),
        ("s3:GetObject", f"{BUCKET}/<ExportPrefix>/*"),
        ("cur:DescribeReportDefinitions", "*"),
        ("ce:GetCostAndUsage", "*"),
        ("ce:GetDimensionValues", "*"),
        ("organizations:DescribeOrganization", "*"),
        ("organizations:ListAccounts", "*"),
    }
    assert "ManagedPolicyArns" not in access_role(customer)


def test_each_granted_action_is_tried_and_each_tried_action_granted(customer: Template) -> None:
    (policy,) = access_role(customer)["Policies"]
    granted = {action for action, _ in grants(policy["PolicyDocument"])}
    assert granted == {permission.action for permission in PERMISSIONS}


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
    assert {
        (action, plain(resource))
        for one in allowed
        for action in as_list(one["Action"])
        for resource in as_list(one["Resource"])
    } == {
        ("s3:GetBucketAcl", BUCKET),
        ("s3:GetBucketPolicy", BUCKET),
        ("s3:PutObject", f"{BUCKET}/<ExportPrefix>/*"),
    }
    for one in allowed:
        assert one["Principal"] == {"Service": "billingreports.amazonaws.com"}
        assert one["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        source = plain(one["Condition"]["ArnLike"]["aws:SourceArn"])
        assert source == "arn:<AWS::Partition>:cur:us-east-1:<AWS::AccountId>:definition/*"
    (denied,) = [one for one in statements if one["Effect"] == "Deny"]
    assert (denied["Principal"], denied["Action"]) == ("*", "s3:*")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_bills_outlive_the_stack_but_a_failed_creation_leaves_nothing(customer: Template) -> None:
    (bucket,) = [one for one in customer["Resources"].values() if one["Type"] == "AWS::S3::Bucket"]
    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    assert bucket["UpdateReplacePolicy"] == "Retain"


def test_the_report_keeps_each_delivery_and_takes_late_changes(customer: Template) -> None:
    report = only(customer, "AWS::CUR::ReportDefinition")
    assert report["ReportVersioning"] == "CREATE_NEW_REPORT"
    assert report["RefreshClosedReports"] is True
    assert report["S3Prefix"] == {"Ref": "ExportPrefix"}


def test_the_message_home_comes_after_everything_it_speaks_of(customer: Template) -> None:
    (registration,) = [
        one
        for one in customer["Resources"].values()
        if one["Type"] == "Custom::CloudSpendRegistration"
    ]
    assert set(registration["DependsOn"]) == {
        "CostAndUsageReport",
        "ExportBucketPolicy",
        "NewManifest",
    }
    assert set(registration["Properties"]) == {
        "ServiceToken",
        "ServiceTimeout",
        "RegistrationToken",
        "AccountId",
        "RoleArn",
        "ExportBucketName",
        "ExportPrefix",
        "ExportName",
        "ExportKind",
        "Region",
        "TemplateVersion",
    }
    assert registration["Properties"]["RoleArn"] == {"Fn::GetAtt": ["AccessRole", "Arn"]}


def test_only_manifests_of_the_export_are_told_of(customer: Template) -> None:
    rule = only(customer, "AWS::Events::Rule")
    detail = rule["EventPattern"]["detail"]
    assert detail["bucket"]["name"] == [{"Ref": "ExportBucket"}]
    assert plain(detail["object"]["key"][0]["wildcard"]) == "<ExportPrefix>/*-Manifest.json"


@pytest.mark.parametrize("section", ["Parameters", "Resources", "Outputs"])
def test_names_are_plain_words(customer: Template, section: str) -> None:
    assert all(re.fullmatch(r"([A-Z][a-z]+)+", name) for name in customer[section])


def test_every_parameter_is_explained_grouped_and_filled_in_by_the_link(customer: Template) -> None:
    parameters = set(customer["Parameters"])
    groups = INTERFACE["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert parameters == {name for group in groups for name in group["Parameters"]}
    assert all(customer["Parameters"][name]["Description"] for name in parameters)
    assert _link_parameters() == parameters


def test_nothing_needs_bootstrapping(customer: Template) -> None:
    assert "BootstrapVersion" not in customer["Parameters"]
    assert "Rules" not in customer


def _link_parameters() -> set[str]:
    moment = datetime(2026, 10, 1, tzinfo=UTC)
    account = Account(
        account_id="111111111111",
        display_name="Acme",
        type=AccountType.ORGANIZATION,
        regions=("us-east-1",),
        start_date=moment.date(),
        retention_months=12,
        export=Export(ExportKind.CUR_LEGACY, "acme-bills", "cloudspend", "cloudspend-cur"),
        external_id="0" * 32,
        state=AccountState.INVITED,
        invited_at=moment,
        expires_at=moment,
    )
    link = quick_create_link(account, "token", Settings("000000000000", "us-east-1"))
    query = parse_qs(link.partition("quickcreate?")[2])
    return {name.removeprefix("param_") for name in query if name.startswith("param_")}

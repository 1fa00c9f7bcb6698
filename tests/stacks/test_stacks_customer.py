"""The customer's template: what it grants, exactly, and how it reads."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from cloudspend.access.checks import PERMISSIONS
from cloudspend.access.trust import excess_trust
from cloudspend.access.user_policy import user_policy
from cloudspend.accounts.link import StackChoices, quick_create_link
from cloudspend.accounts.member_stacks import MembersChoice
from cloudspend.accounts.model import (
    DATA_EXPORTS,
    Account,
    AccountState,
    AccountType,
    ConnectionKind,
    Export,
    ExportKind,
    ExportSetup,
    MemberStacks,
)
from cloudspend.exports.tables import EXPORT_TABLES
from cloudspend.settings import CUSTOMER_ROLE, Settings
from stacks.customer_parameters import CUSTOMERS_OWN, INTERFACE
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


ANY_EXPORT = "arn:<AWS::Partition>:bcm-data-exports:us-east-1:<AWS::AccountId>:export/*"
KEY = "arn:aws:kms:us-east-1:111111111111:key/0a1b2c3d"


def access_role(customer: Template) -> Any:
    (role,) = [
        one
        for one in of_type(customer, "AWS::IAM::Role").values()
        if one.get("RoleName") == CUSTOMER_ROLE
    ]
    return role


def trust(customer: Template) -> Any:
    return access_role(customer)["AssumeRolePolicyDocument"]


EVERY_ROLE = {
    ("iam:GetRole", f"arn:<AWS::Partition>:iam::<AWS::AccountId>:role<RolePath>{CUSTOMER_ROLE}"),
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
    ("cur:DescribeReportDefinitions", "*"),
    ("bcm-data-exports:ListExports", "*"),
    ("bcm-data-exports:GetExport", ANY_EXPORT),
    ("bcm-data-exports:ListExecutions", ANY_EXPORT),
    ("bcm-data-exports:GetExecution", ANY_EXPORT),
}

each_kind = pytest.mark.parametrize("kind", ExportKind)


PLATFORM = {
    "RegistrationTopicArn": "arn:aws:sns:us-east-1:000000000000:cloudspend-registration",
    "DeliveriesBusArn": "arn:aws:events:us-east-1:000000000000:event-bus/cloudspend-deliveries",
}


@pytest.fixture
def created(customer: Template, kind: ExportKind) -> Template:
    """The customer's template, once the kind of export was chosen."""
    return as_created(customer, ExportKind=kind, **PLATFORM)


def all_grants(template: Template) -> set[tuple[str, str]]:
    """What the access role may do, by the policy in it and those attached to it."""
    (own,) = access_role(template)["Policies"]
    return set(grants(own["PolicyDocument"])) | role_grants(template, "AccessRole")


@each_kind
def test_the_role_may_do_exactly_this(created: Template, kind: ExportKind) -> None:
    assert all_grants(created) == EVERY_ROLE
    assert "ManagedPolicyArns" not in access_role(created)


def test_the_role_may_decrypt_with_exactly_the_customers_key_and_only_through_s3(
    customer: Template,
) -> None:
    created = as_created(customer, KmsKeyArn=KEY)
    assert all_grants(created) == EVERY_ROLE | {("kms:Decrypt", "<KmsKeyArn>")}
    [statement] = only(created, "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    via = statement["Condition"]["StringEquals"]["kms:ViaService"]
    region = {"Fn::Select": [3, {"Fn::Split": [":", {"Ref": "KmsKeyArn"}]}]}
    assert via == {"Fn::Join": [".", ["s3", region, {"Ref": "AWS::URLSuffix"}]]}
    tried = {one.action for one in PERMISSIONS if one.needed_for(_account(kms_key_arn=KEY))}
    assert {action for action, _ in all_grants(created)} == tried


@each_kind
def test_each_granted_action_is_tried_and_each_tried_action_granted(
    created: Template, kind: ExportKind
) -> None:
    granted = {action for action, _ in all_grants(created)}
    tried = {one.action for one in PERMISSIONS if one.needed_for(_account(kind))}
    assert granted == tried


BEYOND_THE_ROLE = {
    # What opens a session: the role is assumed, a key asks for a federated user's.
    "sts:GetFederationToken",
    # How old the key is, which no role has.
    "iam:ListAccessKeys",
}
# A role names whom it trusts; a user trusts no one.
BEYOND_THE_USER = {"iam:GetRole"}


@each_kind
def test_the_key_s_user_may_do_on_the_same_things_what_the_role_may(
    customer: Template, kind: ExportKind
) -> None:
    values = {
        "AWS::Partition": "aws",
        "AWS::AccountId": "111111111111",
        "ExportBucketName": "acme-bills",
        "ExportPrefix": "cloudspend",
        "KmsKeyArn": KEY,
    }
    created = as_created(customer, ExportKind=kind, KmsKeyArn=KEY, **PLATFORM)
    role = {
        (action, re.sub("<([^<>]+)>", lambda found: values.get(found[1], found[0]), resource))
        for action, resource in all_grants(created)
        if action not in BEYOND_THE_USER
    }
    policy = user_policy(_account(kind, kms_key_arn=KEY), "aws")
    user = {one for one in grants(policy) if one[0] not in BEYOND_THE_ROLE}
    assert user == role
    conditions = [one["Condition"] for one in policy["Statement"] if "Condition" in one]
    assert conditions == [
        {"StringLike": {"s3:prefix": "cloudspend/*"}},
        {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
    ]


def test_the_bucket_is_listed_only_under_the_prefix(customer: Template) -> None:
    (policy,) = access_role(customer)["Policies"]
    (listing,) = [
        one for one in policy["PolicyDocument"]["Statement"] if one["Action"] == "s3:ListBucket"
    ]
    assert plain(listing["Condition"]["StringLike"]["s3:prefix"]) == "<ExportPrefix>/*"


def test_only_the_platform_with_the_external_id_may_assume_the_role(customer: Template) -> None:
    opens, marks = access_role(customer)["AssumeRolePolicyDocument"]["Statement"]
    platform = "arn:<AWS::Partition>:iam::<PlatformAccountId>:root"
    assert plain(opens["Principal"]["AWS"]) == plain(marks["Principal"]["AWS"]) == platform
    assert (opens["Effect"], opens["Action"]) == ("Allow", "sts:AssumeRole")
    assert opens["Condition"] == {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}}
    assert marks["Action"] == ["sts:SetSourceIdentity", "sts:TagSession"]


def test_verification_takes_the_template_s_own_trust_policy(customer: Template) -> None:
    """As IAM would show it, once the parameters are filled in."""
    shown = json.loads(
        re.sub(
            r'{"Fn::Sub": "[^"]*"}', '"arn:aws:iam::000000000000:root"', json.dumps(trust(customer))
        )
    )
    policy = json.loads(json.dumps(shown).replace('{"Ref": "ExternalId"}', '"x"'))
    assert excess_trust(policy, "000000000000", "x") == []
    assert excess_trust(policy, "000000000000", "y") != []


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
    customer: Template, created: Template, kind: ExportKind
) -> None:
    [export] = [one for one in created["Resources"].values() if one["Type"] in EXPORT_TYPES]
    assert export["Type"] == EXPORT_TYPES[kind in DATA_EXPORTS]
    assert {"Ref": "ExportBucketPolicy"} in named_with_the_bucket(customer, export["Type"])


def named_with_the_bucket(customer: Template, kind: str) -> list[Any]:
    """The key next to the bucket's name where it is chosen: it must be there before."""
    found = next(iter(of_type(customer, kind).values()))
    if "Export" in found:
        found = found["Export"]["DestinationConfigurations"]["S3Destination"]
    condition, created, existing = found["S3Bucket"]["Fn::If"]
    assert (condition, existing) == ("BucketIsCreated", {"Ref": "ExportBucketName"})
    names: list[Any] = created["Fn::Select"][1]
    return names


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
    assert properties["DeliveriesRule"] == {"Ref": "NewManifest"}
    assert properties["RoleArn"] == {"Fn::GetAtt": ["AccessRole", "Arn"]}
    legacy = kind is ExportKind.CUR_LEGACY
    assert properties["Export"] == (
        {"Ref": export} if legacy else {"Fn::GetAtt": [export, "ExportArn"]}
    )
    assert set(properties) == {
        "ServiceToken",
        "ServiceTimeout",
        "RegistrationToken",
        "AccountId",
        "RoleArn",
        "Export",
        "DeliveriesRule",
        "KmsKeyArn",
        "ExportBucketName",
        "ExportPrefix",
        "ExportName",
        "ExportKind",
        "Region",
        "TemplateVersion",
    }


def test_the_message_home_waits_for_the_members_stack_set(customer: Template) -> None:
    reached = as_created(
        customer, MemberStacks="SELF_MANAGED", MembersIn="222222222222", **PLATFORM
    )
    after = only(reached, "Custom::CloudSpendRegistration")["MemberStackSet"]
    assert after == {"Ref": "MemberStackSet"}


def test_only_manifests_of_the_export_are_told_of(customer: Template) -> None:
    rule = only(customer, "AWS::Events::Rule")
    detail = rule["EventPattern"]["detail"]
    assert detail["bucket"]["name"] == [{"Ref": "ExportBucketName"}]
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
    assert _link_parameters() == parameters - CUSTOMERS_OWN
    assert all(customer["Parameters"][name]["Default"] for name in CUSTOMERS_OWN - OPTIONAL)


OPTIONAL = {"KmsKeyArn", "PermissionsBoundaryArn"}


def test_what_is_there_already_is_not_made(customer: Template) -> None:
    made = {"AWS::S3::Bucket", "AWS::S3::BucketPolicy", *EXPORT_TYPES}

    def types(setup: str) -> set[str]:
        created = as_created(customer, ExportSetup=setup, **PLATFORM)
        return {one["Type"] for one in created["Resources"].values()} & made

    assert types("CREATE_ALL") == made - {"AWS::CUR::ReportDefinition"}
    assert types("CREATE_EXPORT") == {"AWS::BCMDataExports::Export"}
    assert types("USE_EXISTING") == set()
    existing = as_created(customer, ExportSetup="USE_EXISTING", **PLATFORM)
    registration = only(existing, "Custom::CloudSpendRegistration")
    assert registration["Export"] == {"Ref": "ExportName"}


def test_without_addresses_nothing_is_sent_out(customer: Template) -> None:
    created = as_created(customer)
    types = {one["Type"] for one in created["Resources"].values()}
    assert types.isdisjoint({"Custom::CloudSpendRegistration", "AWS::Events::Rule"})
    assert list(of_type(created, "AWS::IAM::Role")) == ["AccessRole"]


def test_for_a_key_there_is_no_role_and_nothing_is_sent_out(customer: Template) -> None:
    created = as_created(customer, Connection="ACCESS_KEY", KmsKeyArn=KEY, **PLATFORM)
    assert {one["Type"] for one in created["Resources"].values()} == {
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::BCMDataExports::Export",
    }
    bucket = only(created, "AWS::S3::Bucket")
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == {"Ref": "KmsKeyArn"}
    assert customer["Outputs"]["RoleArn"]["Condition"] == "RoleIsCreated"
    existing = as_created(customer, Connection="ACCESS_KEY", ExportSetup="USE_EXISTING", **PLATFORM)
    assert existing["Resources"] == {}


def test_path_and_boundary_are_of_every_role(customer: Template) -> None:
    boundary = {"Ref": "PermissionsBoundaryArn"}
    bounded = as_created(customer, PermissionsBoundaryArn="arn:aws:iam::aws:policy/X", **PLATFORM)
    free = as_created(customer, **PLATFORM)
    for role in of_type(bounded, "AWS::IAM::Role").values():
        assert (role["Path"], role["PermissionsBoundary"]) == ({"Ref": "RolePath"}, boundary)
    assert all("PermissionsBoundary" not in r for r in of_type(free, "AWS::IAM::Role").values())


def test_the_bucket_is_encrypted_with_the_customers_key_if_there_is_one(
    customer: Template,
) -> None:
    def rule(**parameters: str) -> Any:
        bucket = only(as_created(customer, **parameters), "AWS::S3::Bucket")
        (found,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        return found

    assert rule() == {
        "BucketKeyEnabled": False,
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
    }
    assert rule(KmsKeyArn=KEY) == {
        "BucketKeyEnabled": True,
        "ServerSideEncryptionByDefault": {
            "SSEAlgorithm": "aws:kms",
            "KMSMasterKeyID": {"Ref": "KmsKeyArn"},
        },
    }


def test_no_action_is_a_wildcard(customer: Template) -> None:
    statements = [
        statement
        for one in customer["Resources"].values()
        for document in _documents(one)
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
    ]
    assert len(statements) > 10
    actions = {action for one in statements for action in as_list(one["Action"])}
    assert [action for action in actions if "*" in action] == []


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("RolePath", ["/", "/vendors/", "/a/b-c/"], ["", "vendors", "/vendors", "//"]),
        ("KmsKeyArn", ["", KEY], ["alias/bill", KEY.replace("key/", "alias/"), f"{KEY}*"]),
        ("RegistrationTopicArn", ["", PLATFORM["RegistrationTopicArn"]], ["https://example.com"]),
        ("PermissionsBoundaryArn", ["", "arn:aws:iam::aws:policy/ReadOnlyAccess"], ["*"]),
    ],
)
def test_options_take_what_they_say(
    customer: Template, name: str, good: list[str], bad: list[str]
) -> None:
    pattern = customer["Parameters"][name]["AllowedPattern"]
    assert all(re.fullmatch(pattern, text) for text in good)
    assert not any(re.fullmatch(pattern, text) for text in bad)


def test_nothing_needs_bootstrapping(customer: Template) -> None:
    assert "BootstrapVersion" not in customer["Parameters"]
    assert "Rules" not in customer


def _documents(resource: Any) -> list[Any]:
    """Every policy document that a resource has."""
    properties = resource.get("Properties", {})
    inline = [policy["PolicyDocument"] for policy in properties.get("Policies", ())]
    named = [
        properties[n] for n in ("PolicyDocument", "AssumeRolePolicyDocument") if n in properties
    ]
    return [*inline, *named]


def _account(
    kind: ExportKind = ExportKind.CUR_2_0, export: Export | None = None, **more: Any
) -> Account:
    moment = datetime(2026, 10, 1, tzinfo=UTC)
    return Account(
        account_id="111111111111",
        display_name="Acme",
        type=AccountType.ORGANIZATION,
        regions=("us-east-1",),
        start_date=moment.date(),
        retention_months=12,
        export=export or Export(kind, "acme-bills", "cloudspend", "cloudspend-cur"),
        external_id="0" * 32,
        state=AccountState.INVITED,
        invited_at=moment,
        expires_at=moment,
        **more,
    )


def _link_parameters() -> set[str]:
    members = MembersChoice(MemberStacks.SERVICE_MANAGED, ("r-ab12",))
    found = set()
    for way in ConnectionKind:
        choices = StackChoices(ExportSetup.CREATE_EXPORT, members=members, connection=way)
        settings = Settings("000000000000", "us-east-1")
        link = quick_create_link(_account(), "token", settings, choices)
        query = parse_qs(link.partition("quickcreate?")[2])
        found |= {name.removeprefix("param_") for name in query if name.startswith("param_")}
    return found

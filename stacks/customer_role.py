"""The role that CloudSpend reads the bill with: a complete list of what it may do."""

from typing import Any

from aws_cdk import CfnCondition, Fn
from aws_cdk import aws_iam as iam
from constructs import Construct

from cloudspend import settings as names
from cloudspend.access.checks import PERMISSIONS
from stacks.constructs.review import accept
from stacks.customer_bucket import BILLING_REGION, BUCKET, EXPORTED_OBJECTS, document
from stacks.customer_export import Chosen
from stacks.customer_parameters import Parameters

GET_EXPORT = "bcm-data-exports:GetExport"
# AWS puts a random id behind the name.
OWN_EXPORT = Fn.sub(
    f"arn:${{AWS::Partition}}:bcm-data-exports:{BILLING_REGION}:${{AWS::AccountId}}"
    ":export/${ExportName}-*"
)

_ALLOW = {"Effect": "Allow"}


def access_role(scope: Construct, parameters: Parameters) -> iam.CfnRole:
    """The role, with what it may do whatever kind of export was chosen."""
    trust = {
        "Sid": "CloudSpendWithItsExternalId",
        "Effect": "Allow",
        "Principal": {"AWS": Fn.sub("arn:${AWS::Partition}:iam::${PlatformAccountId}:root")},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": parameters.external_id.value_as_string}},
    }
    role = iam.CfnRole(
        scope,
        "AccessRole",
        role_name=names.CUSTOMER_ROLE,
        description="CloudSpend reads the bill with this role. It can change nothing.",
        assume_role_policy_document=document([trust]),
        policies=[
            iam.CfnRole.PolicyProperty(
                policy_name="read-the-bill", policy_document=document([*_files(), _comparison()])
            )
        ],
    )
    accept(
        role,
        "The names of delivered files are AWS's; the bucket and the prefix are fixed.",
        "IAM5[Resource::arn:<AWS::Partition>:s3:::<ExportBucketName>/<ExportPrefix>/*]",
    )
    accept(
        role,
        "Cost Explorer, budgets, invoices and the organization are no resources that this "
        "permission could name; the actions only read.",
        "IAM5[Resource::*]",
    )
    return role


def definition_policy(scope: Construct, role: iam.CfnRole, chosen: Chosen) -> str:
    """The role's second policy, to look at what was chosen, a report or an export: its name."""
    report = _policy(scope, "LookAtTheReport", role, chosen.report, [_any("cur:")])
    own = {"Sid": "SeeHowItIsDefined", **_ALLOW, "Action": GET_EXPORT, "Resource": OWN_EXPORT}
    listing = _any("bcm-data-exports:", without=GET_EXPORT)
    export = _policy(scope, "LookAtTheExport", role, chosen.export, [listing, own])
    accept(
        export,
        "AWS puts a random id behind the export's name, which is fixed.",
        "IAM5[Resource::arn:<AWS::Partition>:bcm-data-exports:us-east-1:<AWS::AccountId>"
        ":export/<ExportName>-*]",
    )
    return Fn.condition_if(chosen.report.logical_id, report.ref, export.ref).to_string()


def _policy(
    scope: Construct,
    name: str,
    role: iam.CfnRole,
    condition: CfnCondition,
    statements: list[dict[str, Any]],
) -> iam.CfnPolicy:
    policy = iam.CfnPolicy(
        scope,
        name,
        policy_name=name,
        policy_document=document(statements),
        roles=[role.ref],
    )
    policy.cfn_options.condition = condition
    accept(
        policy,
        "Report definitions and the list of exports are no resources that a permission could "
        "name; the actions only read.",
        "IAM5[Resource::*]",
    )
    return policy


def _files() -> list[dict[str, Any]]:
    return [
        {
            "Sid": "FindTheBucket",
            **_ALLOW,
            "Action": "s3:GetBucketLocation",
            "Resource": BUCKET,
        },
        {
            "Sid": "FindTheBill",
            **_ALLOW,
            "Action": "s3:ListBucket",
            "Resource": BUCKET,
            "Condition": {"StringLike": {"s3:prefix": Fn.sub("${ExportPrefix}/*")}},
        },
        {
            "Sid": "ReadTheBill",
            **_ALLOW,
            "Action": "s3:GetObject",
            "Resource": EXPORTED_OBJECTS,
        },
    ]


def _comparison() -> dict[str, Any]:
    """What AWS itself says of the account's cost, beside the bill."""
    services = ("ce:", "organizations:", "budgets:", "invoicing:")
    return {**_any(*services), "Sid": "CompareTheBillWithAwsOwnFigures"}


def _any(*services: str, without: str = "") -> dict[str, Any]:
    """A statement with the actions of `services` that `cloudspend.access.checks` tries when an
    account is onboarded: nothing is granted that is not used."""
    actions = sorted(
        permission.action
        for permission in PERMISSIONS
        if permission.action.startswith(services) and permission.action != without
    )
    return {"Sid": "SeeWhatThereIs", **_ALLOW, "Action": actions, "Resource": "*"}

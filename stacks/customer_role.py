"""The role that CloudSpend reads the bill with: a complete list of what it may do."""

from typing import Any

from aws_cdk import Aws, Fn
from aws_cdk import aws_iam as iam
from constructs import Construct

from cloudspend import settings as names
from cloudspend.access.checks import PERMISSIONS
from cloudspend.access.trust import ASSUME, SESSION_ACTIONS
from stacks.constructs.review import accept, accept_empty
from stacks.customer_bucket import BILLING_REGION, BUCKET, EXPORTED_OBJECTS, document
from stacks.customer_choices import Choices, only_if
from stacks.customer_parameters import Parameters

# What names an export; to list exports, and to see reports, no resource can be named.
OF_ONE_EXPORT = frozenset(
    {
        "bcm-data-exports:GetExecution",
        "bcm-data-exports:GetExport",
        "bcm-data-exports:ListExecutions",
    }
)
EVERY_EXPORT = Fn.sub(
    f"arn:${{AWS::Partition}}:bcm-data-exports:{BILLING_REGION}:${{AWS::AccountId}}:export/*"
)
DECRYPT = "kms:Decrypt"

_ALLOW = {"Effect": "Allow"}


def access_role(scope: Construct, parameters: Parameters, choices: Choices) -> iam.CfnRole:
    """The role, with what it may do for every choice; none where a key opens the account."""
    role = iam.CfnRole(
        scope,
        "AccessRole",
        role_name=names.CUSTOMER_ROLE,
        path=parameters.role_path.value_as_string,
        permissions_boundary=only_if(choices.boundary, parameters.boundary.value_as_string),
        description="CloudSpend reads the bill with this role. It can change nothing.",
        assume_role_policy_document=document(trusting(parameters.external_id.value_as_string)),
        policies=[
            iam.CfnRole.PolicyProperty(
                policy_name="read-the-bill",
                policy_document=document([_itself(), *_files(), *_definitions(), _comparison()]),
            )
        ],
    )
    role.cfn_options.condition = choices.role
    accept_empty(role)
    accept(
        role,
        "The names of delivered files are AWS's; the bucket and the prefix are fixed.",
        "IAM5[Resource::arn:<AWS::Partition>:s3:::<ExportBucketName>/<ExportPrefix>/*]",
    )
    accept(
        role,
        "AWS puts a random id behind an export's name, and an export that was there before may "
        "have any name; the actions only read definitions and states of deliveries.",
        "IAM5[Resource::arn:<AWS::Partition>:bcm-data-exports:us-east-1:<AWS::AccountId>:export/*]",
    )
    accept(
        role,
        "Cost Explorer, budgets, invoices and the organization are no resources that this "
        "permission could name; the actions only read.",
        "IAM5[Resource::*]",
    )
    return role


def trusting(external_id: str) -> list[dict[str, Any]]:
    """Only the platform with its external id gets in; what its sessions say of themselves opens
    nothing, and IAM asks for no external id there. For templates with `PlatformAccountId`."""
    platform = {"AWS": Fn.sub("arn:${AWS::Partition}:iam::${PlatformAccountId}:root")}
    return [
        {
            "Sid": "CloudSpendWithItsExternalId",
            **_ALLOW,
            "Principal": platform,
            "Action": ASSUME,
            "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
        },
        {
            "Sid": "CloudSpendSaysWhoComesAndWhatFor",
            **_ALLOW,
            "Principal": platform,
            "Action": list(SESSION_ACTIONS),
        },
    ]


def _itself() -> dict[str, Any]:
    """So that CloudSpend can prove that no one else is trusted: it refuses a role that is open."""
    return showing_itself(f"${{RolePath}}{names.CUSTOMER_ROLE}")


def showing_itself(path_and_name: str) -> dict[str, Any]:
    """The statement by which the role of that path and name shows its own definition."""
    own = Fn.sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role{path_and_name}")
    return {"Sid": "ShowWhoMayUseThisRole", **_ALLOW, "Action": "iam:GetRole", "Resource": own}


def decryption(
    scope: Construct, role: iam.CfnRole, parameters: Parameters, choices: Choices
) -> str:
    """The role's second policy, if the bill is encrypted with a key of the customer's: its name."""
    key = parameters.key.value_as_string
    region = Fn.select(3, Fn.split(":", key))
    statement = {
        "Sid": "DecryptTheBill",
        **_ALLOW,
        "Action": DECRYPT,
        "Resource": key,
        # Through S3, for objects that the role may read; never by asking KMS itself.
        "Condition": {
            "StringEquals": {"kms:ViaService": Fn.join(".", ["s3", region, Aws.URL_SUFFIX])}
        },
    }
    policy = iam.CfnPolicy(
        scope,
        "DecryptionPolicy",
        policy_name="decrypt-the-bill",
        policy_document=document([statement]),
        roles=[role.ref],
    )
    policy.cfn_options.condition = choices.decryption
    return only_if(choices.decryption, policy.ref)


def _definitions() -> list[dict[str, Any]]:
    """To see which reports and exports there are, how each is defined and how its deliveries go."""
    granted = _any("cur:", "bcm-data-exports:")["Action"]
    named = [action for action in granted if action in OF_ONE_EXPORT]
    others = [action for action in granted if action not in OF_ONE_EXPORT]
    return [
        {"Sid": "SeeWhichExportsThereAre", **_ALLOW, "Action": others, "Resource": "*"},
        {"Sid": "SeeHowTheyAreDelivered", **_ALLOW, "Action": named, "Resource": EVERY_EXPORT},
    ]


def _files() -> list[dict[str, Any]]:
    return [
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
    """What AWS itself says of the account's cost, next to the bill."""
    services = ("ce:", "organizations:", "budgets:", "invoicing:")
    return {**_any(*services), "Sid": "CompareTheBillWithAwsOwnFigures"}


def _any(*services: str) -> dict[str, Any]:
    """A statement with the actions of `services` that `cloudspend.access.checks` tries when an
    account is onboarded: nothing is granted that is not used."""
    actions = sorted(
        permission.action for permission in PERMISSIONS if permission.action.startswith(services)
    )
    return {**_ALLOW, "Action": actions, "Resource": "*"}

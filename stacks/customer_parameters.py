"""Parameters of the customer's template.

The quick-create link fills in the values that the platform knows. Parameters that only the customer
can decide (`CUSTOMERS_OWN`) have a default that changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aws_cdk import CfnParameter, Stack

from cloudspend.accounts.model import ConnectionKind, ExportKind, ExportSetup, MemberStacks
from cloudspend.settings import PREFIX
from stacks.customer_texts import PARAMETERS

# Values of a table configuration of Data Exports; FALSE is the default.
SPLIT_COST_CHOICES = ("FALSE", "TRUE")
# For StackSets in the management account. A delegated administrator uses the template of
# `stacks.members_stack`.
MEMBER_STACKS = (MemberStacks.NONE, MemberStacks.SERVICE_MANAGED, MemberStacks.SELF_MANAGED)
# AWS Organizations API reference, OrganizationalUnit and Root.
UNIT = r"(ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32})"
# One folder of a prefix, with the characters that the S3 user guide lists as safe.
FOLDER = r"[A-Za-z0-9!_.'()-]+"
DEFAULT_RETENTION_DAYS = 1830
CUSTOMERS_OWN = frozenset(
    {"SplitCostAllocationData", "KmsKeyArn", "RolePath", "PermissionsBoundaryArn"}
)

_GROUPS = {
    "Who can read the bill": (
        "Connection",
        "PlatformAccountId",
        "ExternalId",
        "RolePath",
        "PermissionsBoundaryArn",
    ),
    "Where AWS delivers the bill": (
        "ExportSetup",
        "ExportKind",
        "ExportBucketName",
        "ExportPrefix",
        "ExportName",
        "SplitCostAllocationData",
        "RetentionDays",
        "KmsKeyArn",
    ),
    "How CloudSpend is notified (leave empty if nothing may leave the account)": (
        "RegistrationTopicArn",
        "RegistrationToken",
        "DeliveriesBusArn",
    ),
    "Member accounts of your organization (nothing is created in them by default)": (
        "MemberStacks",
        "MembersIn",
    ),
}
_LABELS = {
    "Connection": "Role or access key",
    "PlatformAccountId": "CloudSpend's account",
    "ExternalId": "External id",
    "RolePath": "Role path",
    "PermissionsBoundaryArn": "Permissions boundary of the roles",
    "ExportSetup": "New or existing export",
    "ExportKind": "Kind of export",
    "ExportBucketName": "Bucket",
    "ExportPrefix": "Folder in the bucket",
    "ExportName": "Name of the report or export",
    "SplitCostAllocationData": "Split cost of containers",
    "RetentionDays": "Days to keep delivered files",
    "KmsKeyArn": "Your KMS key",
    "RegistrationTopicArn": "Registration topic",
    "RegistrationToken": "Registration token",
    "DeliveriesBusArn": "Event bus for deliveries",
    "MemberStacks": "Stacks in member accounts",
    "MembersIn": "Units or member accounts",
}
_DELEGATED = {
    "Who can use the roles": ("PlatformAccountId", "ExternalId"),
    "The member accounts that get a role": ("MembersIn",),
}


def _interface(groups: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the metadata with which the CloudFormation console orders and labels parameters."""
    return {
        "AWS::CloudFormation::Interface": {
            "ParameterGroups": [
                {"Label": {"default": label}, "Parameters": list(parameters)}
                for label, parameters in groups.items()
            ],
            "ParameterLabels": {
                name: {"default": _LABELS[name]}
                for parameters in groups.values()
                for name in parameters
            },
        }
    }


INTERFACE = _interface(_GROUPS)
# For the template of a delegated administrator.
MEMBERS_INTERFACE = _interface(_DELEGATED)


def platform_account(stack: Stack) -> CfnParameter:
    """Add the parameter for the account that a role trusts."""
    return _text(
        stack,
        "PlatformAccountId",
        PARAMETERS["PlatformAccountId"],
        r"\d{12}",
    )


def external_id(stack: Stack) -> CfnParameter:
    """Add the parameter for the external id that a role requires."""
    return _text(
        stack,
        "ExternalId",
        PARAMETERS["ExternalId"],
        r"[\w+=,.@:/-]{2,1224}",
    )


def units(stack: Stack) -> CfnParameter:
    """Add the parameter for the units that a delegated administrator's stack covers."""
    return _text(
        stack,
        "MembersIn",
        "The ids of organizational units, or of the root (r-...) for all accounts, with commas "
        "between them",
        f"{UNIT}(,{UNIT})*",
    )


class Parameters:
    """The parameters of the template. None stays secret: the registration token works once."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.connection = self._choice("Connection", ConnectionKind, ConnectionKind.IAM_ROLE)
        self.platform_account = platform_account(stack)
        self.external_id = external_id(stack)
        self.role_path = self._text("RolePath", r"/([\w+=,.@-]+/)*", default="/")
        self.boundary = self._optional(
            "PermissionsBoundaryArn", r"arn:aws[a-z-]*:iam::(\d{12}|aws):policy/[\w+=,.@/-]+"
        )
        self.setup = self._choice("ExportSetup", ExportSetup, ExportSetup.CREATE_ALL)
        self.export_kind = self._choice("ExportKind", ExportKind, ExportKind.CUR_2_0)
        self.bucket_name = self._text("ExportBucketName", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
        self.prefix = self._text("ExportPrefix", rf"{FOLDER}(/{FOLDER})*", default=PREFIX)
        self.export_name = self._text(
            "ExportName", r"[0-9A-Za-z][0-9A-Za-z_.-]{0,127}", default=f"{PREFIX}-cur-2-0"
        )
        self.split_cost = self._choice(
            "SplitCostAllocationData", SPLIT_COST_CHOICES, SPLIT_COST_CHOICES[0]
        )
        self.retention_days = CfnParameter(
            stack,
            "RetentionDays",
            type="Number",
            description=PARAMETERS["RetentionDays"],
            min_value=31,
            max_value=36500,
            default=DEFAULT_RETENTION_DAYS,
        )
        self.key = self._optional(
            "KmsKeyArn", r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[0-9a-z-]+"
        )
        self.registration_topic = self._optional(
            "RegistrationTopicArn", r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+"
        )
        self.registration_token = self._optional("RegistrationToken", r"[\w-]{1,128}")
        self.deliveries_bus = self._optional(
            "DeliveriesBusArn", r"arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus/[\w-]+"
        )
        self.member_stacks = self._choice("MemberStacks", MEMBER_STACKS, MemberStacks.NONE)
        member = rf"({UNIT}|\d{{12}})"
        self.members_in = self._optional("MembersIn", f"{member}(,{member})*")

    def _choice(self, name: str, choices: Iterable[str], default: str) -> CfnParameter:
        return CfnParameter(
            self._stack,
            name,
            type="String",
            description=PARAMETERS[name],
            allowed_values=[str(choice) for choice in choices],
            default=str(default),
        )

    def _optional(self, name: str, pattern: str) -> CfnParameter:
        return self._text(name, f"|{pattern}", default="")

    def _text(self, name: str, pattern: str, default: str | None = None) -> CfnParameter:
        return _text(self._stack, name, PARAMETERS[name], pattern, default)


def _text(
    stack: Stack, name: str, description: str, pattern: str, default: str | None = None
) -> CfnParameter:
    return CfnParameter(
        stack,
        name,
        type="String",
        description=description,
        allowed_pattern=pattern,
        constraint_description=f"{name} must have the form {pattern}",
        default=default,
    )

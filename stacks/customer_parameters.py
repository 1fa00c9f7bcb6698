"""The parameters of the customer's template. The quick-create link fills in what the platform
knows; what the customer alone decides (`CUSTOMERS_OWN`) has a default that asks for nothing."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from aws_cdk import CfnParameter, Stack

from cloudspend.accounts.model import ExportKind, ExportSetup, MemberStacks
from cloudspend.settings import PREFIX

# As Data Exports writes yes and no in a table's configuration; no is the default.
SPLIT_COST_CHOICES = ("FALSE", "TRUE")
# Who operates StackSets from the management account; a delegated administrator has a template of
# its own (`stacks.members_stack`).
MEMBER_STACKS = (MemberStacks.NONE, MemberStacks.SERVICE_MANAGED, MemberStacks.SELF_MANAGED)
# AWS Organizations API reference, OrganizationalUnit and Root.
UNIT = r"(ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32})"
DEFAULT_RETENTION_DAYS = 1830
CUSTOMERS_OWN = frozenset(
    {"SplitCostAllocationData", "KmsKeyArn", "RolePath", "PermissionsBoundaryArn"}
)

_GROUPS = {
    "Who may read the bill": (
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
    "How CloudSpend learns of it (leave empty if nothing may be sent out)": (
        "RegistrationTopicArn",
        "RegistrationToken",
        "DeliveriesBusArn",
    ),
    "The member accounts of your organization (nothing is created in them, unless you choose it)": (
        "MemberStacks",
        "MembersIn",
    ),
}
_LABELS = {
    "PlatformAccountId": "CloudSpend's account",
    "ExternalId": "External id",
    "RolePath": "Path of the roles",
    "PermissionsBoundaryArn": "Permissions boundary of the roles",
    "ExportSetup": "New or existing export",
    "ExportKind": "Kind of export",
    "ExportBucketName": "Bucket",
    "ExportPrefix": "Folder in the bucket",
    "ExportName": "Name of the report or export",
    "SplitCostAllocationData": "Cost of containers",
    "RetentionDays": "Days that files are kept",
    "KmsKeyArn": "KMS key of your own",
    "RegistrationTopicArn": "Where this stack is announced",
    "RegistrationToken": "Token of the invitation",
    "DeliveriesBusArn": "Where deliveries are announced",
    "MemberStacks": "Stacks in member accounts",
    "MembersIn": "Which member accounts",
}
_DELEGATED = {
    "Who may use the roles": ("PlatformAccountId", "ExternalId"),
    "The member accounts that get a role": ("MembersIn",),
}


def _interface(groups: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """How the CloudFormation console orders and names the parameters."""
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
# Of the template for a delegated administrator.
MEMBERS_INTERFACE = _interface(_DELEGATED)


def platform_account(stack: Stack) -> CfnParameter:
    """Whom a role lets in."""
    return _text(
        stack,
        "PlatformAccountId",
        "The AWS account of CloudSpend, which may use the role",
        r"\d{12}",
    )


def external_id(stack: Stack) -> CfnParameter:
    """What a role asks for beside that."""
    return _text(
        stack,
        "ExternalId",
        "CloudSpend shows this id whenever it uses the role; without it the role stays shut",
        r"[\w+=,.@:/-]{2,1224}",
    )


def units(stack: Stack) -> CfnParameter:
    """Which accounts a delegated administrator's stack reaches."""
    return _text(
        stack,
        "MembersIn",
        "The ids of organizational units, or of the root (r-...) for all accounts, with commas "
        "between them",
        f"{UNIT}(,{UNIT})*",
    )


class Parameters:
    """What the template is told. None of it is secret for long: the token works once."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.platform_account = platform_account(stack)
        self.external_id = external_id(stack)
        self.role_path = self._text(
            "RolePath",
            "The path that the roles are created under, if your rules ask for one, e.g. /vendors/",
            r"/([\w+=,.@-]+/)*",
            default="/",
        )
        self.boundary = self._optional(
            "PermissionsBoundaryArn",
            "The ARN of the policy that bounds the roles, if your rules ask for one",
            r"arn:aws[a-z-]*:iam::(\d{12}|aws):policy/[\w+=,.@/-]+",
        )
        self.setup = self._choice(
            "ExportSetup",
            "CREATE_ALL makes a bucket and an export. CREATE_EXPORT makes an export that AWS "
            "delivers to a bucket of yours, whose policy must let AWS in already. USE_EXISTING "
            "makes neither: CloudSpend reads the export that the following fields describe.",
            ExportSetup,
            ExportSetup.CREATE_ALL,
        )
        self.export_kind = self._choice(
            "ExportKind",
            "What AWS delivers: an export of CUR 2.0 (hourly, with resource ids), of FOCUS 1.2 or "
            "1.0, or the legacy Cost and Usage Report",
            ExportKind,
            ExportKind.CUR_2_0,
        )
        self.bucket_name = self._text(
            "ExportBucketName",
            "The bucket that the bill is delivered to; created if ExportSetup is CREATE_ALL",
            r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        )
        self.prefix = self._text(
            "ExportPrefix",
            "The folder in the bucket that AWS delivers to, and the only one CloudSpend can read",
            r"[A-Za-z0-9!_.'()-]+(/[A-Za-z0-9!_.'()-]+)*",
            default=PREFIX,
        )
        self.export_name = self._text(
            "ExportName",
            "The name of the report or export; only a report's may have dots",
            r"[0-9A-Za-z][0-9A-Za-z_.-]{0,127}",
            default=f"{PREFIX}-cur-2-0",
        )
        self.split_cost = CfnParameter(
            stack,
            "SplitCostAllocationData",
            type="String",
            description="Whether a CUR 2.0 export also splits the cost of container hosts among "
            "their containers; it must be enabled in the Cost Management preferences first",
            allowed_values=list(SPLIT_COST_CHOICES),
            default=SPLIT_COST_CHOICES[0],
        )
        self.retention_days = CfnParameter(
            stack,
            "RetentionDays",
            type="Number",
            description="After how many days delivered files are deleted from a bucket that this "
            "stack creates",
            min_value=31,
            max_value=36500,
            default=DEFAULT_RETENTION_DAYS,
        )
        self.key = self._optional(
            "KmsKeyArn",
            "The ARN of your KMS key, if the bill is to be (or is) encrypted with one. Its policy "
            "must let AWS's billing service encrypt and the role decrypt; see docs/security.md",
            r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[0-9a-z-]+",
        )
        self.registration_topic = self._optional(
            "RegistrationTopicArn",
            "Where this stack tells CloudSpend that it is there. Empty: it tells nobody, and you "
            "send the output RoleArn to whoever invited you.",
            r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+",
        )
        self.registration_token = self._optional(
            "RegistrationToken",
            "Proves to CloudSpend that this is the account that was invited; it works once",
            r"[\w-]{1,128}",
        )
        self.deliveries_bus = self._optional(
            "DeliveriesBusArn",
            "Where CloudSpend is told that AWS has delivered a bill. Empty: nothing is told, and "
            "CloudSpend looks for new bills every six hours.",
            r"arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus/[\w-]+",
        )
        self.member_stacks = self._choice(
            "MemberStacks",
            "NONE creates nothing in member accounts. SERVICE_MANAGED creates the role "
            "cloudspend-member in every account of the units below, also in those that join later; "
            "trusted access of CloudFormation StackSets must be activated. SELF_MANAGED creates it "
            "in the accounts below, in which StackSets' own roles must exist.",
            MEMBER_STACKS,
            MemberStacks.NONE,
        )
        self.members_in = self._optional(
            "MembersIn",
            "For SERVICE_MANAGED the ids of organizational units, or of the root (r-...) for all "
            "accounts; for SELF_MANAGED account ids; with commas between them",
            rf"({UNIT}|\d{{12}})(,({UNIT}|\d{{12}}))*",
        )

    def _choice(
        self, name: str, description: str, choices: Iterable[StrEnum], default: StrEnum
    ) -> CfnParameter:
        return CfnParameter(
            self._stack,
            name,
            type="String",
            description=description,
            allowed_values=[str(choice) for choice in choices],
            default=str(default),
        )

    def _optional(self, name: str, description: str, pattern: str) -> CfnParameter:
        return self._text(name, description, f"|{pattern}", default="")

    def _text(
        self, name: str, description: str, pattern: str, default: str | None = None
    ) -> CfnParameter:
        return _text(self._stack, name, description, pattern, default)


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

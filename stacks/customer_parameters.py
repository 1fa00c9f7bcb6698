"""The parameters of the customer's template; the quick-create link fills in all of them, but for
`SplitCostAllocationData`, which is the customer's own choice."""

from typing import Any

from aws_cdk import CfnParameter, Stack

from cloudspend.accounts.model import ExportKind
from cloudspend.settings import PREFIX

# As Data Exports writes yes and no in a table's configuration; no is the default.
SPLIT_COST_CHOICES = ("FALSE", "TRUE")
DEFAULT_RETENTION_DAYS = 1830

_GROUPS = {
    "Who may read the bill": ("PlatformAccountId", "ExternalId"),
    "Where AWS delivers the bill": (
        "ExportBucketName",
        "ExportPrefix",
        "ExportName",
        "ExportKind",
        "SplitCostAllocationData",
        "RetentionDays",
    ),
    "How CloudSpend learns of it": (
        "RegistrationTopicArn",
        "RegistrationToken",
        "DeliveriesBusArn",
    ),
}
# How the CloudFormation console orders the parameters.
INTERFACE: dict[str, Any] = {
    "AWS::CloudFormation::Interface": {
        "ParameterGroups": [
            {"Label": {"default": label}, "Parameters": list(parameters)}
            for label, parameters in _GROUPS.items()
        ]
    }
}


class Parameters:
    """What the template is told. None of it is secret for long: the token works once."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.platform_account = self._text(
            "PlatformAccountId", "The AWS account of CloudSpend, which may use the role", r"\d{12}"
        )
        self.external_id = self._text(
            "ExternalId",
            "CloudSpend shows this id whenever it uses the role; without it the role stays shut",
            r"[\w+=,.@:/-]{2,1224}",
        )
        self.bucket_name = self._text(
            "ExportBucketName",
            "The bucket that is created for the bill",
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
            "The name of the report or export that is created; only a report's may have dots",
            r"[0-9A-Za-z][0-9A-Za-z_.-]{0,127}",
            default=f"{PREFIX}-cur",
        )
        self.export_kind = CfnParameter(
            stack,
            "ExportKind",
            type="String",
            description="What AWS is to deliver: the legacy Cost and Usage Report, or an export of "
            "CUR 2.0 or FOCUS",
            allowed_values=[str(kind) for kind in ExportKind],
            default=str(ExportKind.CUR_LEGACY),
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
            description="After how many days delivered files are deleted from the bucket",
            min_value=31,
            max_value=36500,
            default=DEFAULT_RETENTION_DAYS,
        )
        self.registration_topic = self._text(
            "RegistrationTopicArn",
            "Where this stack tells CloudSpend that it is there",
            r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+",
        )
        self.registration_token = self._text(
            "RegistrationToken",
            "Proves to CloudSpend that this is the account that was invited; it works once",
            r"[\w-]{1,128}",
        )
        self.deliveries_bus = self._text(
            "DeliveriesBusArn",
            "Where CloudSpend is told that AWS has delivered a bill",
            r"arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus/[\w-]+",
        )

    def _text(
        self, name: str, description: str, pattern: str, default: str | None = None
    ) -> CfnParameter:
        return CfnParameter(
            self._stack,
            name,
            type="String",
            description=description,
            allowed_pattern=pattern,
            constraint_description=f"{name} must have the form {pattern}",
            default=default,
        )

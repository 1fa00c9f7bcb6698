"""The customer's side: one template that a security reviewer can read from top to bottom.

It is synthesized alone, without bootstrap resources, and published as it stands. Everything in it
is written out, so that no permission hides behind a helper.
"""

import tempfile
from typing import Any

import yaml
from aws_cdk import (
    App,
    Aws,
    CfnCondition,
    CfnOutput,
    CfnParameter,
    CfnResource,
    DefaultStackSynthesizer,
    Fn,
    RemovalPolicy,
    Stack,
)
from aws_cdk import aws_cur as cur
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cloudspend import settings as names
from cloudspend.accounts.model import ExportKind
from stacks.constructs.review import accept

TEMPLATE_VERSION = "1"
REPORTS_REGION = "us-east-1"
SESSION_SECONDS = 3600

READ_EXPORT = "An export's files are named by AWS as it delivers them, under the export's prefix."
NO_RESOURCE = (
    "These read-only actions of AWS Billing, Cost Explorer and Organizations take no resource "
    "(AWS Service Authorization Reference)."
)
OWN_LOGS = (
    "Whether and where accesses to the customer's bucket are logged is the customer's own policy."
)


def customer_template() -> str:
    """The template as YAML."""
    with tempfile.TemporaryDirectory() as folder:
        app = App(outdir=folder, analytics_reporting=False)
        stack = CustomerStack(app, "customer")
        template: dict[str, Any] = app.synth().get_stack_by_name(stack.stack_name).template
    return str(yaml.safe_dump(template, sort_keys=False, width=100))


class CustomerStack(Stack):
    """Role, export and bucket, delivery events, and the registration at the platform."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(
            scope,
            construct_id,
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            description="CloudSpend: lets the platform read this account's cost data, and nothing "
            "else",
        )
        self._parameters()
        self._interface()
        bucket, policy = self._bucket()
        report = self._report(policy)
        role = self._role()
        rule = self._delivery_events()
        registration = self._registration(role)
        for earlier in (bucket, policy, report, rule):
            registration.add_dependency(earlier)
        CfnOutput(
            self, "AccessRoleArn", value=role.attr_arn, description="The role CloudSpend assumes"
        )
        CfnOutput(
            self, "DeliveriesBucket", value=bucket.ref, description="Where AWS puts the export"
        )
        CfnOutput(self, "TemplateVersion", value=TEMPLATE_VERSION, description="For support")

    def _parameters(self) -> None:
        def text(name: str, description: str, **more: Any) -> str:
            return CfnParameter(self, name, description=description, **more).value_as_string

        account = {"allowed_pattern": r"\d{12}"}
        self.platform = text(
            "PlatformAccountId", "AWS account of the CloudSpend platform", **account
        )
        self.external_id = text(
            "ExternalId",
            "The platform must present this to use the role; it is yours alone",
            allowed_pattern=r"[\w+=,.@:/-]{2,1224}",
        )
        self.bucket_name = text(
            "ExportBucketName", "Name of the bucket for the export", min_length=3
        )
        self.prefix = text(
            "ExportPrefix", "Folder of the export in the bucket", default="cloudspend"
        )
        self.export_name = text("ExportName", "Name of the export", default="cloudspend-cur")
        text(
            "ExportKind",
            "What AWS delivers",
            default=str(ExportKind.CUR_LEGACY),
            allowed_values=[str(ExportKind.CUR_LEGACY)],
        )
        self.retention = CfnParameter(
            self,
            "RetentionDays",
            type="Number",
            default=0,
            min_value=0,
            description="Days after which delivered files are deleted; 0 keeps them",
        )
        self.topic = text("RegistrationTopicArn", "Where this stack says that it is there")
        self.token = text(
            "RegistrationToken", "Proves that this stack follows an invitation; works once"
        )
        self.deliveries_bus = text("DeliveriesBusArn", "Where new deliveries are announced")

    def _interface(self) -> None:
        """How the console groups the parameters."""
        groups = {
            "The platform": ["PlatformAccountId", "ExternalId"],
            "The export": [
                "ExportKind",
                "ExportBucketName",
                "ExportPrefix",
                "ExportName",
                "RetentionDays",
            ],
            "Set by your invitation, leave as they are": [
                "RegistrationTopicArn",
                "RegistrationToken",
                "DeliveriesBusArn",
            ],
        }
        self.template_options.metadata = {
            "AWS::CloudFormation::Interface": {
                "ParameterGroups": [
                    {"Label": {"default": label}, "Parameters": parameters}
                    for label, parameters in groups.items()
                ]
            }
        }

    def _bucket(self) -> tuple[s3.CfnBucket, s3.CfnBucketPolicy]:
        expires = CfnCondition(
            self,
            "DeliveriesExpire",
            expression=Fn.condition_not(Fn.condition_equals(self.retention.value_as_number, 0)),
        )
        unfinished = {
            "Id": "unfinished-uploads",
            "Status": "Enabled",
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
        old = {
            "Id": "old-deliveries",
            "Status": "Enabled",
            "ExpirationInDays": self.retention.value_as_number,
        }
        bucket = s3.CfnBucket(
            self,
            "ExportBucket",
            bucket_name=self.bucket_name,
            bucket_encryption=s3.CfnBucket.BucketEncryptionProperty(
                server_side_encryption_configuration=[
                    s3.CfnBucket.ServerSideEncryptionRuleProperty(
                        server_side_encryption_by_default=s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
                            sse_algorithm="AES256"
                        )
                    )
                ]
            ),
            ownership_controls=s3.CfnBucket.OwnershipControlsProperty(
                rules=[
                    s3.CfnBucket.OwnershipControlsRuleProperty(
                        object_ownership="BucketOwnerEnforced"
                    )
                ]
            ),
            public_access_block_configuration=s3.CfnBucket.PublicAccessBlockConfigurationProperty(
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
            ),
            notification_configuration=s3.CfnBucket.NotificationConfigurationProperty(
                event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
                    event_bridge_enabled=True
                )
            ),
        )
        bucket.add_property_override(
            "LifecycleConfiguration.Rules",
            {"Fn::If": [expires.logical_id, [old, unfinished], [unfinished]]},
        )
        bucket.apply_removal_policy(RemovalPolicy.RETAIN)
        accept(bucket, OWN_LOGS, "S1")
        policy = s3.CfnBucketPolicy(
            self,
            "ExportBucketPolicy",
            bucket=bucket.ref,
            policy_document={"Version": "2012-10-17", "Statement": self._bucket_statements()},
        )
        return bucket, policy

    def _bucket_statements(self) -> list[dict[str, Any]]:
        bucket = f"arn:{Aws.PARTITION}:s3:::{self.bucket_name}"
        reports = {"Service": "billingreports.amazonaws.com"}
        definitions = f"arn:{Aws.PARTITION}:cur:{REPORTS_REGION}:{Aws.ACCOUNT_ID}:definition/*"
        from_here = {
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
            "ArnLike": {"aws:SourceArn": definitions},
        }
        return [
            {
                "Sid": "NothingWithoutTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [bucket, f"{bucket}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
            {
                "Sid": "AwsLooksBeforeDelivering",
                "Effect": "Allow",
                "Principal": reports,
                "Action": ["s3:GetBucketAcl", "s3:GetBucketPolicy"],
                "Resource": bucket,
                "Condition": from_here,
            },
            {
                "Sid": "AwsDelivers",
                "Effect": "Allow",
                "Principal": reports,
                "Action": "s3:PutObject",
                "Resource": f"{bucket}/*",
                "Condition": from_here,
            },
        ]

    def _report(self, policy: s3.CfnBucketPolicy) -> cur.CfnReportDefinition:
        """The legacy report; AWS checks that it may write to the bucket, so the policy is first."""
        report = cur.CfnReportDefinition(
            self,
            "Report",
            report_name=self.export_name,
            s3_bucket=self.bucket_name,
            s3_prefix=self.prefix,
            s3_region=Aws.REGION,
            time_unit="HOURLY",
            format="textORcsv",
            compression="GZIP",
            additional_schema_elements=["RESOURCES"],
            refresh_closed_reports=True,
            report_versioning="CREATE_NEW_REPORT",
        )
        report.add_dependency(policy)
        return report

    def _role(self) -> iam.CfnRole:
        role = iam.CfnRole(
            self,
            "AccessRole",
            role_name=names.CUSTOMER_ROLE,
            description="CloudSpend reads the cost export and Cost Explorer with this role",
            max_session_duration=SESSION_SECONDS,
            assume_role_policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "OnlyThePlatformWithTheExternalId",
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:{Aws.PARTITION}:iam::{self.platform}:root"},
                        "Action": "sts:AssumeRole",
                        "Condition": {"StringEquals": {"sts:ExternalId": self.external_id}},
                    }
                ],
            },
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="read-cost-data",
                    policy_document={"Version": "2012-10-17", "Statement": self._permissions()},
                )
            ],
        )
        accept(
            role,
            READ_EXPORT,
            "IAM5[Resource::arn:<AWS::Partition>:s3:::<ExportBucketName>/<ExportPrefix>/*]",
        )
        accept(role, NO_RESOURCE, "IAM5[Resource::*]")
        return role

    def _permissions(self) -> list[dict[str, Any]]:
        bucket = f"arn:{Aws.PARTITION}:s3:::{self.bucket_name}"
        prefixes = [self.prefix, f"{self.prefix}/*"]
        return [
            {
                "Sid": "FindTheExportBucket",
                "Effect": "Allow",
                "Action": ["s3:GetBucketLocation"],
                "Resource": bucket,
            },
            {
                "Sid": "ListTheExport",
                "Effect": "Allow",
                "Action": ["s3:ListBucket"],
                "Resource": bucket,
                "Condition": {"StringLike": {"s3:prefix": prefixes}},
            },
            {
                "Sid": "ReadTheExport",
                "Effect": "Allow",
                "Action": ["s3:GetObject"],
                "Resource": f"{bucket}/{self.prefix}/*",
            },
            {
                "Sid": "SeeHowTheExportIsDefined",
                "Effect": "Allow",
                "Action": ["cur:DescribeReportDefinitions"],
                "Resource": "*",
            },
            {
                "Sid": "CompareWithCostExplorer",
                "Effect": "Allow",
                "Action": ["ce:GetCostAndUsage", "ce:GetDimensionValues"],
                "Resource": "*",
            },
            {
                "Sid": "KnowTheLinkedAccounts",
                "Effect": "Allow",
                "Action": ["organizations:DescribeOrganization", "organizations:ListAccounts"],
                "Resource": "*",
            },
        ]

    def _delivery_events(self) -> events.CfnRule:
        role = iam.CfnRole(
            self,
            "DeliveryEventsRole",
            description="Lets EventBridge announce new deliveries to CloudSpend",
            assume_role_policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                        "Condition": {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
                    }
                ],
            },
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="announce-deliveries",
                    policy_document={
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Sid": "AnnounceDeliveries",
                                "Effect": "Allow",
                                "Action": ["events:PutEvents"],
                                "Resource": self.deliveries_bus,
                            }
                        ],
                    },
                )
            ],
        )
        return events.CfnRule(
            self,
            "DeliveryEvents",
            description="A new manifest in the export bucket is announced to CloudSpend",
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [self.bucket_name]},
                    "object": {"key": [{"suffix": names.MANIFEST_SUFFIX}]},
                },
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="platform", arn=self.deliveries_bus, role_arn=role.attr_arn
                )
            ],
        )

    def _registration(self, role: iam.CfnRole) -> CfnResource:
        return CfnResource(
            self,
            "Registration",
            type="Custom::CloudSpendRegistration",
            properties={
                "ServiceToken": self.topic,
                "RegistrationToken": self.token,
                "AccountId": Aws.ACCOUNT_ID,
                "RoleArn": role.attr_arn,
                "ExportBucketName": self.bucket_name,
                "ExportPrefix": self.prefix,
                "ExportName": self.export_name,
                "ExportKind": Fn.ref("ExportKind"),
                "Region": Aws.REGION,
                "TemplateVersion": TEMPLATE_VERSION,
            },
        )

"""What a customer creates in the own account: the template `cloudspend-customer.yaml`.

It is read by people who decide whether to trust it. So everything has a plain name and a sentence,
nothing in it needs bootstrapping, and what the role may do is a complete list.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import (
    App,
    Aws,
    BootstraplessSynthesizer,
    CfnDeletionPolicy,
    CfnOutput,
    CfnResource,
    Fn,
    Stack,
    Validations,
)
from aws_cdk import aws_cur as cur
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks
from constructs import Construct

from cloudspend import settings as names
from cloudspend.access.checks import PERMISSIONS
from stacks.constructs.review import accept
from stacks.customer_parameters import INTERFACE, Parameters

TEMPLATE_VERSION = "1"
BILLING_REPORTS = "billingreports.amazonaws.com"
# The endpoint of Cost and Usage Reports, whose ARNs bear its region wherever the bucket is.
REPORT_REGION = "us-east-1"
REGISTRATION_SECONDS = "600"

BUCKET = Fn.sub("arn:${AWS::Partition}:s3:::${ExportBucketName}")
EXPORTED_OBJECTS = Fn.sub("arn:${AWS::Partition}:s3:::${ExportBucketName}/${ExportPrefix}/*")


class CustomerStack(Stack):
    """Bucket and report, the role that may read them, and the message home."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(
            scope,
            construct_id,
            description="CloudSpend reads this account's bill: a bucket with the bill, a role that "
            "may read it, and a note to CloudSpend that both are there",
            synthesizer=BootstraplessSynthesizer(),
        )
        self.template_options.metadata = INTERFACE
        self.parameters = Parameters(self)
        bucket = self._bucket()
        policy = self._bucket_policy(bucket)
        report = self._report(policy)
        role = self._role()
        rule = self._forwarding(bucket)
        self._registration(role, after=[policy, report, rule])
        CfnOutput(self, "RoleArn", value=role.attr_arn, description="The role CloudSpend uses")
        CfnOutput(
            self, "BillBucket", value=bucket.ref, description="The bucket that holds the bill"
        )

    def _bucket(self) -> s3.CfnBucket:
        rule = s3.CfnBucket.RuleProperty(
            id="ForgetOldBills",
            status="Enabled",
            prefix=Fn.sub("${ExportPrefix}/"),
            expiration_in_days=self.parameters.retention_days.value_as_number,
            abort_incomplete_multipart_upload=(
                s3.CfnBucket.AbortIncompleteMultipartUploadProperty(days_after_initiation=1)
            ),
        )
        bucket = s3.CfnBucket(
            self,
            "ExportBucket",
            bucket_name=self.parameters.bucket_name.value_as_string,
            bucket_encryption=s3.CfnBucket.BucketEncryptionProperty(
                server_side_encryption_configuration=[
                    s3.CfnBucket.ServerSideEncryptionRuleProperty(
                        server_side_encryption_by_default=(
                            s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
                                sse_algorithm="AES256"
                            )
                        )
                    )
                ]
            ),
            public_access_block_configuration=s3.CfnBucket.PublicAccessBlockConfigurationProperty(
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
            ),
            ownership_controls=s3.CfnBucket.OwnershipControlsProperty(
                rules=[
                    s3.CfnBucket.OwnershipControlsRuleProperty(
                        object_ownership="BucketOwnerEnforced"
                    )
                ]
            ),
            lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(rules=[rule]),
            notification_configuration=s3.CfnBucket.NotificationConfigurationProperty(
                event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
                    event_bridge_enabled=True
                )
            ),
        )
        # The bills are the customer's: deleting the stack leaves them where they are.
        bucket.cfn_options.deletion_policy = CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE
        bucket.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN
        accept(
            bucket,
            "The bucket is the customer's, who pays for logs and decides on them. Only AWS billing "
            "and one role may touch it, and CloudTrail shows each use of the role.",
            "S1",
        )
        return bucket

    def _bucket_policy(self, bucket: s3.CfnBucket) -> s3.CfnBucketPolicy:
        of_this_account = {
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
            "ArnLike": {
                "aws:SourceArn": Fn.sub(
                    f"arn:${{AWS::Partition}}:cur:{REPORT_REGION}:${{AWS::AccountId}}:definition/*"
                )
            },
        }
        delivery = {"Effect": "Allow", "Principal": {"Service": BILLING_REPORTS}}
        statements = [
            {
                "Sid": "BillingLooksAtTheBucket",
                **delivery,
                "Action": ["s3:GetBucketAcl", "s3:GetBucketPolicy"],
                "Resource": BUCKET,
                "Condition": of_this_account,
            },
            {
                "Sid": "BillingDeliversReports",
                **delivery,
                "Action": "s3:PutObject",
                "Resource": EXPORTED_OBJECTS,
                "Condition": of_this_account,
            },
            {
                "Sid": "EncryptedConnectionsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [bucket.attr_arn, Fn.join("", [bucket.attr_arn, "/*"])],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ]
        return s3.CfnBucketPolicy(
            self, "ExportBucketPolicy", bucket=bucket.ref, policy_document=_document(statements)
        )

    def _report(self, policy: s3.CfnBucketPolicy) -> cur.CfnReportDefinition:
        report = cur.CfnReportDefinition(
            self,
            "CostAndUsageReport",
            report_name=self.parameters.export_name.value_as_string,
            time_unit="HOURLY",
            format="textORcsv",
            compression="GZIP",
            additional_schema_elements=["RESOURCES"],
            s3_bucket=self.parameters.bucket_name.value_as_string,
            s3_prefix=self.parameters.prefix.value_as_string,
            s3_region=Aws.REGION,
            # Without it late refunds and credits never arrive.
            refresh_closed_reports=True,
            # Each delivery stands in a folder of its own, so that none changes while it is read.
            report_versioning="CREATE_NEW_REPORT",
        )
        # AWS tries to write to the bucket before it accepts the report.
        report.add_resource_dependency(policy)
        return report

    def _role(self) -> iam.CfnRole:
        trust = {
            "Sid": "CloudSpendWithItsExternalId",
            "Effect": "Allow",
            "Principal": {"AWS": Fn.sub("arn:${AWS::Partition}:iam::${PlatformAccountId}:root")},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"sts:ExternalId": self.parameters.external_id.value_as_string}
            },
        }
        role = iam.CfnRole(
            self,
            "AccessRole",
            role_name=names.CUSTOMER_ROLE,
            description="CloudSpend reads the bill with this role. It can change nothing.",
            assume_role_policy_document=_document([trust]),
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="read-the-bill", policy_document=_document(_statements())
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
            "Cost Explorer, report definitions and the organization are no resources that a "
            "permission could name; the actions only read.",
            "IAM5[Resource::*]",
        )
        return role

    def _forwarding(self, bucket: s3.CfnBucket) -> events.CfnRule:
        """Tell CloudSpend of a new manifest: its name, never its content."""
        bus = self.parameters.deliveries_bus.value_as_string
        role = iam.CfnRole(
            self,
            "ForwardingRole",
            description="EventBridge tells CloudSpend with this role that a bill was delivered.",
            assume_role_policy_document=_document(
                [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                        "Condition": {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
                    }
                ]
            ),
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="tell-cloudspend",
                    policy_document=_document(
                        [{"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus}]
                    ),
                )
            ],
        )
        manifests = {"wildcard": Fn.sub(f"${{ExportPrefix}}/*{names.MANIFEST_SUFFIX}")}
        return events.CfnRule(
            self,
            "NewManifest",
            description="Tells CloudSpend when AWS has delivered a bill",
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {"bucket": {"name": [bucket.ref]}, "object": {"key": [manifests]}},
            },
            targets=[
                events.CfnRule.TargetProperty(id="CloudSpend", arn=bus, role_arn=role.attr_arn)
            ],
        )

    def _registration(self, role: iam.CfnRole, after: list[CfnResource]) -> None:
        registration = CfnResource(
            self,
            "Registration",
            type="Custom::CloudSpendRegistration",
            properties={
                "ServiceToken": self.parameters.registration_topic.value_as_string,
                "ServiceTimeout": REGISTRATION_SECONDS,
                "RegistrationToken": self.parameters.registration_token.value_as_string,
                "AccountId": Aws.ACCOUNT_ID,
                "Region": Aws.REGION,
                "RoleArn": role.attr_arn,
                "ExportBucketName": self.parameters.bucket_name.value_as_string,
                "ExportPrefix": self.parameters.prefix.value_as_string,
                "ExportName": self.parameters.export_name.value_as_string,
                "ExportKind": self.parameters.export_kind.value_as_string,
                "TemplateVersion": TEMPLATE_VERSION,
            },
        )
        for resource in after:
            registration.add_resource_dependency(resource)


def write_template(folder: Path) -> Path:
    """Synthesize the template into `folder`. It is written as JSON, which is YAML as well."""
    app = App(outdir=str(folder), analytics_reporting=False)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    stack = CustomerStack(app, names.CUSTOMER_STACK)
    app.synth()
    path = folder / names.CUSTOMER_TEMPLATE
    path.write_bytes((folder / stack.template_file).read_bytes())
    return path


def _statements() -> list[dict[str, Any]]:
    """Exactly what `cloudspend.access.checks` tries when the account is onboarded."""
    own = ("s3:GetBucketLocation", "s3:ListBucket", "s3:GetObject")
    return [
        {
            "Sid": "FindTheBucket",
            "Effect": "Allow",
            "Action": "s3:GetBucketLocation",
            "Resource": BUCKET,
        },
        {
            "Sid": "FindTheBill",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": BUCKET,
            "Condition": {"StringLike": {"s3:prefix": Fn.sub("${ExportPrefix}/*")}},
        },
        {
            "Sid": "ReadTheBill",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": EXPORTED_OBJECTS,
        },
        {
            "Sid": "CompareTheBillWithAwsOwnFigures",
            "Effect": "Allow",
            "Action": sorted(one.action for one in PERMISSIONS if one.action not in own),
            "Resource": "*",
        },
    ]


def _document(statements: list[dict[str, Any]]) -> Mapping[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}

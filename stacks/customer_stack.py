"""What a customer creates in the own account: the template `cloudspend-customer.yaml`.

It is read by people who decide whether to trust it. So everything has a plain name and a sentence,
nothing in it needs bootstrapping, and what the role may do is a complete list.
"""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import (
    App,
    Aws,
    BootstraplessSynthesizer,
    CfnOutput,
    CfnResource,
    Fn,
    Stack,
    Validations,
)
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks
from constructs import Construct

from cloudspend import settings as names
from stacks.customer_bucket import document, export_bucket, export_bucket_policy
from stacks.customer_export import Chosen, export_of
from stacks.customer_parameters import INTERFACE, Parameters
from stacks.customer_role import access_role, definition_policy

TEMPLATE_VERSION = "2"
REGISTRATION_SECONDS = "600"


class CustomerStack(Stack):
    """Bucket and export, the role that may read them, and the message home."""

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
        chosen = Chosen(self, self.parameters)
        bucket = export_bucket(self, self.parameters)
        policy = export_bucket_policy(self, bucket)
        export = export_of(self, self.parameters, chosen, policy)
        role = access_role(self, self.parameters)
        # Named in the message home, so that it goes after these too: a resource that is there under
        # a condition cannot be depended on by name.
        conditional = {"Export": export, "DefinitionPolicy": definition_policy(self, role, chosen)}
        rule = self._forwarding(bucket)
        self._registration(role, conditional, after=[policy, rule])
        CfnOutput(self, "RoleArn", value=role.attr_arn, description="The role CloudSpend uses")
        CfnOutput(
            self, "BillBucket", value=bucket.ref, description="The bucket that holds the bill"
        )

    def _forwarding(self, bucket: s3.CfnBucket) -> events.CfnRule:
        """Tell CloudSpend of a new manifest: its name, never its content."""
        bus = self.parameters.deliveries_bus.value_as_string
        role = iam.CfnRole(
            self,
            "ForwardingRole",
            description="EventBridge tells CloudSpend with this role that a bill was delivered.",
            assume_role_policy_document=document(
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
                    policy_document=document(
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

    def _registration(
        self, role: iam.CfnRole, conditional: Mapping[str, str], after: list[CfnResource]
    ) -> None:
        """The message home, which comes after everything that it speaks of."""
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
                **conditional,
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

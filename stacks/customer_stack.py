"""What a customer creates in the own account: the template `cloudspend-customer.yaml`.

It is read by people who decide whether to trust it. So everything has a plain name and a sentence,
nothing in it needs bootstrapping, and what the role may do is a complete list.
"""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import (
    Aws,
    BootstraplessSynthesizer,
    CfnOutput,
    CfnResource,
    CfnStackSet,
    Fn,
    Stack,
)
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from cloudspend import settings as names
from cloudspend.accounts.model import MemberStacks
from stacks.constructs.review import accept_empty
from stacks.customer_bucket import document, export_bucket, export_bucket_policy
from stacks.customer_choices import Choices, only_if
from stacks.customer_export import export_of
from stacks.customer_parameters import INTERFACE, Parameters
from stacks.customer_role import access_role, decryption
from stacks.customer_texts import OUTPUTS, SENTENCES, TITLE
from stacks.member_stack import member_template
from stacks.members_stack import member_stack_set
from stacks.template_yaml import written

REGISTRATION_SECONDS = "600"
# An account that joins a unit gets its stack, and one that leaves it loses it.
AUTOMATIC = {"Enabled": True, "RetainStacksOnAccountRemoval": False}


class CustomerStack(Stack):
    """Bucket and export, the role that may read them, and the message home.

    `member_template` is the text of what is created in member accounts.
    """

    def __init__(self, scope: Construct, construct_id: str, *, member_template: str) -> None:
        super().__init__(
            scope,
            construct_id,
            description="CloudSpend reads this account's bill: a bucket with the bill, a role that "
            "may read it, and a note to CloudSpend that both are there",
            synthesizer=BootstraplessSynthesizer(),
        )
        self.template_options.metadata = INTERFACE
        self.template_options.template_format_version = "2010-09-09"
        self.parameters = Parameters(self)
        self.choices = Choices(self, self.parameters)
        bucket = export_bucket(self, self.parameters, self.choices)
        policy = export_bucket_policy(self, bucket, self.choices)
        export = export_of(self, self.parameters, self.choices, policy)
        role = access_role(self, self.parameters, self.choices)
        decrypt = decryption(self, role, self.parameters, self.choices)
        rule = self._forwarding()
        members = self._members(member_template)
        # Named in the message home, so that it goes after these, too: a resource that is there
        # under a condition cannot be depended on by name.
        self._registration(
            role,
            {
                "Export": export,
                "DecryptionPolicy": decrypt,
                "DeliveriesRule": only_if(self.choices.bus, rule.ref),
                "MemberStackSet": only_if(self.choices.members, members.ref),
            },
        )
        self._outputs(role)

    def _outputs(self, role: iam.CfnRole) -> None:
        """What anyone who helps the customer asks for first."""
        values = {
            "RoleArn": role.attr_arn,
            "BillBucket": self.parameters.bucket_name.value_as_string,
            "BillLocation": Fn.sub("s3://${ExportBucketName}/${ExportPrefix}/${ExportName}"),
            "BillKind": self.parameters.export_kind.value_as_string,
            "BillRegion": Aws.REGION,
            "TemplateVersion": names.TEMPLATE_VERSION,
        }
        for name, value in values.items():
            output = CfnOutput(self, name, value=value, description=OUTPUTS[name])
            if name == "RoleArn":
                output.condition = self.choices.role

    def _forwarding(self) -> events.CfnRule:
        """Tell CloudSpend of a new manifest: its name, never its content."""
        bus = self.parameters.deliveries_bus.value_as_string
        boundary = self.parameters.boundary.value_as_string
        role = iam.CfnRole(
            self,
            "ForwardingRole",
            description="EventBridge uses this role to notify CloudSpend of delivered bills.",
            path=self.parameters.role_path.value_as_string,
            permissions_boundary=only_if(self.choices.boundary, boundary),
            assume_role_policy_document=document(
                [
                    {
                        "Sid": "EventBridgeOfThisAccount",
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
                        [
                            {
                                "Sid": "TellOfDeliveries",
                                "Effect": "Allow",
                                "Action": "events:PutEvents",
                                "Resource": bus,
                            }
                        ]
                    ),
                )
            ],
        )
        role.cfn_options.condition = self.choices.bus
        accept_empty(role)
        manifests = {"wildcard": Fn.sub(f"${{ExportPrefix}}/*{names.MANIFEST_SUFFIX}")}
        rule = events.CfnRule(
            self,
            "NewManifest",
            description="Notifies CloudSpend when AWS has delivered a bill",
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [self.parameters.bucket_name.value_as_string]},
                    "object": {"key": [manifests]},
                },
            },
            targets=[
                events.CfnRule.TargetProperty(id="CloudSpend", arn=bus, role_arn=role.attr_arn)
            ],
        )
        rule.cfn_options.condition = self.choices.bus
        return rule

    def _members(self, template: str) -> CfnStackSet:
        """By units where StackSets is trusted by the organization, otherwise by accounts."""
        by_unit = self.choices.units.logical_id
        chosen = Fn.split(",", self.parameters.members_in.value_as_string)
        found = member_stack_set(
            self,
            template,
            permission_model=Fn.condition_if(
                by_unit, str(MemberStacks.SERVICE_MANAGED), str(MemberStacks.SELF_MANAGED)
            ).to_string(),
            automatic=Fn.condition_if(by_unit, AUTOMATIC, Fn.ref("AWS::NoValue")),
            targets=Fn.condition_if(
                by_unit, {"OrganizationalUnitIds": chosen}, {"Accounts": chosen}
            ),
        )
        found.cfn_options.condition = self.choices.members
        # The rule about the form of unit and account ids.
        accept_empty(found, "F3031")
        return found

    def _registration(self, role: iam.CfnRole, conditional: Mapping[str, str]) -> None:
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
                "KmsKeyArn": self.parameters.key.value_as_string,
                "ExportBucketName": self.parameters.bucket_name.value_as_string,
                "ExportPrefix": self.parameters.prefix.value_as_string,
                "ExportName": self.parameters.export_name.value_as_string,
                "ExportKind": self.parameters.export_kind.value_as_string,
                "TemplateVersion": names.TEMPLATE_VERSION,
            },
        )
        registration.cfn_options.condition = self.choices.topic


def write_template(folder: Path) -> Path:
    """Synthesize the template into `folder`, as the YAML that customers read."""
    member = member_template(folder / "member")
    return written(
        folder,
        names.CUSTOMER_TEMPLATE,
        lambda app: CustomerStack(app, names.CUSTOMER_STACK, member_template=member),
        TITLE,
        SENTENCES,
    )

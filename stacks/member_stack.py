"""What StackSets creates in each member account of an organization: one role that reads nothing.

All that CloudSpend reads is in the management account (docs/decisions/0130). The role shows
that the account is reached, and by whom it may be used.
"""

from pathlib import Path

from aws_cdk import BootstraplessSynthesizer, CfnOutput, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from cloudspend import settings as names
from stacks.customer_bucket import document
from stacks.customer_parameters import external_id, platform_account
from stacks.customer_role import showing_itself, trusting
from stacks.customer_texts import MEMBER_OUTPUT, MEMBER_SENTENCES, MEMBER_TITLE
from stacks.template_yaml import written


class MemberStack(Stack):
    """The role of a member account. Being of IAM, it is made once, in one region."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(
            scope,
            construct_id,
            description="CloudSpend sees that it reaches this account: a role that shows its own "
            "definition and can do nothing else",
            synthesizer=BootstraplessSynthesizer(),
        )
        self.template_options.template_format_version = "2010-09-09"
        platform_account(self)
        role = iam.CfnRole(
            self,
            "MemberRole",
            role_name=names.MEMBER_ROLE,
            description="CloudSpend sees by this role that the account is reached.",
            assume_role_policy_document=document(trusting(external_id(self).value_as_string)),
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="show-this-role",
                    policy_document=document([showing_itself(f"/{names.MEMBER_ROLE}")]),
                )
            ],
        )
        CfnOutput(self, "RoleArn", value=role.attr_arn, description=MEMBER_OUTPUT)


def member_template(folder: Path) -> str:
    """Synthesize the template into `folder`: the text that is in the StackSet."""
    path = written(
        folder,
        f"{names.MEMBER_ROLE}.yaml",
        lambda app: MemberStack(app, names.MEMBER_ROLE),
        MEMBER_TITLE,
        MEMBER_SENTENCES,
    )
    return path.read_text(encoding="utf-8")

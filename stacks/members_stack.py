"""The StackSet that creates what must exist in member accounts, and the template for those who
operate StackSets from a delegated administrator's account: `cloudspend-members.yaml`."""

from pathlib import Path

from aws_cdk import (
    Aws,
    BootstraplessSynthesizer,
    CfnOutput,
    CfnStackSet,
    Fn,
    IResolvable,
    Stack,
)
from constructs import Construct

from cloudspend import settings as names
from cloudspend.accounts.model import MemberStacks
from stacks.customer_parameters import MEMBERS_INTERFACE, external_id, platform_account, units
from stacks.customer_texts import MEMBERS_OUTPUT, MEMBERS_SENTENCES, MEMBERS_TITLE
from stacks.member_stack import member_template
from stacks.template_yaml import written

STACK_SET = "MemberStackSet"


def member_stack_set(
    scope: Construct,
    template: str,
    *,
    permission_model: str,
    targets: IResolvable | CfnStackSet.DeploymentTargetsProperty,
    automatic: IResolvable | CfnStackSet.AutoDeploymentProperty,
    call_as: str = "SELF",
) -> CfnStackSet:
    """The set for a stack with the parameters PlatformAccountId and ExternalId.

    No member keeps the bill from being connected: all of them may fail, and CloudSpend shows which
    it does not reach. IAM is global, so that one region is enough.
    """
    return CfnStackSet(
        scope,
        STACK_SET,
        stack_set_name=names.MEMBERS_SET,
        description="The role by which CloudSpend sees that it reaches a member account",
        permission_model=permission_model,
        call_as=call_as,
        auto_deployment=automatic,
        managed_execution={"Active": True},
        capabilities=["CAPABILITY_NAMED_IAM"],
        operation_preferences=CfnStackSet.OperationPreferencesProperty(
            failure_tolerance_percentage=100,
            max_concurrent_percentage=25,
            region_concurrency_type="SEQUENTIAL",
        ),
        parameters=[
            CfnStackSet.ParameterProperty(parameter_key=name, parameter_value=Fn.ref(name))
            for name in ("PlatformAccountId", "ExternalId")
        ],
        stack_instances_group=[
            CfnStackSet.StackInstancesProperty(deployment_targets=targets, regions=[Aws.REGION])
        ],
        template_body=template,
    )


class MembersStack(Stack):
    """The set alone, created in the account of a delegated administrator for StackSets."""

    def __init__(self, scope: Construct, construct_id: str, *, member_template: str) -> None:
        super().__init__(
            scope,
            construct_id,
            description="CloudSpend sees that it reaches the accounts of this organization: a role "
            "in each of them that shows its own definition and can do nothing else",
            synthesizer=BootstraplessSynthesizer(),
        )
        self.template_options.metadata = MEMBERS_INTERFACE
        self.template_options.template_format_version = "2010-09-09"
        platform_account(self)
        external_id(self)
        found = member_stack_set(
            self,
            member_template,
            permission_model=str(MemberStacks.SERVICE_MANAGED),
            call_as=str(MemberStacks.DELEGATED_ADMIN),
            automatic=CfnStackSet.AutoDeploymentProperty(
                enabled=True, retain_stacks_on_account_removal=False
            ),
            targets=CfnStackSet.DeploymentTargetsProperty(
                organizational_unit_ids=Fn.split(",", units(self).value_as_string)
            ),
        )
        CfnOutput(self, "StackSetId", value=found.ref, description=MEMBERS_OUTPUT)


def write_members_template(folder: Path) -> Path:
    """Synthesize the delegated administrator's template into `folder`."""
    member = member_template(folder / "member")
    return written(
        folder,
        names.MEMBERS_TEMPLATE,
        lambda app: MembersStack(app, names.MEMBERS_SET, member_template=member),
        MEMBERS_TITLE,
        MEMBERS_SENTENCES,
    )

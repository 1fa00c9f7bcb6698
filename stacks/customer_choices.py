"""Conditions of the customer's template: what the parameters ask for."""

from aws_cdk import (
    CfnCondition,
    CfnParameter,
    Fn,
    ICfnConditionExpression,
    ICfnRuleConditionExpression,
)
from constructs import Construct

from cloudspend.accounts.model import ConnectionKind, ExportKind, ExportSetup, MemberStacks
from stacks.customer_parameters import SPLIT_COST_CHOICES, Parameters

REPORT = "CostAndUsageReport"
EXPORTS = {
    ExportKind.CUR_2_0: "CostAndUsageExport",
    ExportKind.FOCUS_1_0: "FocusOneZeroExport",
    ExportKind.FOCUS_1_2: "FocusOneTwoExport",
}


class Choices:
    """The resources to create, and the options to use."""

    def __init__(self, scope: Construct, parameters: Parameters) -> None:
        setup = parameters.setup.value_as_string
        kind = parameters.export_kind.value_as_string

        def when(name: str, expression: ICfnConditionExpression) -> CfnCondition:
            return CfnCondition(scope, name, expression=expression)

        by_role = Fn.condition_equals(
            parameters.connection.value_as_string, str(ConnectionKind.IAM_ROLE)
        )
        self.role = when("RoleIsCreated", by_role)

        def given(name: str, parameter: CfnParameter) -> CfnCondition:
            return when(name, _not_empty(parameter))

        def given_beside_a_role(name: str, parameter: CfnParameter) -> CfnCondition:
            return when(name, Fn.condition_and(by_role, _not_empty(parameter)))

        self.bucket = when(
            "BucketIsCreated", Fn.condition_equals(setup, str(ExportSetup.CREATE_ALL))
        )
        existing = Fn.condition_equals(setup, str(ExportSetup.USE_EXISTING))

        def made(name: str, chosen: ExportKind) -> CfnCondition:
            wanted = Fn.condition_equals(kind, str(chosen))
            return when(f"{name}IsCreated", Fn.condition_and(Fn.condition_not(existing), wanted))

        self.report = made(REPORT, ExportKind.CUR_LEGACY)
        self.exports = {each: made(name, each) for each, name in EXPORTS.items()}
        self.split_cost = when(
            "SplitCostIsChosen",
            Fn.condition_equals(parameters.split_cost.value_as_string, SPLIT_COST_CHOICES[1]),
        )
        stacks = parameters.member_stacks.value_as_string
        nowhere = Fn.condition_equals(stacks, str(MemberStacks.NONE))
        self.members = when("MembersAreReached", Fn.condition_not(nowhere))
        by_unit = Fn.condition_equals(stacks, str(MemberStacks.SERVICE_MANAGED))
        self.units = when("MembersAreReachedByUnit", by_unit)
        self.key = given("KeyIsGiven", parameters.key)
        self.boundary = given("BoundaryIsGiven", parameters.boundary)
        self.decryption = given_beside_a_role("DecryptionIsGranted", parameters.key)
        self.topic = given_beside_a_role("TopicIsGiven", parameters.registration_topic)
        self.bus = given_beside_a_role("BusIsGiven", parameters.deliveries_bus)


def _not_empty(parameter: CfnParameter) -> ICfnRuleConditionExpression:
    return Fn.condition_not(Fn.condition_equals(parameter.value_as_string, ""))


def only_if(condition: CfnCondition, value: str) -> str:
    """`value` if the condition holds, otherwise nothing, as if the property were not there."""
    return Fn.condition_if(condition.logical_id, value, Fn.ref("AWS::NoValue")).to_string()

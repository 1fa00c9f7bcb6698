"""Resources in member accounts: exactly one role, by exactly the set that was asked for."""

import json
import re
from typing import Any

import pytest

from cloudspend.access.trust import excess_trust
from cloudspend.settings import CUSTOMER_ROLE, MEMBER_ROLE
from stacks.customer_parameters import MEMBERS_INTERFACE
from stacks.template_yaml import from_yaml
from tests.stacks.stacks_reading import Template, as_created, grants, of_type, only, plain

UNITS = "ou-ab12-1234abcd,ou-ab12-5678efab"
ACCOUNTS = "222222222222,333333333333"
ONE_BY_ONE = {"Fn::Split": [",", {"Ref": "MembersIn"}]}


@pytest.fixture(params=["customer", "members"])
def member(request: pytest.FixtureRequest) -> Template:
    """The template that the set of either template deploys."""
    holder: Template = request.getfixturevalue(request.param)
    return from_yaml(only(holder, "AWS::CloudFormation::StackSet")["TemplateBody"])


def test_a_member_account_gets_one_role_that_may_show_itself_and_nothing_else(
    member: Template,
) -> None:
    assert {one["Type"] for one in member["Resources"].values()} == {"AWS::IAM::Role"}
    role = only(member, "AWS::IAM::Role")
    assert role["RoleName"] == MEMBER_ROLE != CUSTOMER_ROLE
    [policy] = role["Policies"]
    itself = f"arn:<AWS::Partition>:iam::<AWS::AccountId>:role/{MEMBER_ROLE}"
    assert set(grants(policy["PolicyDocument"])) == {("iam:GetRole", itself)}
    assert "ManagedPolicyArns" not in role


def test_only_the_platform_with_the_external_id_may_use_it(member: Template) -> None:
    trust = only(member, "AWS::IAM::Role")["AssumeRolePolicyDocument"]
    shown = json.loads(
        re.sub(
            r'{"Fn::Sub": "[^"]*"}', '"arn:aws:iam::000000000000:root"', json.dumps(trust)
        ).replace('{"Ref": "ExternalId"}', '"x"')
    )
    assert excess_trust(shown, "000000000000", "x") == []
    assert excess_trust(shown, "000000000000", "y") != []


def the_set(template: Template, **parameters: str) -> Any:
    return only(as_created(template, **parameters), "AWS::CloudFormation::StackSet")


def test_nothing_is_created_in_members_unless_it_is_asked_for(customer: Template) -> None:
    assert of_type(as_created(customer), "AWS::CloudFormation::StackSet") == {}
    assert customer["Parameters"]["MemberStacks"]["Default"] == "NONE"


def test_a_service_managed_set_follows_the_units(customer: Template) -> None:
    found = the_set(customer, MemberStacks="SERVICE_MANAGED", MembersIn=UNITS)
    assert found["PermissionModel"] == "SERVICE_MANAGED"
    assert found["AutoDeployment"] == {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    [group] = found["StackInstancesGroup"]
    assert group["DeploymentTargets"] == {"OrganizationalUnitIds": ONE_BY_ONE}


def test_a_self_managed_set_names_its_accounts(customer: Template) -> None:
    found = the_set(customer, MemberStacks="SELF_MANAGED", MembersIn=ACCOUNTS)
    assert found["PermissionModel"] == "SELF_MANAGED"
    assert "AutoDeployment" not in found
    [group] = found["StackInstancesGroup"]
    assert group["DeploymentTargets"] == {"Accounts": ONE_BY_ONE}


def test_a_delegated_administrator_acts_as_one(members: Template) -> None:
    [found] = of_type(members, "AWS::CloudFormation::StackSet").values()
    assert (found["PermissionModel"], found["CallAs"]) == ("SERVICE_MANAGED", "DELEGATED_ADMIN")
    assert found["AutoDeployment"] == {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    assert list(members["Resources"]) == ["MemberStackSet"]
    groups = MEMBERS_INTERFACE["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert set(members["Parameters"]) == {name for one in groups for name in one["Parameters"]}


@pytest.mark.parametrize("name", ["customer", "members"])
def test_no_member_keeps_the_others_or_the_bill_from_being_connected(
    name: str, request: pytest.FixtureRequest
) -> None:
    found = only(request.getfixturevalue(name), "AWS::CloudFormation::StackSet")
    assert found["OperationPreferences"]["FailureTolerancePercentage"] == 100
    assert found["ManagedExecution"] == {"Active": True}
    assert found["StackInstancesGroup"][0]["Regions"] == [{"Ref": "AWS::Region"}]
    assert found["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
    # CloudFormation API reference, CreateStackSet.
    assert len(found["TemplateBody"].encode()) <= 51_200
    stated = {one["ParameterKey"]: plain(one["ParameterValue"]) for one in found["Parameters"]}
    assert stated == {"PlatformAccountId": "<PlatformAccountId>", "ExternalId": "<ExternalId>"}


@pytest.mark.parametrize("good", ["", UNITS, ACCOUNTS, "r-ab12", f"r-ab12,{UNITS}"])
def test_units_and_accounts_are_taken(customer: Template, good: str) -> None:
    assert re.fullmatch(customer["Parameters"]["MembersIn"]["AllowedPattern"], good)


@pytest.mark.parametrize("bad", ["*", "ou-ab12", "12345", f"{UNITS},", "r-ab12 ,r-ab12"])
def test_other_texts_are_not(customer: Template, members: Template, bad: str) -> None:
    for template in (customer, members):
        assert not re.fullmatch(template["Parameters"]["MembersIn"]["AllowedPattern"], bad)

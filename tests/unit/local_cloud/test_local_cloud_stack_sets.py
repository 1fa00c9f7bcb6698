"""Which accounts a StackSet reaches on the local cloud, and when StackSets refuses it."""

from dataclasses import replace
from typing import Any

import pytest

from local.billing.organizations import Member, Organization
from local.cloud.stack_sets import StackSet, refusal, targets

PAYER, ADMIN = "111111111111", "222222222222"


def member(number: int, unit: str = "", state: str = "ACTIVE") -> Member:
    return Member(f"{number:012d}", f"Account {number}", f"a{number}@example.com", unit, state)


ORGANIZATION = Organization(
    PAYER,
    (
        Member(PAYER, "Payer", "payer@example.com", "Work"),
        Member(ADMIN, "Admin", "admin@example.com"),
        member(3, "Work"),
        member(4, "Work/Production"),
        member(5, "Workshop"),
        member(6, "Work", "SUSPENDED"),
    ),
    trusts_stack_sets=True,
    delegated_administrators=(ADMIN,),
)


def a_set(targets: dict[str, Any], owner: str = PAYER, **properties: Any) -> StackSet:
    groups = [{"DeploymentTargets": targets, "Regions": ["us-east-1"]}]
    stated = {"PermissionModel": "SERVICE_MANAGED", "StackInstancesGroup": groups, **properties}
    return StackSet(owner, "us-east-1", "members", stated)


def reached(unit: str) -> set[str]:
    found = targets(a_set({"OrganizationalUnitIds": [unit]}), ORGANIZATION)
    assert {region for _, region in found} <= {"us-east-1"}
    return {account for account, _ in found}


def test_a_unit_s_active_accounts_are_reached_and_those_below_but_not_the_management_account() -> (
    None
):
    assert reached(ORGANIZATION.unit_id("Work")) == {member(3).id, member(4).id}
    assert reached(ORGANIZATION.unit_id("Work/Production")) == {member(4).id}
    everyone = {ADMIN, member(3).id, member(4).id, member(5).id}
    assert reached(ORGANIZATION.root) == everyone


def test_a_unit_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="ou-none-00000000 does not exist"):
        reached("ou-none-00000000")


def test_a_self_managed_set_reaches_what_it_names() -> None:
    named = a_set({"Accounts": [member(9).id]}, PermissionModel="SELF_MANAGED")
    assert targets(named, None) == {(member(9).id, "us-east-1")}


@pytest.mark.parametrize(
    ("owner", "call_as", "organization", "said"),
    [
        (PAYER, "SELF", ORGANIZATION, ""),
        (ADMIN, "DELEGATED_ADMIN", ORGANIZATION, ""),
        (ADMIN, "SELF", ORGANIZATION, "delegated admin account"),
        (member(3).id, "DELEGATED_ADMIN", ORGANIZATION, "delegated admin account"),
        (PAYER, "SELF", None, "delegated admin account"),
        (PAYER, "SELF", replace(ORGANIZATION, trusts_stack_sets=False), "enable organizations"),
    ],
)
def test_only_a_trusted_administrator_has_a_service_managed_set(
    owner: str, call_as: str, organization: Organization | None, said: str
) -> None:
    found = refusal(a_set({}, owner, CallAs=call_as), organization)
    assert said in found
    assert bool(found) == bool(said)

"""An organization whose members come and go: reached by the StackSet, listed and reported."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudspend.exports.model import BillingPeriod
from cloudspend.settings import MEMBER_ROLE
from local.world.console import follow
from local.world.delivery import tell
from tests.e2e.scene import Customer, Scene
from tests.stacks.stacks_reading import grants

PAYER, SHOP, LAB, DESK = "303030303030", "313131313131", "323232323232", "343434343434"


class Organization:
    """The customer's organization as its administrator changes it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.customer = Customer(scene, PAYER, "Moving Shop")

    def consists_of(self, *members: str, desks: str = "", trusted: bool = True) -> None:
        """Its members next to the management account: in the unit Shops, and one in Desks. LAB is a
        delegated administrator for StackSets as long as it is a member."""
        stated: list[dict[str, str]] = [{"id": PAYER, "name": "Payer", "email": "p@example.com"}]
        stated += [
            {"id": one, "name": f"Shop {one[:2]}", "email": "a@example.com", "unit": unit}
            for one, unit in [*((one, "Shops") for one in members), (desks, "Desks")]
            if one
        ]
        world = {
            "management": PAYER,
            "members": stated,
            "trusts_stack_sets": trusted,
            "delegated_administrators": [LAB],
        }
        tell(self.scene.platform.cloud.endpoint, "world", world)

    def unit(self, name: str) -> str:
        client = self.customer.session.client("organizations")
        [root] = client.list_roots()["Roots"]
        units = client.list_organizational_units_for_parent(ParentId=root["Id"])
        [found] = [one["Id"] for one in units["OrganizationalUnits"] if one["Name"] == name]
        return str(found)

    def invite(self) -> str:
        members = ("--member-stacks", "SERVICE_MANAGED", "--members-in", self.unit("Shops"))
        account = ("--name", "Moving Shop", "--type", "ORGANIZATION")
        return str(self.scene.command("accounts", "invite", PAYER, *account, *members)["link"])

    def collect(self) -> None:
        source = ("--source", "organization_accounts")
        [row] = self.scene.command("collect", PAYER, *source)
        assert row["status"] == "collected", row

    def members(self, *options: str) -> dict[str, dict[str, Any]]:
        rows = self.scene.command("accounts", "members", PAYER, *options)
        return {row["account_id"]: row for row in rows}

    def events(self) -> list[tuple[str, str]]:
        return [
            (kind, str(event["details"]["member"]))
            for kind in ("MemberJoined", "MemberLeft")
            for event in self.scene.recorder.of(PAYER, kind)
        ]

    @contextmanager
    def asked(self, member: str) -> Iterator[set[tuple[str, bool]]]:
        """What IAM is asked in the meantime of the role in a member, and whether it allows it."""
        cloud, found = self.scene.platform.cloud, set[tuple[str, bool]]()
        cloud.control("asked", {"account": member})
        yield found
        role = f"arn:aws:sts::{member}:assumed-role/{MEMBER_ROLE}/"
        kept = [one for one in cloud.control("asked") if one["caller"].startswith(role)]
        found.update((one["action"], one["allowed"]) for one in kept)
        cloud.control("asked", method="DELETE")

    def granted(self, member: str) -> set[str]:
        """The actions that the StackSet's role in a member has."""
        iam = self.scene.platform.cloud.session(member).client("iam")
        names = iam.list_role_policies(RoleName=MEMBER_ROLE)["PolicyNames"]
        policies = [iam.get_role_policy(RoleName=MEMBER_ROLE, PolicyName=name) for name in names]
        return {action for one in policies for action, _ in grants(one["PolicyDocument"])}

    def has_role(self, member: str) -> bool:
        iam = self.scene.platform.cloud.session(member).client("iam")
        try:
            iam.get_role(RoleName=MEMBER_ROLE)
        except ClientError:
            return False
        return True


@pytest.fixture(scope="module")
def organization(scene: Scene) -> Organization:
    """Onboarded with one member, at the second attempt."""
    made = Organization(scene)
    made.consists_of(SHOP, trusted=False)
    link = made.invite()
    assert made.customer.follow(link) == "ROLLBACK_COMPLETE"
    assert "enable organizations access" in made.customer.stack_reasons()
    assert made.customer.shown()["state"] == "invited"
    made.consists_of(SHOP)
    assert made.customer.follow(link) == "CREATE_COMPLETE"
    assert made.customer.wait_until_onboarded()["state"] == "active"
    return made


def test_members_come_and_go(organization: Organization) -> None:
    organization.collect()
    assert list(organization.members()) == [PAYER, SHOP]
    assert organization.events() == []
    assert not organization.has_role(PAYER)
    with organization.asked(SHOP) as used:
        reached = organization.members("--reach")
    assert {one: row["reached"] for one, row in reached.items()} == {SHOP: "yes"}
    assert used == {(action, True) for action in organization.granted(SHOP)} != set()

    organization.consists_of(SHOP, LAB)
    organization.collect()
    organization.scene.wait_for_event(PAYER, "MemberJoined", member=LAB)
    assert organization.has_role(LAB)

    organization.consists_of(LAB)
    organization.collect()
    organization.collect()
    left = organization.scene.wait_for_event(PAYER, "MemberLeft", member=SHOP)
    assert f"({SHOP}) is no longer a member of the organization Moving Shop" in left["summary"]
    assert organization.events() == [("MemberJoined", LAB), ("MemberLeft", SHOP)]
    assert not organization.has_role(SHOP)
    assert list(organization.members("--reach")) == [LAB]
    today = datetime.now(UTC)
    month = BillingPeriod(today.year, today.month)
    assert SHOP in organization.members("--period", str(month))
    assert list(organization.members("--period", str(month.next))) == [PAYER, LAB]


def test_a_member_that_is_not_reached_is_named_until_its_administrator_reaches_it(
    organization: Organization,
) -> None:
    organization.consists_of(LAB, desks=DESK)
    organization.collect()
    unreached = organization.members("--reach")[DESK]
    assert unreached["reached"] == "no"
    assert f"{DESK}:role/cloudspend-member cannot be assumed" in unreached["reason"]
    wanted = ("--member-stacks", "DELEGATED_ADMIN", "--members-in", organization.unit("Desks"))
    link = organization.scene.command("accounts", "members-link", PAYER, *wanted)["link"]
    follow(link, organization.scene.platform.cloud.session(LAB))
    reached = organization.members("--reach")
    assert {one: row["reached"] for one, row in reached.items()} == {LAB: "yes", DESK: "yes"}

"""An organization: counted once with its member, estimated before its bill, lost and found."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cloudspend.accounts.model import ExportKind
from cloudspend.settings import CUSTOMER_ROLE
from local.story import Story
from local.world.bill import Bill
from local.world.delivery import post_ledger, tell
from tests.e2e.scene import Customer, Scene, bill_for

PAYER, SHOP = "575757575757", "585858585858"


@pytest.fixture(scope="module")
def bill(story: Story) -> Bill:
    """A closed month."""
    return story.world.bills()[1]


@pytest.fixture(scope="module")
def shop(scene: Scene, bill: Bill) -> Customer:
    """A member that was onboarded by itself, with a month."""
    customer = Customer(scene, SHOP, "Covered Shop")
    assert customer.follow(customer.invite()) == "CREATE_COMPLETE"
    customer.put(bill_for(SHOP, bill))
    assert customer.wait_until_onboarded()["state"] == "active"
    scene.wait_for_ingests(SHOP, 0)
    assert scene.totals(SHOP, bill.period).rows
    return customer


def organization(scene: Scene) -> Customer:
    stated = [
        {"id": PAYER, "name": "Payer", "email": "p@example.com"},
        {"id": SHOP, "name": "Shop", "email": "s@example.com"},
    ]
    tell(scene.platform.cloud.endpoint, "world", {"management": PAYER, "members": stated})
    return Customer(scene, PAYER, "Covering Org", ExportKind.CUR_LEGACY)


def state(customer: Customer) -> tuple[Any, Any]:
    shown = customer.shown()
    return shown["state"], shown["covered_by"]


def test_no_cost_is_counted_twice(scene: Scene, shop: Customer, bill: Bill) -> None:
    payer = organization(scene)
    invited = scene.command(
        *("accounts", "invite", PAYER, "--name", payer.name, "--type", "ORGANIZATION"),
        *("--start-date", "2020-01-01", "--export-kind", payer.report.kind),
    )
    assert payer.follow(invited["link"]) == "CREATE_COMPLETE"
    payer.put(bill_for(PAYER, bill))
    failed = payer.wait_until_onboarded()
    assert failed["state"] == "failed"
    assert f"Covered Shop ({SHOP}). It would be counted twice." in failed["reason"]
    said = scene.wait_for_event(PAYER, "OnboardingFailed", check="counted-once")
    assert any("--move-coverage" in action for action in said["actions"])
    assert state(shop) == ("active", None)

    scene.command("accounts", "verify", PAYER, "--move-coverage")
    assert payer.wait_until_onboarded()["state"] == "active"
    assert state(shop) == ("suspended", PAYER)
    assert scene.totals(PAYER, bill.period).rows
    assert scene.totals(SHOP, bill.period).rows == 0
    assert scene.wait_for_event(SHOP, "CoverageMoved", organization=PAYER)
    assert scene.wait_for_event(SHOP, "PeriodMoved", period=str(bill.period))

    again = scene.platform.run("accounts", "resume", SHOP)
    assert again.code == 2
    assert "counted twice" in again.err


def estimated(scene: Scene, period: object) -> tuple[Decimal, bool]:
    """What readers find of a month of the organization, and whether it is an estimate."""
    (row,) = scene.ask(
        f"""
        SELECT sum(CAST(billed_cost AS decimal(38, 10))) AS cost, bool_or(estimate) AS estimate,
            count(DISTINCT estimate) AS kinds
        FROM cost_with_estimates
        WHERE account_id = '{PAYER}' AND billing_period = '{period}'
        """
    )
    assert row["kinds"] == "1"
    return Decimal(row["cost"]), row["estimate"] == "true"


def used_by(account_id: str, bill: Bill) -> Bill:
    """The bill of an account without members: other customers of the cloud have the same ones."""
    usage = bill.columns.index("lineItem/UsageAccountId")
    files = tuple(
        tuple((*row[:usage], account_id, *row[usage + 1 :]) for row in file) for file in bill.files
    )
    return replace(bill, files=files)


def test_an_estimate_is_replaced_by_the_bill(scene: Scene, shop: Customer, story: Story) -> None:
    payer = Customer(scene, PAYER, "Covering Org", ExportKind.CUR_LEGACY)
    later = used_by(PAYER, bill_for(PAYER, story.world.bills()[0]))
    post_ledger(later, scene.platform.cloud.endpoint)
    (row,) = scene.command("collect", PAYER, "--source", "monthly_services")
    assert row["status"] == "collected"
    cost, estimate = estimated(scene, later.period)
    assert estimate
    assert cost == later.total()
    before = len(scene.ingests(PAYER))
    payer.put(later)
    scene.wait_for_ingests(PAYER, before)
    replaced, estimate = estimated(scene, later.period)
    assert not estimate
    assert replaced == scene.totals(PAYER, later.period).billed


NO_ONE = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{PAYER}:root"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def test_a_role_that_is_lost_is_noticed_within_one_sweep(scene: Scene, shop: Customer) -> None:
    iam = scene.platform.cloud.session(PAYER).client("iam")
    trusted = iam.get_role(RoleName=CUSTOMER_ROLE)["Role"]["AssumeRolePolicyDocument"]
    payer = Customer(scene, PAYER, "Covering Org", ExportKind.CUR_LEGACY)
    assert payer.shown()["state"] == "active"
    iam.update_assume_role_policy(RoleName=CUSTOMER_ROLE, PolicyDocument=json.dumps(NO_ONE))
    scene.command("sweep")
    lost = payer.shown()
    assert lost["state"] == "degraded"
    assert scene.wait_for_event(PAYER, "AccountUnreachable")["details"]["reason"] == lost["reason"]
    iam.update_assume_role_policy(RoleName=CUSTOMER_ROLE, PolicyDocument=json.dumps(trusted))
    scene.command("sweep")
    assert payer.shown()["state"] == "active"

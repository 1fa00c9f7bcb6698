"""Connections that are not what they should be: not activated, said to both sides, and answered."""

from collections.abc import Callable
from typing import Any

import pytest

from cloudspend.accounts.model import ExportKind
from cloudspend.exports.tables import EXPORT_TABLES
from local.story import Story
from tests.e2e.scene import STACK, Customer, Scene, Template, bill_for

# A policy must say something.
NOTHING = {"Effect": "Deny", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
INVITED, STRANGER = "666666666666", "777777777777"


def documents(template: Template) -> list[dict[str, Any]]:
    """What the role in the customer's template may do: by its own policy, and by those that follow
    the kind of the export."""
    resources = template["Resources"].values()
    own = template["Resources"]["AccessRole"]["Properties"]["Policies"]
    attached = [one["Properties"] for one in resources if one["Type"] == "AWS::IAM::Policy"]
    return [policy["PolicyDocument"] for policy in (*own, *attached)]


def without(action: str) -> Callable[[Template], None]:
    """The template of a customer who does not grant `action`."""

    def kept(statement: dict[str, Any]) -> list[dict[str, Any]]:
        granted = statement["Action"]
        listed = [granted] if isinstance(granted, str) else granted
        actions = [each for each in listed if each != action]
        return [{**statement, "Action": actions}] if actions else []

    def change(template: Template) -> None:
        found = documents(template)
        before = [list(document["Statement"]) for document in found]
        for document in found:
            left = [one for each in document["Statement"] for one in kept(each)]
            document["Statement"] = left or [NOTHING]
        after = [document["Statement"] for document in found]
        assert len(str(after)) < len(str(before)), f"the template does not grant {action}"

    return change


def open_to_all_of_the_platform(template: Template) -> None:
    """The role's trust policy forgets the external id."""
    role = template["Resources"]["AccessRole"]["Properties"]
    del role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]


def only_registering(account_id: str) -> Callable[[Template], None]:
    """A stack that makes nothing, and says that it is `account_id`'s."""

    def change(template: Template) -> None:
        registration = template["Resources"]["Registration"]
        registration.pop("DependsOn", None)
        registration["Properties"]["AccountId"] = account_id
        registration["Properties"]["RoleArn"] = f"arn:aws:iam::{account_id}:role/cloudspend-access"
        for name in ("Export", "DecryptionPolicy", "DeliveriesRule"):
            del registration["Properties"][name]
        del registration["Condition"]
        template["Resources"] = {"Registration": registration}
        template.pop("Outputs", None)
        template.pop("Conditions", None)

    return change


def refused(customer: Customer, check: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The account, not active, and its event; both say why and what to do."""
    account = customer.wait_until_onboarded()
    assert account["state"] == "failed"
    event = customer.scene.wait_for_event(customer.account_id, "OnboardingFailed")
    assert event["details"]["check"] == check, event["details"]
    assert event["severity"] == "critical"
    assert account["reason"] == event["details"]["reason"]
    assert event["details"]["remedy"] in event["actions"]
    assert not customer.scene.recorder.of(customer.account_id, "AccountActivated")
    return account, event


def denied(account: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {check["check"]: check for check in account["checks"] if check["status"] == "denied"}


def test_a_role_that_opens_without_the_external_id_is_not_used(scene: Scene) -> None:
    customer = Customer(scene, "121212121212", "Open Door")
    status = customer.follow(customer.invite(), open_to_all_of_the_platform)
    assert status == "CREATE_COMPLETE"
    account, event = refused(customer, "wrong-external-id-refused")
    assert set(denied(account)) == {
        "wrong-external-id-refused",
        "missing-external-id-refused",
        "trusts-no-one-else",
    }
    assert all("trust policy" in check["remedy"] for check in denied(account).values())
    assert "can be assumed with a wrong external id" in event["details"]["reason"]
    assert "sts:ExternalId" in event["details"]["remedy"]


def test_a_role_that_is_not_in_the_invited_account_is_not_used(scene: Scene) -> None:
    """A stack in a stranger's account has the invited one's token and claims to be that one."""
    customer = Customer(scene, INVITED, "Invited")
    stranger = Customer(scene, STRANGER, "Stranger")
    status = stranger.follow(customer.invite(), only_registering(INVITED))
    assert status == "CREATE_COMPLETE"
    account, event = refused(customer, "role-opens")
    assert set(denied(account)) == {"role-opens"}
    assert INVITED in event["details"]["reason"]
    assert event["details"]["remedy"]


@pytest.mark.parametrize(
    ("account_id", "action"),
    [
        ("131313131313", "ce:GetCostAndUsage"),
        ("141414141414", "s3:ListBucket"),
        ("151515151515", "cur:DescribeReportDefinitions"),
    ],
)
def test_one_permission_that_is_denied_is_named_with_its_remedy(
    scene: Scene, account_id: str, action: str
) -> None:
    customer = Customer(scene, account_id, f"Without {action}")
    assert customer.follow(customer.invite(), without(action)) == "CREATE_COMPLETE"
    account, event = refused(customer, action)
    assert set(denied(account)) == {action}
    assert event["details"]["reason"].startswith(f"{action} is refused")
    assert event["details"]["remedy"] == denied(account)[action]["remedy"] != ""
    passed = [check for check in account["checks"] if check["status"] == "passed"]
    assert {check["check"] for check in passed} >= {"role-opens", "missing-external-id-refused"}


DATA_EXPORTS_ACTIONS = {
    "bcm-data-exports:ListExports",
    "bcm-data-exports:GetExport",
    "bcm-data-exports:ListExecutions",
}


@pytest.mark.parametrize(
    ("account_id", "kind"),
    [
        ("212121212101", ExportKind.CUR_2_0),
        ("212121212102", ExportKind.FOCUS_1_0),
        ("212121212103", ExportKind.FOCUS_1_2),
    ],
)
def test_the_stack_creates_the_export_of_the_chosen_kind_and_the_role_sees_it(
    scene: Scene, account_id: str, kind: ExportKind
) -> None:
    customer = Customer(scene, account_id, f"Export {kind}", kind)
    assert customer.follow(customer.invite()) == "CREATE_COMPLETE", customer.stack_reasons()
    client = customer.session.client("bcm-data-exports", "us-east-1")
    [listed] = client.list_exports()["Exports"]
    export = client.get_export(ExportArn=listed["ExportArn"])["Export"]
    assert export["DataQuery"]["QueryStatement"] == EXPORT_TABLES[kind].query()
    assert not customer.session.client("cur", "us-east-1").describe_report_definitions()[
        "ReportDefinitions"
    ]
    account = customer.wait_until_onboarded()
    assert account["state"] == "active", account["reason"]
    passed = {check["check"] for check in account["checks"] if check["status"] == "passed"}
    assert passed >= DATA_EXPORTS_ACTIONS


def test_a_role_that_may_not_look_at_the_export_is_told_which_permission_lacks(
    scene: Scene,
) -> None:
    action = "bcm-data-exports:GetExport"
    customer = Customer(scene, "212121212104", f"Without {action}", ExportKind.FOCUS_1_2)
    assert customer.follow(customer.invite(), without(action)) == "CREATE_COMPLETE"
    account, _ = refused(customer, action)
    assert set(denied(account)) == {action}


def test_a_mended_account_becomes_active_and_takes_in_what_was_delivered_meanwhile(
    story: Story, scene: Scene
) -> None:
    customer = Customer(scene, "161616161616", "Repaired")
    customer.follow(customer.invite(), without("ce:GetDimensionValues"))
    refused(customer, "ce:GetDimensionValues")
    bill = bill_for(customer.account_id, story.world.bills()[0])
    customer.put(bill)
    assert scene.ingests(customer.account_id) == []

    assert customer.update(customer.invite()) == "UPDATE_COMPLETE"

    (execution,) = scene.wait_for_ingests(customer.account_id, 0)
    scene.wait_for_event(customer.account_id, "AccountActivated")
    scene.expect_success(execution)
    assert scene.period(customer.account_id, bill.period)["certification"] == "certified"
    assert denied(customer.shown()) == {}


def test_a_link_opened_in_another_account_fails_with_a_sentence(scene: Scene) -> None:
    customer = Customer(scene, "171717171717", "Right Account")
    other = Customer(scene, "181818181818", "Wrong Account")
    assert other.follow(customer.invite()) != "CREATE_COMPLETE"
    assert "This link was not made for the account 181818181818." in other.stack_reasons()
    assert customer.shown()["state"] == "invited"


def test_a_token_that_nobody_gave_out_fails_with_a_sentence(scene: Scene) -> None:
    customer = Customer(scene, "191919191919", "Guesser")
    link = customer.invite()
    status = customer.follow(link, RegistrationToken="guessed")
    assert status != "CREATE_COMPLETE"
    assert "This link was not made for the account 191919191919." in customer.stack_reasons()
    assert "Ask the person who sent the link for a new one." in customer.stack_reasons()
    assert customer.shown()["state"] == "invited"


def test_a_token_works_once(scene: Scene) -> None:
    customer = Customer(scene, "202020202020", "Twice")
    link = customer.invite()
    assert customer.follow(link) == "CREATE_COMPLETE"
    assert customer.wait_until_onboarded()["state"] == "active"
    again = f"{STACK}-again"
    assert customer.follow(link, only_registering("202020202020"), again) != "CREATE_COMPLETE"
    assert "This link was used already, and it works once." in customer.stack_reasons(again)
    assert customer.shown()["state"] == "active"

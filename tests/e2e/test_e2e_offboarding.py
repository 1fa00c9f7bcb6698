"""An account leaves on the local cloud: everything of it goes, and each service shows that."""

from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.sweep import DeliveryOverdue
from cloudspend.alerts.event import EventAccount
from local.story import Story
from tests.e2e.scene import Customer, Scene, bill_for
from tests.e2e.traces import traces
from tests.unit.test_docs import ANALYSTS

ACCOUNT, NAME = "272727272727", "Leaving Shop"


def overdue(scene: Scene) -> str:
    """The id of a finding that the account has from now on, as the analysts' page asks for it."""
    said = event(
        DeliveryOverdue(hours=40, target_hours=36),
        EventAccount(ACCOUNT, NAME, "LINKED"),
        "a delivery",
    )
    scene.say(said)
    (asked,) = [sql for sql in ANALYSTS if "days_open" in sql]

    def found() -> list[str]:
        rows = scene.ask(asked)
        return [str(row["finding_id"]) for row in rows if row["account_id"] == ACCOUNT]

    scene.platform.wait_until("a row of findings", lambda: bool(found()))
    (finding,) = found()
    return finding


def test_an_account_that_leaves_leaves_nothing_behind(story: Story, scene: Scene) -> None:
    customer = Customer(scene, ACCOUNT, NAME)
    assert customer.follow(customer.invite()) == "CREATE_COMPLETE"
    assert customer.wait_until_onboarded()["state"] == "active"
    bill = bill_for(ACCOUNT, story.world.bills()[1])
    scene.expect_success(customer.deliver(customer.assembly(bill)))
    finding = overdue(scene)
    muted = scene.platform.run("findings", "mute", ACCOUNT, finding, "--reason", "It leaves.")
    assert muted.code == 0, muted.err
    assert scene.ask(f"SELECT muted_because FROM findings WHERE finding_id = '{finding}'") == [
        {"muted_because": "It leaves."}
    ]
    assert traces(scene, ACCOUNT, NAME).keys() == {"objects", "catalog", "registry"}

    scene.command(
        *("accounts", "offboard", ACCOUNT, "--data", "delete"),
        *("--reason", "The contract ended.", "--confirm", ACCOUNT),
    )
    stated = scene.wait_until_gone(ACCOUNT)

    assert traces(scene, ACCOUNT, NAME) == {}
    assert "delete the CloudFormation stack 'cloudspend'" in stated["actions"][0]
    proof = scene.command("accounts", "proof", ACCOUNT)
    assert {kind: found["count"] for kind, found in proof["remaining"].items()} == {
        "secrets": 0,
        "partitions": 0,
        "object versions": 0,
        "registry items": 0,
    }
    assert proof["removed"]["object versions"] > 0
    assert proof["finished_at"]
    assert [step["after"] for step in proof["history"]][-3:] == ["active", "offboarding", "removed"]

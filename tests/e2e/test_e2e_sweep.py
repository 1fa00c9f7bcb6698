"""A round of Sweep on the local cloud: what events missed, what drifted, what is no longer kept."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloudspend.exports.model import BillingPeriod
from cloudspend.ingest.plan import RUNS
from cloudspend.lake.items import generation_key
from cloudspend.lake.tables import COST_AND_USAGE, generation_prefix
from local.story import Story
from local.world.bill import Bill
from local.world.delivery import post_ledger, write
from tests.e2e.scene import Customer, Scene, bill_for, dearer

ACCOUNT = "646464646464"
LEFT = "20200101T000000Z-dddddddd"
FOLDERS = (COST_AND_USAGE.data_folder, RUNS)


@pytest.fixture(scope="module")
def customer(story: Story, scene: Scene) -> Customer:
    customer = Customer(scene, ACCOUNT, "Swept Shop")
    assert customer.follow(customer.invite()) == "CREATE_COMPLETE"
    assert customer.wait_until_onboarded()["state"] == "active"
    return customer


@pytest.fixture(scope="module")
def bill(story: Story) -> Bill:
    return bill_for(ACCOUNT, story.world.bills()[1])


def swept(scene: Scene) -> dict[str, int]:
    """Run a round as the operator does; returns what was found, by name."""
    return {row["what"]: int(row["number"]) for row in scene.command("sweep")}


def staged(scene: Scene, period: BillingPeriod, generation: str) -> list[str]:
    s3 = scene.platform.session.client("s3")
    return [
        found["Key"]
        for folder in FOLDERS
        for found in s3.list_objects_v2(
            Bucket=scene.platform.settings.lake_bucket,
            Prefix=generation_prefix(folder, ACCOUNT, period, generation),
        ).get("Contents", [])
    ]


def test_a_round_mends_what_is_wrong_and_says_so(
    customer: Customer, scene: Scene, bill: Bill
) -> None:
    period = bill.period
    scene.expect_success(customer.deliver(customer.assembly(bill)))
    (first,) = scene.totals(ACCOUNT, period).generations

    # no one announces the restated bill; somebody moves the partition; a killed run left a plan
    customer.listen(received=False)
    before = len(scene.ingests(ACCOUNT))
    time.sleep(1.1)
    restated = dearer(bill)
    post_ledger(restated, scene.platform.cloud.endpoint)
    write(customer.assembly(restated), customer.session)
    glue = scene.platform.session.client("glue")
    where = {"DatabaseName": "cloudspend", "TableName": COST_AND_USAGE.name}
    glue.delete_partition(**where, PartitionValues=[ACCOUNT, str(period)])
    assert scene.totals(ACCOUNT, period).rows == 0

    found = swept(scene)
    assert found["deliveries found"] == 1
    assert found["partitions repaired"] == 1
    assert scene.wait_for_event(ACCOUNT, "DeliveryFound", period=str(period))
    assert scene.wait_for_event(ACCOUNT, "PartitionRepaired", period=str(period))
    (execution,) = scene.wait_for_ingests(ACCOUNT, before)
    scene.expect_success(execution)
    (second,) = scene.totals(ACCOUNT, period).generations
    assert second > first

    again = swept(scene)
    assert again["deliveries found"] == again["partitions repaired"] == 0


def test_an_expired_generation_goes_and_the_published_one_stays(
    customer: Customer, scene: Scene, bill: Bill
) -> None:
    period = bill.period
    table: Any = scene.platform.session.resource("dynamodb").Table("cloudspend")
    (current,) = scene.totals(ACCOUNT, period).generations
    pointed = scene.period(ACCOUNT, period)
    rows = scene.command("periods", "show", ACCOUNT, str(period))
    old = next(row["generation"] for row in rows if row["generation"] != current)
    assert staged(scene, period, old)
    # as if Sweep had let it go two days ago
    table.update_item(
        Key=generation_key(ACCOUNT, period, old),
        UpdateExpression="SET #state = :expired, expired_at = :at",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={
            ":expired": "expired",
            ":at": (datetime.now(UTC) - timedelta(days=2)).isoformat(),
        },
    )
    assert swept(scene)["objects deleted"] > 0
    assert staged(scene, period, old) == []
    assert staged(scene, period, current)
    left = scene.command("periods", "show", ACCOUNT, str(period))
    assert [row["generation"] for row in left] == [current]
    assert scene.period(ACCOUNT, period) == pointed


def test_what_may_still_be_written_is_not_swept_out(
    customer: Customer, scene: Scene, bill: Bill
) -> None:
    s3 = scene.platform.session.client("s3")
    key = generation_prefix(RUNS, ACCOUNT, bill.period, LEFT) + "plan.json"
    s3.put_object(Bucket=scene.platform.settings.lake_bucket, Key=key, Body=b"[]")
    assert swept(scene)["staging removed"] == 0
    assert staged(scene, bill.period, LEFT) == [key]


def test_periods_are_repaired_by_hand(customer: Customer, scene: Scene, bill: Bill) -> None:
    glue = scene.platform.session.client("glue")
    where = {"DatabaseName": "cloudspend", "TableName": COST_AND_USAGE.name}
    before = scene.totals(ACCOUNT, bill.period)
    glue.delete_partition(**where, PartitionValues=[ACCOUNT, str(bill.period)])
    (repaired,) = scene.command("periods", "repair", ACCOUNT, str(bill.period))
    assert repaired["wrong"] == "It was missing."
    assert scene.totals(ACCOUNT, bill.period) == before

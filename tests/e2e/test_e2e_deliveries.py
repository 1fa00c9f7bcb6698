"""What AWS delivers damaged, twice, out of order or in the middle of something else.

Readers must see one whole generation throughout, and people must hear what is wrong and where.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from cloudspend import payloads as p
from local.platform import ENDED
from local.story import Story
from local.world import breakage
from local.world.bill import Bill
from local.world.delivery import Assembly, post_ledger, write
from tests.e2e.scene import Customer, Scene, Totals, bill_for, dearer

ACCOUNT = "555555555555"
EXACT = Decimal("1e-9")
CENT = Decimal("0.01")
Fault = dict[str, object]


@dataclass(frozen=True)
class Shop:
    """A customer with a closed month that is published and certified."""

    customer: Customer
    bill: Bill

    @property
    def scene(self) -> Scene:
        return self.customer.scene

    @property
    def period(self) -> str:
        return str(self.bill.period)

    @property
    def seen(self) -> Totals:
        """What readers see at this moment."""
        return self.scene.totals(ACCOUNT, self.period)

    def assembly(self, bill: Bill | None = None) -> Assembly:
        return self.customer.assembly(bill or self.bill)

    def shows(self, bill: Bill) -> bool:
        """Whether readers see one generation with exactly the rows and the cost of `bill`."""
        seen = self.seen
        return (
            len(seen.generations) == 1
            and seen.rows == len(list(bill.rows))
            and abs(seen.billed - bill.total()) < EXACT
        )

    def announce(self, assembly: Assembly) -> None:
        """EventBridge hands over the event of a manifest, as it may do more than once."""
        detail = {
            "bucket": {"name": assembly.report.bucket},
            "object": {"key": assembly.manifest_key},
        }
        event = {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "account": ACCOUNT,
            "detail": detail,
        }
        self.scene.invoke("ingest_start", event)

    def put_quietly(self, assembly: Assembly) -> None:
        """The files arrive, and the events about them are still on their way."""
        time.sleep(1.1)
        write(assembly, self.customer.session)


@pytest.fixture(scope="module")
def shop(story: Story, scene: Scene) -> Shop:
    customer = Customer(scene, ACCOUNT, "Corner Shop")
    assert customer.follow(customer.invite()) == "CREATE_COMPLETE"
    assert customer.wait_until_onboarded()["state"] == "active"
    bill = bill_for(ACCOUNT, story.world.bills()[1])
    assert len(bill.files) == 3
    shop = Shop(customer, bill)
    scene.expect_success(customer.deliver(shop.assembly()))
    return shop


@pytest.fixture
def whole(shop: Shop) -> Shop:
    """The shop, whose true bill readers see, even if the test before it left another."""
    period = shop.scene.period(ACCOUNT, shop.period)
    if period["certification"] != "certified" or not shop.shows(shop.bill):
        shop.scene.expect_success(shop.customer.deliver(shop.assembly()))
    assert shop.shows(shop.bill)
    assert shop.scene.period(ACCOUNT, shop.period)["certification"] == "certified"
    return shop


@pytest.fixture
def faults(scene: Scene) -> Iterator[Callable[[Fault], None]]:
    """Sets what the local cloud does wrong; it does right again after the test."""
    cloud = scene.platform.cloud
    yield lambda fault: cloud.control("faults", [fault])
    cloud.control("faults", method="DELETE")


@pytest.fixture
def deaf(whole: Shop) -> Iterator[None]:
    """From now on no manifest is announced by itself."""
    whole.customer.listen(received=False)
    yield
    whole.customer.listen(received=True)


def generation_of(execution: dict[str, Any]) -> str:
    return str(execution["name"]).split("_")[2]


@dataclass(frozen=True)
class Damage:
    """A damaged delivery: how it is made, and what the event says of it (files count from 1)."""

    make: Callable[[Shop], Assembly]
    file: int
    line: int | None = None
    column: str | None = None
    value: str | None = None


DAMAGES = {
    "a gzip that ends in its middle": Damage(
        lambda shop: breakage.truncated(shop.assembly(), 2), file=2
    ),
    "a file that is missing": Damage(
        lambda shop: breakage.without_file(shop.assembly(), 3), file=3
    ),
    "a cost that is no number": Damage(
        lambda shop: shop.assembly(breakage.with_cost(shop.bill, 2, 5)),
        file=2,
        line=6,
        column="lineItem/UnblendedCost",
        value="n/a",
    ),
    "a row of another month": Damage(
        lambda shop: shop.assembly(breakage.outside_period(shop.bill, 3, 7)),
        file=3,
        line=8,
        column="bill/BillingPeriodStartDate",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_delivery_is_not_published(whole: Shop, damage: Damage) -> None:
    before, shown = whole.seen, whole.scene.period(ACCOUNT, whole.period)
    assembly = damage.make(whole)
    key = list(assembly.report_keys)[damage.file - 1]

    execution = whole.customer.deliver(assembly, truth=whole.bill)

    assert execution["status"] == "FAILED"
    assert whole.seen == before
    assert whole.scene.period(ACCOUNT, whole.period) == shown
    event = whole.scene.wait_for_event(ACCOUNT, "IngestFailed", generation=generation_of(execution))
    details = event["details"]
    assert details["period"] == whole.period
    assert details["file"] == f"s3://{assembly.report.bucket}/{key}"
    assert details["column"] == damage.column
    if damage.line:
        assert details["line"] == damage.line
    if damage.value:
        assert details["value"] == damage.value
    assert key in event["summary"]
    assert details["remedy"]


def test_the_value_outside_the_period_is_named(whole: Shop) -> None:
    bill = breakage.outside_period(whole.bill, 1, 1)
    execution = whole.customer.deliver(whole.assembly(bill), truth=whole.bill)
    event = whole.scene.wait_for_event(ACCOUNT, "IngestFailed", generation=generation_of(execution))
    month_before = f"{whole.bill.period.previous.start:%Y-%m-%dT%H:%M:%SZ}"
    assert (event["details"]["value"], event["details"]["line"]) == (month_before, 2)


def test_a_file_replaced_after_planning_stops_the_delivery(
    whole: Shop, faults: Callable[[Fault], None]
) -> None:
    before = whole.seen
    time.sleep(1.1)
    assembly = whole.assembly()
    count = len(whole.scene.ingests(ACCOUNT))
    path = f"{assembly.assembly_id}/.*-00002.csv.gz"
    faults({"service": "s3", "method": "GET", "path": path, "delay_seconds": 4})
    write(assembly, whole.customer.session)
    execution = wait_for_state(whole, count, "Convert")
    breakage.overwrite(assembly, 2, whole.customer.session)
    (ended,) = whole.scene.wait_for_ingests(ACCOUNT, count)

    assert ended["status"] == "FAILED"
    assert whole.seen == before
    event = whole.scene.wait_for_event(ACCOUNT, "IngestFailed", generation=generation_of(execution))
    assert event["details"]["error"] == "DeliveryReplaced"
    assert event["details"]["file"].endswith("-00002.csv.gz")


@pytest.fixture
def hasty(scene: Scene) -> Iterator[None]:
    """A function that converts may take two seconds."""
    client = scene.platform.session.client("lambda")
    name = "cloudspend-ingest-convert"
    allowed = client.get_function_configuration(FunctionName=name)["Timeout"]
    client.update_function_configuration(FunctionName=name, Timeout=2)
    yield
    client.update_function_configuration(FunctionName=name, Timeout=allowed)


def test_a_conversion_that_is_killed_is_told_though_it_could_say_nothing(
    whole: Shop, hasty: None, faults: Callable[[Fault], None]
) -> None:
    before = whole.seen
    time.sleep(1.1)
    assembly = whole.assembly()
    path = f"{assembly.assembly_id}/.*-00002.csv.gz"
    faults({"service": "s3", "method": "GET", "path": path, "delay_seconds": 6})

    execution = whole.customer.deliver(assembly)

    assert execution["status"] == "FAILED"
    assert whole.seen == before
    event = whole.scene.wait_for_event(ACCOUNT, "IngestFailed", generation=generation_of(execution))
    assert event["details"]["error"] == "Sandbox.Timedout"
    assert "Task timed out after 2.00 seconds" in event["details"]["reason"]


def test_a_failed_delivery_is_tried_again_and_published_once_it_is_mended(whole: Shop) -> None:
    before = whole.seen
    assembly = whole.assembly(dearer(whole.bill))
    command = ("ingest", ACCOUNT, "--period", whole.period)
    damaged = breakage.without_file(assembly, 1)
    assert whole.customer.deliver(damaged, truth=assembly.bill)["status"] == "FAILED"

    answer = whole.scene.platform.run(*command)
    assert (answer.code, whole.seen) == (1, before)
    assert "failed" in answer.out
    assert "Traceback" not in answer.err

    key = breakage.key_of(assembly, 1)
    whole.customer.session.client("s3").put_object(
        Bucket=assembly.report.bucket, Key=key, Body=assembly.data[key]
    )
    assert whole.scene.command(*command)[0]["outcome"] == "succeeded"
    assert whole.shows(assembly.bill)


@pytest.mark.usefixtures("deaf")
def test_one_manifest_announced_three_times_is_published_once(whole: Shop) -> None:
    older, newer = whole.assembly(whole.bill), whole.assembly(dearer(whole.bill))
    count = len(whole.scene.ingests(ACCOUNT))
    whole.put_quietly(older)
    whole.put_quietly(newer)
    post_ledger(newer.bill, whole.scene.platform.cloud.endpoint)

    with ThreadPoolExecutor() as at_once:
        list(at_once.map(whole.announce, [newer, newer]))
    whole.announce(newer)
    (execution,) = whole.scene.wait_for_ingests(ACCOUNT, count)
    whole.scene.expect_success(execution)
    published = whole.scene.period(ACCOUNT, whole.period)
    assert whole.shows(newer.bill)

    whole.announce(older)
    (late,) = whole.scene.wait_for_ingests(ACCOUNT, count + 1)
    whole.scene.expect_success(late)
    assert generation_of(late) < generation_of(execution) == published["generation"]
    assert whole.scene.period(ACCOUNT, whole.period) == published
    assert whole.shows(newer.bill)


@pytest.mark.usefixtures("deaf")
def test_two_executions_of_one_delivery_at_once_count_nothing_twice(whole: Shop) -> None:
    assembly = whole.assembly(dearer(whole.bill))
    whole.put_quietly(assembly)
    post_ledger(assembly.bill, whole.scene.platform.cloud.endpoint)
    arns = [whole.scene.start(assembly, ACCOUNT, f"{ACCOUNT}_twin_{n}") for n in range(2)]
    ended = whole.scene.wait_for_executions(arns)
    whole.scene.expect_success(*ended)
    assert whole.shows(assembly.bill)
    (generation,) = whole.seen.generations
    events = whole.scene.recorder.of(ACCOUNT, "PeriodRestated", generation=generation)
    assert len({event["event_id"] for event in events}) == 1


@pytest.mark.usefixtures("deaf")
def test_an_older_delivery_that_ends_after_a_newer_one_is_not_published(
    whole: Shop, faults: Callable[[Fault], None]
) -> None:
    older, newer = whole.assembly(whole.bill), whole.assembly(dearer(whole.bill))
    whole.put_quietly(older)
    whole.put_quietly(newer)
    post_ledger(newer.bill, whole.scene.platform.cloud.endpoint)
    path = f"{older.assembly_id}/.*-00001.csv.gz"
    # Longer than the newer one takes on a busy machine.
    faults({"service": "s3", "method": "GET", "path": path, "delay_seconds": 20})

    slow = whole.scene.start(older, ACCOUNT, f"{ACCOUNT}_slow_older")
    quick = whole.scene.start(newer, ACCOUNT, f"{ACCOUNT}_quick_newer")
    first, last = whole.scene.wait_for_executions([quick, slow])

    whole.scene.expect_success(first, last)
    assert first["stopDate"] < last["stopDate"]
    assert json.loads(first["output"])[p.PUBLISHED] is True
    assert json.loads(last["output"])[p.PUBLISHED] is False
    assert whole.shows(newer.bill)


def test_a_query_in_a_loop_sees_only_whole_generations(whole: Shop) -> None:
    old, seen, stop = whole.seen, [], threading.Event()

    def look() -> None:
        while not stop.is_set():
            seen.append(whole.seen)

    with ThreadPoolExecutor(1) as reader:
        looking = reader.submit(look)
        try:
            execution = whole.customer.deliver(whole.assembly(dearer(whole.bill)))
        finally:
            time.sleep(0.5)
            stop.set()
        looking.result()

    whole.scene.expect_success(execution)
    new = whole.seen
    assert new.billed != old.billed
    assert set(seen) == {old, new}
    assert seen == sorted(seen, key=lambda totals: totals.generations)


def disputed(shop: Shop, off: Decimal, accounts: set[str]) -> None:
    """The period is disputed for being `off` by that much, in these accounts."""
    row = shop.scene.period(ACCOUNT, shop.period)
    assert row["certification"] == "disputed"
    event = shop.scene.wait_for_event(ACCOUNT, "PeriodDisputed", generation=row["generation"])
    details = event["details"]
    assert event["severity"] == "critical"
    difference = Decimal(details["lake_total"]) - Decimal(details["cost_explorer_total"])
    assert abs(difference - off) < EXACT
    cells = [cell for cell in details["cells"] if "effective" not in cell["charge_type"]]
    assert abs(sum(Decimal(cell["residual"]) for cell in cells) - off) < CENT * 20
    assert accounts >= {cell["account"] for cell in cells} != set()
    assert Decimal(details["residual"]) >= abs(off) - EXACT
    assert cells[0]["service"] in event["summary"]
    assert cells[0]["account"] in event["summary"]


def cost_and_accounts(bill: Bill, file: int) -> tuple[Decimal, set[str]]:
    """What the file, counted from 1, costs and whom."""
    cost = bill.columns.index("lineItem/UnblendedCost")
    account = bill.columns.index("lineItem/UsageAccountId")
    rows = bill.files[file - 1]
    return sum((Decimal(r[cost] or 0) for r in rows), Decimal()), {r[account] for r in rows}


def test_a_file_lost_from_the_lake_disputes_the_period(whole: Shop) -> None:
    bucket = whole.scene.platform.settings.lake_bucket
    (generation,) = whole.seen.generations
    prefix = (
        f"cost_and_usage/account_id={ACCOUNT}/billing_period={whole.period}/"
        f"generation={generation}/"
    )
    s3 = whole.scene.platform.session.client("s3")
    files = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    assert len(files) == len(whole.bill.files)
    s3.delete_object(Bucket=bucket, Key=sorted(file["Key"] for file in files)[1])
    lost, accounts = cost_and_accounts(whole.bill, 2)

    state = {p.ACCOUNT_ID: ACCOUNT, p.PERIOD: whole.period, p.GENERATION: generation}
    assert whole.scene.invoke("reconcile_period", state)[p.VERDICT] == "disputed"

    disputed(whole, -lost, accounts)


@pytest.mark.parametrize("repeat", [breakage.delivered_twice, breakage.listed_twice])
def test_a_file_delivered_twice_disputes_the_period(
    whole: Shop, repeat: Callable[[Assembly, int], Assembly]
) -> None:
    execution = whole.customer.deliver(repeat(whole.assembly(), 2), truth=whole.bill)
    whole.scene.expect_success(execution)
    disputed(whole, *cost_and_accounts(whole.bill, 2))


def test_a_file_that_aws_left_out_disputes_the_period(whole: Shop) -> None:
    missing, accounts = cost_and_accounts(whole.bill, 3)
    execution = whole.customer.deliver(breakage.left_out(whole.assembly(), 3), truth=whole.bill)
    whole.scene.expect_success(execution)
    disputed(whole, -missing, accounts)


def test_a_rolled_back_period_is_compared_by_itself(whole: Shop) -> None:
    (older,) = whole.seen.generations
    bill = dearer(whole.bill)
    whole.scene.expect_success(whole.customer.deliver(whole.assembly(bill)))
    (newer,) = whole.seen.generations

    roll_back(whole, older)
    assert whole.shows(whole.bill)
    whole.scene.wait_for_event(ACCOUNT, "PeriodDisputed", generation=older)
    shown = whole.scene.period(ACCOUNT, whole.period)
    assert (shown["generation"], shown["certification"]) == (older, "disputed")

    roll_back(whole, newer)
    whole.scene.platform.wait_until(
        "the comparison of the newer generation",
        lambda: whole.scene.period(ACCOUNT, whole.period)["certification"] == "certified",
        60,
    )
    assert whole.shows(bill)


def roll_back(shop: Shop, generation: str) -> None:
    arguments = (ACCOUNT, shop.period, generation, "--reason", "Booked twice.", "--yes")
    answer = shop.scene.platform.run("periods", "rollback", *arguments)
    assert answer.code == 0, answer.err


KILLED_IN = {
    "Convert": {"service": "s3", "method": "GET", "path": r"-00003\.csv\.gz"},
    "Check": {"service": "glue"},
}


@pytest.mark.parametrize(("state", "fault"), KILLED_IN.items(), ids=KILLED_IN.keys())
def test_the_next_execution_finishes_what_a_killed_one_began(
    whole: Shop, faults: Callable[[Fault], None], state: str, fault: Fault
) -> None:
    before, shown = whole.seen, whole.scene.period(ACCOUNT, whole.period)
    time.sleep(1.1)
    assembly = whole.assembly(dearer(whole.bill))
    post_ledger(assembly.bill, whole.scene.platform.cloud.endpoint)
    count = len(whole.scene.ingests(ACCOUNT))
    faults({**fault, "delay_seconds": 5})
    write(assembly, whole.customer.session)
    execution = wait_for_state(whole, count, state)

    whole.scene.platform.session.client("stepfunctions").stop_execution(
        executionArn=execution["executionArn"]
    )

    (ended,) = whole.scene.wait_for_executions([execution["executionArn"]])
    assert ended["status"] == "ABORTED"
    assert whole.seen == before
    assert whole.scene.period(ACCOUNT, whole.period) == shown
    (row,) = whole.scene.command("ingest", ACCOUNT, "--period", whole.period)
    assert row["outcome"] == "succeeded"
    assert whole.shows(assembly.bill)
    assert whole.scene.period(ACCOUNT, whole.period)["certification"] == "certified"


def wait_for_state(shop: Shop, more_than: int, state: str) -> dict[str, Any]:
    """The newest execution, once it is in `state`."""
    client = shop.scene.platform.session.client("stepfunctions")

    def entered() -> bool:
        found = shop.scene.ingests(ACCOUNT)[more_than:]
        assert all(execution["status"] not in ENDED for execution in found), "it ended too soon"
        return any(
            event.get("stateEnteredEventDetails", {}).get("name") == state
            for execution in found
            for event in client.get_execution_history(executionArn=execution["executionArn"])[
                "events"
            ]
        )

    shop.scene.platform.wait_until(f"the state {state}", entered, 30)
    return shop.scene.ingests(ACCOUNT)[-1]


STEPS = {
    "Plan": "ingest_plan",
    "Check": "ingest_check",
    "Publish": "ingest_publish",
    "Reconcile": "reconcile_period",
}


def test_a_repeat_of_any_step_changes_nothing(whole: Shop) -> None:
    execution = whole.customer.deliver(whole.assembly(dearer(whole.bill)))
    before = (whole.seen, whole.scene.period(ACCOUNT, whole.period), states(whole))
    client = whole.scene.platform.session.client("stepfunctions")
    history = client.get_execution_history(executionArn=execution["executionArn"], maxResults=1000)
    entered = [
        event["stateEnteredEventDetails"]
        for event in history["events"]
        if "stateEnteredEventDetails" in event
    ]
    inputs = {each["name"]: json.loads(each["input"]) for each in entered}
    for state, function in STEPS.items():
        whole.scene.invoke(function, inputs[state])
        assert (whole.seen, whole.scene.period(ACCOUNT, whole.period), states(whole)) == before, (
            f"repeating {state} changed something"
        )
    for task in tasks(whole, inputs["Check"]):
        whole.scene.invoke("ingest_convert", task)
    assert (whole.seen, whole.scene.period(ACCOUNT, whole.period), states(whole)) == before


def states(shop: Shop) -> dict[str, str]:
    """The state of each generation in the registry."""
    table = shop.scene.platform.session.client("dynamodb")
    items = table.query(
        TableName="cloudspend",
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues={
            ":pk": {"S": f"ACCOUNT#{ACCOUNT}"},
            ":sk": {"S": "GENERATION#"},
        },
        ConsistentRead=True,
    )["Items"]
    return {item["sk"]["S"]: item["state"]["S"] for item in items}


def tasks(shop: Shop, state: dict[str, Any]) -> list[dict[str, Any]]:
    """The conversion tasks of a plan."""
    body = shop.scene.platform.session.client("s3").get_object(
        Bucket=state[p.PLAN_BUCKET], Key=state[p.PLAN_KEY]
    )["Body"]
    found: list[dict[str, Any]] = json.loads(body.read())
    return found

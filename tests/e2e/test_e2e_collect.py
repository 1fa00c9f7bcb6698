"""Collect on the local cloud: everything of an organization, again, with faults, and to the cap."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from cloudspend import payloads as p
from cloudspend.collect.items import spend_key
from cloudspend.collect.sources import SOURCES
from cloudspend.settings import COLLECT_PAGES
from local.story import Story
from local.world.bill import Bill
from local.world.delivery import post_ledger, tell
from tests.e2e.scene import Customer, Scene, dearer, hours_for

ACCOUNT, MEMBER = "818181818181", "222222222222"
Row = dict[str, Any]


@dataclass(frozen=True)
class Collected:
    """A first round over everything, and the bills that AWS knew."""

    customer: Customer
    bills: tuple[Bill, ...]
    first: dict[str, Row]


def collect(scene: Scene, *sources: str) -> dict[str, Row]:
    """What `cloudspend collect` says of each source."""
    named = [word for source in sources for word in ("--source", source)]
    return {row["source"]: row for row in scene.command("collect", ACCOUNT, *named)}


@pytest.fixture(scope="module")
def collected(story: Story, scene: Scene) -> Collected:
    endpoint = scene.platform.cloud.endpoint
    members = [
        {"id": ACCOUNT, "name": "Collected Shop", "email": "root@shop.example.com"},
        {
            "id": MEMBER,
            "name": "Production",
            "email": "someone@shop.example.com",
            "unit": "Workloads/Production",
            "tags": {"team": "shop"},
        },
    ]
    tell(endpoint, "world", {"management": ACCOUNT, "members": members})
    budget = {
        "name": "month",
        "limit": "0.01",
        "notifications": [{"type": "ACTUAL", "threshold": 80}],
    }
    tell(endpoint, "budgets", {"account": ACCOUNT, "budgets": [budget]})
    customer = Customer(scene, ACCOUNT, "Collected Shop")
    link = scene.command(
        *("accounts", "invite", ACCOUNT, "--name", "Collected Shop"),
        *("--type", "ORGANIZATION", "--start-date", "2020-01-01"),
    )["link"]
    assert customer.follow(str(link)) == "CREATE_COMPLETE"
    assert customer.wait_until_onboarded()["state"] == "active"
    bills = tuple(hours_for(ACCOUNT, bill) for bill in story.world.bills()[1:])
    for bill in bills:
        post_ledger(bill, endpoint)
    return Collected(customer, bills, collect(scene))


def daily_total(scene: Scene) -> tuple[int, Decimal]:
    (row,) = scene.ask(
        f"""
        SELECT count(*) AS n, sum(CAST(unblended_cost AS decimal(38, 10))) AS cost
        FROM cost_explorer_daily_services WHERE account_id = '{ACCOUNT}'
        """
    )
    return int(row["n"]), Decimal(row["cost"])


def test_everything_is_collected_and_adds_up_to_the_bill(
    scene: Scene, collected: Collected
) -> None:
    assert list(collected.first) == list(SOURCES)
    assert {row["status"] for row in collected.first.values()} == {"collected"}
    empty = {name for name, row in collected.first.items() if not row["rows"]}
    assert empty <= {"reservation_recommendations"}
    rows, cost = daily_total(scene)
    assert rows == collected.first["daily_services"]["rows"]
    assert cost == sum((bill.total() for bill in collected.bills), Decimal())
    (member,) = scene.ask(
        f"""
        SELECT name, email_domain, unit_path, element_at(tags, 'team') AS team
        FROM organization_accounts
        WHERE account_id = '{ACCOUNT}' AND sub_account_id = '{MEMBER}'
        """
    )
    assert member == {
        "name": "Production",
        "email_domain": "shop.example.com",
        "unit_path": "Root/Workloads/Production",
        "team": "shop",
    }
    (alarm,) = scene.ask(f"SELECT state FROM budget_notifications WHERE account_id = '{ACCOUNT}'")
    assert alarm == {"state": "ALARM"}


def test_a_round_in_spite_of_faults_doubles_nothing_and_says_what_it_may_not_read(
    scene: Scene, collected: Collected
) -> None:
    before = daily_total(scene)
    tell(
        scene.platform.cloud.endpoint,
        "faults",
        [
            {"service": "ce", "operation": "GetCostAndUsage", "code": "ThrottlingException"},
            {"service": "ce", "operation": "GetCostAndUsage", "code": "RequestChangedException"},
            {"service": "budgets", "code": "AccessDeniedException"},
        ],
    )
    again = collect(scene, "budgets", "daily_services")
    assert again["daily_services"]["status"] == "collected"
    assert 0 < again["daily_services"]["pages"] < collected.first["daily_services"]["pages"]
    assert daily_total(scene) == before
    assert again["budgets"]["status"] == "degraded"
    assert "budgets:ViewBudget is denied" in again["budgets"]["reason"]
    assert scene.wait_for_event(ACCOUNT, "SourceDegraded", source="budgets")
    assert collect(scene, "budgets")["budgets"]["status"] == "collected"
    assert scene.wait_for_event(ACCOUNT, "SourceRecovered", source="budgets")


def test_at_the_cap_a_source_stops_and_what_was_stored_stays(
    scene: Scene, collected: Collected
) -> None:
    before = daily_total(scene)
    table: Any = scene.platform.session.resource("dynamodb").Table("cloudspend")
    table.update_item(
        Key=spend_key(ACCOUNT, datetime.now(UTC).date()),
        UpdateExpression="SET pages = :cap",
        ExpressionAttributeValues={":cap": COLLECT_PAGES},
    )
    stopped = collect(scene, "daily_services", "budgets")
    assert stopped["daily_services"]["status"] == "capped"
    assert stopped["daily_services"]["pages"] == 0
    assert stopped["budgets"]["status"] == "collected"  # it costs nothing
    assert daily_total(scene) == before
    event = scene.wait_for_event(ACCOUNT, "CollectCapReached")
    assert event["severity"] == "warning"
    assert event["details"]["cost"] == "2.00"


def test_findings_are_told_once_again_when_worse_and_when_over(
    scene: Scene, collected: Collected
) -> None:
    """Day by day, with two budgets of which one is muted; the first day by the state machine."""
    (current,) = (bill for bill in collected.bills if not bill.final)
    budgeted(scene, month="0.01", year="0.01")
    machine = scene.platform.settings.findings_machine_arn
    started = scene.platform.session.client("stepfunctions").start_execution(
        stateMachineArn=machine
    )
    scene.expect_success(*scene.wait_for_executions([started["executionArn"]]))
    month, year = (
        scene.wait_for_event(ACCOUNT, "FindingRaised", subject=name) for name in ("month", "year")
    )
    assert month["severity"] == "warning"
    assert "is above 100 % of its limit" in month["summary"]

    evaluated(scene)
    assert len(stated(scene, "FindingRaised", "month")) == 1
    assert stated(scene, "FindingUpdated", "month") == []

    muting = ("--days", "30", "--reason", "The limit is a test's.")
    finding = month["details"]["finding"]
    assert scene.platform.run("findings", "mute", ACCOUNT, finding, *muting).code == 0
    post_ledger(dearer(current, "2"), scene.platform.cloud.endpoint)
    assert collect(scene, "budgets")["budgets"]["status"] == "collected"
    evaluated(scene)
    worse = scene.wait_for_event(ACCOUNT, "FindingUpdated", subject="year")
    assert worse["details"]["change"] == "the amount has grown by half or more"
    assert Decimal(worse["details"]["amount"]) > Decimal(year["details"]["amount"])
    assert stated(scene, "FindingUpdated", "month") == []
    digest = scene.wait_for_event(ACCOUNT, "FindingsDigest")
    assert [each["finding"] for each in digest["details"]["findings"]] == [finding]

    budgeted(scene, month="0.01", year="1000000")
    evaluated(scene)
    assert scene.wait_for_event(ACCOUNT, "FindingResolved", subject="year")
    (open_one,) = scene.command("findings", "list", ACCOUNT)
    assert (open_one["finding"], open_one["kind"]) == (finding, "budget")


def budgeted(scene: Scene, **limits: str) -> None:
    """The account has these budgets, and they were collected."""
    budgets = [{"name": name, "limit": limit} for name, limit in limits.items()]
    tell(scene.platform.cloud.endpoint, "budgets", {"account": ACCOUNT, "budgets": budgets})
    assert collect(scene, "budgets", "budget_notifications")["budgets"]["status"] == "collected"


def evaluated(scene: Scene) -> None:
    """Another day's evaluation, of this account alone."""
    answer = scene.invoke("findings_evaluate", {"Items": [ACCOUNT]})
    assert answer == {p.EVALUATED: 1, p.NOT_EVALUATED: []}


def stated(scene: Scene, kind: str, budget: str) -> list[dict[str, Any]]:
    """The messages so far about a budget's finding."""
    return scene.recorder.of(ACCOUNT, kind, subject=budget)

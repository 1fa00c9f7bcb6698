"""Writers restate one month again and again while readers ask for it: no answer is torn.

`CLOUDSPEND_RACE_SECONDS` is how long at least and `CLOUDSPEND_RACE_GENERATIONS` how often the month
is delivered; `make race` sets a minute and ten.
"""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

import pytest

from local.platform import ENDED
from local.story import Story
from local.world.bill import Bill
from local.world.delivery import post_ledger, write
from tests.e2e.scene import Customer, Scene, dearer, hours_for

ACCOUNT = "232323232323"
GENERATIONS = int(os.environ.get("CLOUDSPEND_RACE_GENERATIONS", "4"))
READERS = 2
AT_ONCE = 2
SECONDS = float(os.environ.get("CLOUDSPEND_RACE_SECONDS", "15"))
# A restatement of another tenth each: all totals differ in every order.
FACTORS = [f"1.{number}" for number in range(GENERATIONS)]


@dataclass(frozen=True)
class Seen:
    """One answer: rows and cost, and the generations that the rows came from."""

    rows: int
    cost: Decimal
    generations: tuple[str, ...]


class Race:
    """An account whose month is restated, and what its readers were answered."""

    def __init__(self, customer: Customer, bill: Bill) -> None:
        self.customer = customer
        self.scene = customer.scene
        self.period = str(bill.period)
        self.bills = [dearer(bill, factor) for factor in FACTORS]

    def ask(self, table: str, cost: str) -> Seen:
        rows = self.scene.ask(
            f"""
            SELECT count(*) AS n, sum(CAST({cost} AS decimal(38, 12))) AS cost,
                regexp_extract("$path", 'generation=([^/]+)/', 1) AS generation
            FROM {table}
            WHERE account_id = '{ACCOUNT}' AND billing_period = '{self.period}'
            GROUP BY 3
            """
        )
        return Seen(
            sum(int(row["n"]) for row in rows),
            sum((Decimal(row["cost"]) for row in rows), Decimal()),
            tuple(sorted(row["generation"] for row in rows)),
        )

    def deliver(self, bill: Bill) -> None:
        """AWS delivers at any time; S3 distinguishes deliveries by the second."""
        time.sleep(1.1)
        post_ledger(bill, self.scene.platform.cloud.endpoint)
        write(self.customer.assembly(bill), self.customer.session)

    def restate(self) -> None:
        """Deliver every restatement, with up to AT_ONCE executions at the same time."""
        for number, bill in enumerate(self.bills[1:], start=2):
            self.deliver(bill)
            self._wait(number, AT_ONCE - 1)
        self._wait(GENERATIONS, 0)

    def _wait(self, begun: int, working: int) -> None:
        def so_far() -> bool:
            found = self.scene.ingests(ACCOUNT)
            return len(found) >= begun and sum(e["status"] not in ENDED for e in found) <= working

        self.scene.platform.wait_until(f"restatement {begun}", so_far, 120)


@pytest.fixture(scope="module")
def race(story: Story, scene: Scene) -> Race:
    customer = Customer(scene, ACCOUNT, "Race")
    assert customer.follow(customer.invite()) == "CREATE_COMPLETE"
    assert customer.wait_until_onboarded()["state"] == "active"
    race = Race(customer, hours_for(ACCOUNT, story.world.bills()[1], hours=4))
    scene.expect_success(customer.deliver(customer.assembly(race.bills[0])))
    return race


TABLES = {
    "cost_and_usage": "billedcost",
    "billing_detail": "line_item_unblended_cost",
}


def reader(ask: Callable[[], Seen], stop: threading.Event) -> list[Seen]:
    seen = []
    while not stop.is_set():
        seen.append(ask())
    return seen


def test_readers_of_a_month_that_is_restated_see_whole_generations_only(race: Race) -> None:
    stop, started = threading.Event(), time.monotonic()
    answers: dict[str, list[Future[list[Seen]]]] = {}
    with ThreadPoolExecutor(READERS * len(TABLES)) as pool:
        for table, cost in TABLES.items():
            answers[table] = [
                pool.submit(reader, lambda table=table, cost=cost: race.ask(table, cost), stop)
                for _ in range(READERS)
            ]
        try:
            race.restate()
            time.sleep(max(0.0, SECONDS - (time.monotonic() - started)))
        finally:
            stop.set()

    executions = race.scene.ingests(ACCOUNT)
    assert len(executions) == GENERATIONS
    race.scene.expect_success(*executions)
    for table, readers in answers.items():
        whole = {bill.total().normalize() for bill in race.bills}
        for answered in readers:
            seen = answered.result()
            assert all(len(answer.generations) == 1 for answer in seen), table
            assert {answer.cost.normalize() for answer in seen} <= whole, table
            assert all(a.generations <= b.generations for a, b in pairwise(seen)), table
            assert len({answer.generations for answer in seen}) >= min(3, GENERATIONS), table
        assert race.ask(table, TABLES[table]).cost == race.bills[-1].total()

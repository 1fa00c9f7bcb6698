"""Publishing: the newest generation wins, though events repeat or come late and runs are killed."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudspend import payloads as p
from cloudspend.accounts.model import AccountState
from cloudspend.errors import Defect, TotalsDiffer
from cloudspend.exports.model import BillingPeriod
from cloudspend.ingest.publish import PublishPorts, publish
from cloudspend.lake.model import DetailTotals, GenerationState, PublishedPeriod, Verdict
from cloudspend.lake.tables import BILLING_DETAIL, COST_AND_USAGE, generation_prefix
from cloudspend.lake.totals import to_payload
from tests.fakes.accounts import FakeAccounts, an_account
from tests.fakes.alerts import FakeBus
from tests.fakes.lake import (
    ACCOUNT,
    NEW,
    NEWEST,
    NOW,
    OLD,
    PERIOD,
    TOTALS,
    FakeCatalog,
    FakeGenerations,
    FakeQueries,
    a_generation,
)

REGISTRY = FakeAccounts(an_account(state=AccountState.ACTIVE))
OCTOBER = (ACCOUNT, str(PERIOD))
CHANGE: dict[str, str | None] = {
    "account": "222222222222",
    "service": "AmazonS3",
    "charge_type": "Usage",
    "billed_before": "12.500000000000",
    "billed_after": "13.500000000000",
    "effective_before": "12.500000000000",
    "effective_after": "13.500000000000",
}


def place(name: str) -> str:
    return f"s3://a-lake/{generation_prefix(COST_AND_USAGE.name, ACCOUNT, PERIOD, name)}"


def state(name: str, **changes: Any) -> dict[str, Any]:
    sums = {
        "rows": "2",
        "billed_cost": "12.500000000000",
        "effective_cost": "10.250000000000",
        "list_cost": "15.750000000000",
        "detail": {"rows": "0", "unblended_cost": "0.000000000000"},
    }
    return {
        p.ACCOUNT_ID: ACCOUNT,
        p.PERIOD: str(PERIOD),
        p.GENERATION: name,
        p.TOTALS: to_payload(TOTALS),
        p.SUMS: sums,
    } | changes


@dataclass
class World:
    """A platform in memory in which every generation was checked."""

    generations: FakeGenerations
    catalog: FakeCatalog
    queries: FakeQueries
    bus: FakeBus

    @classmethod
    def checked(cls, *names: str) -> "World":
        world = cls(FakeGenerations(), FakeCatalog(), FakeQueries(), FakeBus())
        for name in names:
            world.generations.plan(a_generation(name))
            world.generations.record_checked(ACCOUNT, PERIOD, name, TOTALS)
        return world

    def publish(self, name: str, **changes: Any) -> dict[str, Any]:
        publish_ports = PublishPorts(
            self.generations, self.catalog, self.queries, self.bus, "a-lake"
        )
        return publish(state(name, **changes), REGISTRY, publish_ports, NOW)

    def state_of(self, name: str) -> GenerationState:
        held = self.generations.get(ACCOUNT, PERIOD, name)
        assert held is not None
        return held.state

    @property
    def shown(self) -> str | None:
        return self.catalog.location(COST_AND_USAGE.name, OCTOBER)

    @property
    def current(self) -> PublishedPeriod:
        pointer = self.generations.pointer(ACCOUNT, PERIOD)
        assert pointer is not None
        return pointer


def test_the_first_generation_is_published() -> None:
    world = World.checked(OLD)
    answer = world.publish(OLD)
    assert (answer[p.PUBLISHED], answer[p.PREVIOUS_GENERATION]) == (True, None)
    assert world.shown == place(OLD)
    assert world.state_of(OLD) is GenerationState.PUBLISHED
    assert (world.current.totals, world.current.verdict) == (TOTALS, Verdict.PROVISIONAL)
    assert world.bus.kinds == ["PeriodPublished"]


@pytest.mark.parametrize(
    "sums",
    [
        {"rows": "1"},
        {"billed_cost": "12.500001"},
        {"effective_cost": "0"},
        {"list_cost": "15.7"},
    ],
)
def test_nothing_is_published_when_athena_reads_something_else(sums: dict[str, str]) -> None:
    world = World.checked(OLD, NEW)
    world.publish(OLD)
    with pytest.raises(TotalsDiffer):
        world.publish(NEW, sums=state(NEW)[p.SUMS] | sums)
    assert world.current.generation == OLD
    assert world.shown == place(OLD)


def test_an_older_generation_never_wins() -> None:
    world = World.checked(OLD, NEW)
    world.publish(NEW)
    answer = world.publish(OLD)
    assert (answer[p.PUBLISHED], NEW in answer[p.REASON]) == (False, True)
    assert world.state_of(OLD) is GenerationState.SUPERSEDED
    assert world.current.generation == NEW
    assert world.shown == place(NEW)
    assert world.bus.kinds == ["PeriodPublished"]


def test_a_repeat_keeps_the_verdict_and_bears_the_same_event_id() -> None:
    world = World.checked(OLD, NEW)
    world.queries.rows = [CHANGE]
    world.publish(OLD)
    world.publish(NEW)
    world.generations.record_verdict(
        ACCOUNT,
        PERIOD,
        NEW,
        verdict=Verdict.CERTIFIED,
        reason="It matches.",
        residual=Decimal(0),
        at=NOW,
    )
    before = world.current
    answer = world.publish(NEW)
    assert (answer[p.PUBLISHED], answer[p.PREVIOUS_GENERATION]) == (True, OLD)
    assert world.current == before
    assert world.bus.kinds == ["PeriodPublished", "PeriodRestated", "PeriodRestated"]
    assert world.bus.events[1].event_id == world.bus.events[2].event_id


def test_a_restatement_says_by_how_much_and_where() -> None:
    world = World.checked(OLD, NEW)
    world.queries.rows = [CHANGE]
    world.publish(OLD)
    after = replace(TOTALS, billed_cost=Decimal("13.5"))
    sums = state(NEW)[p.SUMS] | {"billed_cost": "13.5"}
    world.publish(NEW, totals=to_payload(after), sums=sums)
    details = world.bus.events[-1].details
    assert (details["previous_billed_cost"], details["billed_cost"]) == ("12.50", "13.50")
    assert (details["difference"], details["previous_generation"]) == ("1.00", OLD)
    assert details["changes"] == [
        {
            "account": "222222222222",
            "service": "AmazonS3",
            "before": "12.50",
            "after": "13.50",
            "difference": "1.00",
        }
    ]
    [sql] = world.queries.statements
    assert OLD in sql
    assert NEW in sql


def test_a_closed_month_that_is_delivered_again_unchanged_is_no_restatement() -> None:
    world = World.checked(OLD, NEW)
    world.publish(OLD)
    world.publish(NEW)
    assert world.bus.kinds == ["PeriodPublished", "PeriodPublished"]


def test_the_running_month_grows_without_a_warning() -> None:
    first, second = "20261010T000000Z-aaaaaaaa", "20261011T000000Z-aaaaaaaa"
    world = World.checked(first, second)
    world.queries.rows = [CHANGE]
    world.publish(first)
    world.publish(second)
    assert world.bus.kinds == ["PeriodPublished", "PeriodPublished"]


def test_a_generation_published_without_totals_is_a_defect() -> None:
    world = World.checked(NEW)
    world.queries.rows = [CHANGE]
    world.generations.plan(a_generation(OLD))
    world.publish(OLD)
    with pytest.raises(Defect, match=OLD):
        world.publish(NEW)


# A schedule is a walk through threads: how long that takes says nothing of the code.
SLOW_MACHINES = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


class Killed(BaseException):
    """The end of an execution in the middle of a step."""


class Turns:
    """Publishers that take turns: each waits before every call of a port until it is let on."""

    def __init__(self, publishers: Sequence[Callable[["Turns"], Any]]) -> None:
        self._stopped = threading.Semaphore(0)
        self._turns = [threading.Semaphore(0) for _ in publishers]
        self._killed = [False] * len(publishers)
        self._working = list(range(len(publishers)))
        self._me = threading.local()
        for number, publisher in enumerate(publishers):
            threading.Thread(target=self._run, args=(number, publisher), daemon=True).start()
            self._stopped.acquire()

    def let_on(self, choice: int, *, kill: bool = False) -> bool:
        """Let one of those that still work do one call; False when none is left."""
        if not self._working:
            return False
        number = self._working[choice % len(self._working)]
        self._killed[number] = kill
        self._turns[number].release()
        self._stopped.acquire()
        return True

    def wait(self) -> None:
        """Wait for the turn to call a port. Raises Killed."""
        self._stopped.release()
        self._turns[self._me.number].acquire()
        if self._killed[self._me.number]:
            raise Killed

    def _run(self, number: int, publisher: Callable[["Turns"], Any]) -> None:
        self._me.number = number
        try:
            self.wait()
            publisher(self)
        except Killed:
            return
        finally:
            self._working.remove(number)
            self._stopped.release()


class TakingTurns:
    """A port whose every call waits for its turn."""

    def __init__(self, port: Any, turns: Turns) -> None:
        self._port = port
        self._turns = turns

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            self._turns.wait()
            return getattr(self._port, name)(*arguments, **named)

        return call


def publisher(world: World, name: str) -> Callable[[Turns], Any]:
    def run(turns: Turns) -> Any:
        generations, catalog = (TakingTurns(x, turns) for x in (world.generations, world.catalog))
        publish_ports = PublishPorts(generations, catalog, world.queries, world.bus, "a-lake")
        return publish(state(name), REGISTRY, publish_ports, NOW)

    return run


@SLOW_MACHINES
@given(
    names=st.lists(st.sampled_from([OLD, NEW, NEWEST]), min_size=2, max_size=4),
    schedule=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([False] * 9 + [True])), max_size=40
    ),
)
def test_whatever_the_order_readers_see_published_generations_and_at_last_the_newest(
    names: list[str], schedule: list[tuple[int, bool]]
) -> None:
    world = World.checked(*set(names))
    turns = Turns([publisher(world, name) for name in names])
    current: list[str] = []
    for choice, kill in [*schedule, *[(0, False)] * 200]:
        going_on = turns.let_on(choice, kill=kill)
        pointer = world.generations.pointer(ACCOUNT, PERIOD)
        if pointer and pointer.generation not in current:
            current.append(pointer.generation)
        assert world.shown is None or world.shown in map(place, current)
        if not going_on:
            break
    assert current == sorted(current), "the pointer went back"
    for name in names:  # anyone who was killed is started again
        world.publish(name)
    assert world.current.generation == max(names)
    assert world.shown == place(max(names))
    assert world.state_of(max(names)) is GenerationState.PUBLISHED


@SLOW_MACHINES
@given(
    names=st.lists(st.sampled_from([OLD, NEW, NEWEST]), min_size=2, max_size=4),
    schedule=st.lists(st.integers(0, 3), max_size=40),
)
def test_publishers_at_once_leave_the_newest_without_any_repeat(
    names: list[str], schedule: list[int]
) -> None:
    world = World.checked(*set(names))
    turns = Turns([publisher(world, name) for name in names])
    for choice in [*schedule, *[0] * 200]:
        if not turns.let_on(choice):
            break
    assert world.current.generation == max(names)
    assert world.shown == place(max(names))


DETAILED = replace(TOTALS, detail=DetailTotals(3, Decimal("13.5")))


def detailed(name: str, rows: str = "3", unblended: str = "13.5") -> dict[str, Any]:
    sums = state(name)[p.SUMS] | {"detail": {"rows": rows, "unblended_cost": unblended}}
    return {p.TOTALS: to_payload(DETAILED), p.SUMS: sums}


def test_billing_detail_is_pointed_first_and_leaves_when_the_generation_lacks_it() -> None:
    world = World.checked(OLD, NEW)
    world.publish(OLD, **detailed(OLD))
    assert [table for table, _, _ in world.catalog.shown] == ["billing_detail", "cost_and_usage"]
    where = generation_prefix(BILLING_DETAIL.name, ACCOUNT, PERIOD, OLD)
    assert world.catalog.location(BILLING_DETAIL.name, OCTOBER) == f"s3://a-lake/{where}"
    world.publish(NEW)
    assert world.shown == place(NEW)
    assert world.catalog.location(BILLING_DETAIL.name, OCTOBER) is None


@pytest.mark.parametrize(("rows", "unblended"), [("2", "13.5"), ("3", "13.6")])
def test_nothing_is_published_when_athena_reads_another_detail(rows: str, unblended: str) -> None:
    world = World.checked(OLD)
    with pytest.raises(TotalsDiffer, match="in billing_detail"):
        world.publish(OLD, **detailed(OLD, rows, unblended))
    assert world.catalog.shown == []


def test_a_period_that_was_rolled_back_waits_for_a_newer_delivery() -> None:
    world = World.checked(OLD, NEW, NEWEST)
    world.publish(OLD)
    world.publish(NEW)
    held = replace(world.current, generation=OLD, rolled_back_from=NEW)
    assert world.generations.roll_back(held, NEW)
    assert not world.publish(NEW)[p.PUBLISHED]
    assert world.publish(OLD)[p.PUBLISHED], "compared again"
    assert (world.current, world.shown) == (held, place(OLD))
    assert world.bus.kinds == ["PeriodPublished"] * 2, "AWS has delivered nothing"
    assert world.publish(NEWEST)[p.PUBLISHED]
    assert (world.current.generation, world.current.rolled_back_from) == (NEWEST, None)
    assert world.shown == place(NEWEST)


def test_other_periods_stay_as_they_are() -> None:
    world = World.checked(NEW)
    september = BillingPeriod(2026, 9)
    kept = PublishedPeriod(ACCOUNT, september, OLD, NOW, TOTALS)
    world.generations.advance(kept, None)
    world.publish(NEW)
    assert world.generations.pointer(ACCOUNT, september) == kept

"""Rolling back: readers see an earlier generation until AWS delivers a newer one."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cloudspend.accounts.model import AccountState
from cloudspend.errors import TotalsDiffer, UsageError
from cloudspend.ingest.decisions import Skip, decide_ingest
from cloudspend.ingest.publish import PublishPorts
from cloudspend.ingest.rollback import Rollback, proposed, roll_back
from cloudspend.lake.model import GenerationState, PublishedPeriod, Totals, Verdict
from cloudspend.lake.tables import COST_AND_USAGE, generation_prefix
from tests.fakes.accounts import an_account
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
    a_published,
)

WHY = "The refund of 3 November was booked twice."
SUMS: dict[str, str | None] = {
    "row_count": "2",
    "billed_cost": "12.500000000000",
    "effective_cost": "10.250000000000",
    "list_cost": "15.750000000000",
    "detail_rows": "0",
    "unblended_cost": "0.000000000000",
}


class World:
    """Three generations; readers saw the two older ones in turn, the newest was only checked."""

    def __init__(self) -> None:
        self.account = an_account(state=AccountState.ACTIVE)
        self.generations = FakeGenerations()
        self.catalog = FakeCatalog()
        self.queries = FakeQueries(SUMS)
        self.bus = FakeBus()
        self.publish_ports = PublishPorts(
            self.generations, self.catalog, self.queries, self.bus, "a-lake"
        )
        for name in (OLD, NEW, NEWEST):
            self.generations.plan(a_generation(name))
            self.generations.record_checked(ACCOUNT, PERIOD, name, self.totals(name))
        for name in (OLD, NEW):
            self.record(name, GenerationState.PUBLISHED)
        certified = a_published(
            NEW,
            totals=self.totals(NEW),
            verdict=Verdict.CERTIFIED,
            residual=Decimal(0),
            reconciled_at=NOW,
            previous_generation=OLD,
        )
        self.generations.advance(certified, None)

    def totals(self, name: str) -> Totals:
        return TOTALS if name == OLD else replace(TOTALS, billed_cost=Decimal("13.5"))

    def record(self, name: str, state: GenerationState) -> None:
        self.generations.record_outcome(ACCOUNT, PERIOD, name, state)

    def proposed(self, name: str | None = None) -> Rollback:
        return proposed(ACCOUNT, PERIOD, name, self.generations)

    def roll_back(self, name: str | None = None) -> PublishedPeriod:
        return roll_back(self.account, self.proposed(name), WHY, self.publish_ports, NOW)

    @property
    def pointer(self) -> PublishedPeriod:
        found = self.generations.pointer(ACCOUNT, PERIOD)
        assert found is not None
        return found

    @property
    def shown(self) -> str | None:
        return self.catalog.location(COST_AND_USAGE.name, (ACCOUNT, str(PERIOD)))


@pytest.fixture
def world() -> World:
    return World()


def place(name: str) -> str:
    return f"s3://a-lake/{generation_prefix(COST_AND_USAGE.name, ACCOUNT, PERIOD, name)}"


def test_readers_see_the_generation_before(world: World) -> None:
    held = world.roll_back()
    assert world.pointer == held
    assert (held.generation, held.totals) == (OLD, TOTALS)
    assert (held.previous_generation, held.rolled_back_from) == (NEW, NEW)
    assert world.shown == place(OLD)


def test_the_certificate_does_not_go_along(world: World) -> None:
    held = world.roll_back()
    assert (held.verdict, held.residual, held.reconciled_at) == (Verdict.PROVISIONAL, None, None)
    assert held.verdict_reason == (
        f"Rolled back from {NEW}: {WHY} Not compared with Cost Explorer since."
    )


def test_the_event_says_what_readers_see_now_and_why(world: World) -> None:
    world.roll_back()
    [event] = world.bus.events
    assert event.detail_type == "PeriodRolledBack"
    assert event.details["difference"] == "-1.00"
    assert "readers now see 12.50 USD billed instead of 13.50 USD" in event.summary
    assert event.summary.endswith(WHY)


def test_deliveries_up_to_the_one_rolled_back_from_never_win_again(world: World) -> None:
    world.roll_back()
    existing = world.generations.get(ACCOUNT, PERIOD, NEW)
    decision = decide_ingest(NEW, world.pointer, existing)
    assert isinstance(decision, Skip)
    assert decision.superseded
    assert f"rolled the period back from {NEW} to {OLD}" in decision.reason
    assert type(decide_ingest(NEWEST, world.pointer, None)).__name__ == "Ingest"


def test_a_second_rollback_keeps_the_first_ones_hold(world: World) -> None:
    oldest = "20261102T063000Z-99999999"
    world.generations.plan(a_generation(oldest))
    world.generations.record_checked(ACCOUNT, PERIOD, oldest, TOTALS)
    world.record(oldest, GenerationState.PUBLISHED)
    world.roll_back()
    held = world.roll_back()
    assert (held.generation, held.rolled_back_from) == (oldest, NEW)


def test_going_back_to_the_newest_that_was_current_ends_the_hold(world: World) -> None:
    world.roll_back()
    world.queries.rows = [SUMS | {"billed_cost": "13.5"}]
    held = world.roll_back(NEW)
    assert (held.generation, held.rolled_back_from) == (NEW, None)
    assert world.shown == place(NEW)


def test_a_checked_generation_that_nobody_saw_yet_can_be_named(world: World) -> None:
    world.queries.rows = [SUMS | {"billed_cost": "13.5"}]
    assert world.roll_back(NEWEST).generation == NEWEST
    published = world.generations.get(ACCOUNT, PERIOD, NEWEST)
    assert published is not None
    assert published.state is GenerationState.PUBLISHED


@pytest.mark.parametrize(
    "sums", [{"row_count": "0", "billed_cost": "0"}, {"row_count": "1"}, {"list_cost": "15"}]
)
def test_a_generation_that_is_no_longer_whole_is_not_shown(
    world: World, sums: dict[str, str | None]
) -> None:
    world.queries.rows = [SUMS | sums]
    before = world.pointer
    with pytest.raises(TotalsDiffer, match="no longer whole"):
        world.roll_back()
    assert (world.pointer, world.shown, world.bus.events) == (before, None, [])


def test_nothing_happens_when_the_period_moved_after_it_was_looked_at(world: World) -> None:
    rollback = world.proposed()
    newer = a_published(NEWEST, previous_generation=NEW)
    world.generations.advance(newer, NEW)
    with pytest.raises(UsageError, match="Nothing was changed"):
        roll_back(world.account, rollback, WHY, world.publish_ports, NOW)
    assert (world.pointer, world.shown, world.bus.events) == (newer, None, [])


def expired(world: World) -> None:
    world.generations.expire(ACCOUNT, PERIOD, OLD, NOW)


def test_nothing_happens_when_the_target_expired_after_it_was_looked_at(world: World) -> None:
    rollback, before = world.proposed(), world.pointer
    expired(world)
    with pytest.raises(UsageError, match="Nothing was changed"):
        roll_back(world.account, rollback, WHY, world.publish_ports, NOW)
    assert (world.pointer, world.shown) == (before, None)


def never_published(world: World) -> None:
    world.generations = FakeGenerations()


def not_checked(world: World) -> None:
    world.generations.plan(a_generation("20261106T063000Z-dddddddd"))


@pytest.mark.parametrize(
    ("prepare", "name", "stated"),
    [
        (never_published, None, "No delivery of 2026-10 is published"),
        (expired, None, "Readers saw no earlier generation"),
        (expired, OLD, "is expired"),
        (not_checked, "20261106T063000Z-dddddddd", "is planned"),
        (lambda _world: None, NEW, "already"),
        (lambda _world: None, "20261106T063000Z-dddddddd", "There is no generation"),
    ],
)
def test_what_cannot_be_rolled_back_to(
    world: World, prepare: Any, name: str | None, stated: str
) -> None:
    prepare(world)
    with pytest.raises(UsageError, match=stated):
        world.proposed(name)

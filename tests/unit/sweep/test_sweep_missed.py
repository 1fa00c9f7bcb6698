"""Deliveries that no one announced and ingestions without an outcome, found and begun once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cloudspend.exports.deliveries import read_delivery
from cloudspend.exports.model import BillingPeriod
from cloudspend.ingest.start import IngestRequest
from cloudspend.lake.model import AccountInventory, GenerationState, SweepState
from cloudspend.sweep.missed import (
    LIVELY_MONTHS,
    MOST_ATTEMPTS,
    MOST_STARTS,
    Missed,
    MissedDeliveryPorts,
    find_missed,
    looked_at,
)
from tests.fakes.exports import FakeCustomerBucket
from tests.fakes.lake import ACCOUNT, TOTALS
from tests.unit.sweep.sweep_world import (
    ACTIVE,
    BUCKET,
    NOW,
    OCTOBER,
    World,
    moment,
    months_before,
    named,
)

ENDED_BADLY = ("FAILED", "TIMED_OUT", "ABORTED")
THROTTLED = {"error": "TransientError", "summary": "Later.", "remedy": "", "details": {}}
DAMAGED = {"error": "DeliveryError", "summary": "Cut off.", "remedy": "", "details": {}}


def find(world: World) -> Missed:
    desk = MissedDeliveryPorts(world.generations, world.executions, world.bus)
    missed = find_missed(world.account, world.holdings, world.objects, desk, NOW)
    watch = world.holdings.watch or SweepState(NOW)
    world.generations.remember(ACCOUNT, replace(watch, seen=missed.seen))
    return missed


def request_of(world: World, period: BillingPeriod) -> IngestRequest:
    folder = f"a-prefix/a-name/{period.start:%Y%m%d}-{period.end:%Y%m%d}/"
    key = f"{folder}a-name-Manifest.json"
    return IngestRequest.of(read_delivery(world.account, world.objects, BUCKET, key))


def planned(world: World, period: BillingPeriod = OCTOBER) -> IngestRequest:
    """Ingest began and recorded its generation."""
    request = request_of(world, period)
    world.checked(period, request.generation)
    held = world.generations.get(ACCOUNT, period, request.generation)
    assert held
    world.generations.plan(replace(held, manifest_key=request.manifest_key))
    return request


def test_a_delivery_that_nobody_announced_is_begun_and_told() -> None:
    world = World()
    world.delivered(OCTOBER)
    missed = find(world)
    request = request_of(world, OCTOBER)
    assert (missed.found, missed.resumed) == (1, 0)
    assert world.executions.payloads == {request.execution(): request.to_start()}
    (event,) = world.bus.events
    assert event.detail_type == "DeliveryFound"
    assert event.details["generation"] == request.generation


def test_what_runs_already_is_no_find() -> None:
    world = World()
    world.delivered(OCTOBER)
    request = request_of(world, OCTOBER)
    world.executions.start(request.execution(), {})
    assert find(world).found == 0
    assert world.bus.events == []


class Reads(FakeCustomerBucket):
    """A bucket that counts how often an object was read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    def read(self, bucket: str, key: str, limit: int) -> object:  # type: ignore[override]
        self.reads += 1
        return super().read(bucket, key, limit)


def test_what_is_known_is_not_read_again_until_it_changes() -> None:
    bucket = Reads()
    world = World(objects=bucket)
    for period in months_before(OCTOBER, 3):
        world.delivered(period)
        planned(world, period)
        world.generations.record_outcome(
            ACCOUNT, period, request_of(world, period).generation, GenerationState.SUPERSEDED
        )
    find(world)
    before = bucket.reads
    find(world)
    assert bucket.reads == before
    world.delivered(OCTOBER, moment(OCTOBER, 5))
    assert find(world).found == 1
    assert bucket.reads > before


def test_a_bill_that_is_overwritten_with_the_same_manifest_is_new() -> None:
    world = World()
    world.delivered(OCTOBER)
    planned(world)
    world.generations.record_checked(
        ACCOUNT, OCTOBER, request_of(world, OCTOBER).generation, TOTALS
    )
    find(world)
    stored = world.objects.read(BUCKET, request_of(world, OCTOBER).manifest_key, 10**6)
    assert stored
    world.delivered(OCTOBER, moment(OCTOBER, 4), stored[1])
    assert find(world).found == 1


def test_a_delivery_is_remembered_only_when_the_registry_holds_it() -> None:
    world = World()
    world.delivered(OCTOBER)
    assert find(world).seen == {}
    planned(world)
    assert list(find(world).seen) == ["2026-10"]


def test_an_older_delivery_than_the_published_one_is_left_alone() -> None:
    world = World()
    world.delivered(OCTOBER)
    world.published(OCTOBER, named(moment(OCTOBER, 9), "bbbbbbbb"))
    assert find(world).found == 0
    assert world.executions.payloads == {}


def test_a_manifest_that_cannot_be_read_is_told_once_and_keeps_nothing_back() -> None:
    world = World()
    world.delivered(OCTOBER, body=b"no json")
    world.delivered(OCTOBER.previous)
    assert find(world).found == 1
    find(world)
    assert sorted(world.bus.kinds) == ["DeliveryFound", "IngestFailed"]


@pytest.mark.parametrize("ended", ENDED_BADLY)
def test_an_ingestion_that_died_is_begun_again(ended: str) -> None:
    world = World()
    world.delivered(OCTOBER)
    request = planned(world)
    world.executions.start(request.execution(), {})
    assert find(world).resumed == 0
    world.executions.end(request.execution(), ended)
    assert find(world).resumed == 1
    assert world.executions.status(request.execution(2)) == "RUNNING"
    assert world.bus.kinds == ["IngestResumed"]


@pytest.mark.parametrize(("failure", "resumed"), [(THROTTLED, 1), (DAMAGED, 0)])
def test_a_failure_is_tried_again_only_if_it_passes_by_itself(
    failure: dict[str, object], resumed: int
) -> None:
    world = World()
    world.delivered(OCTOBER)
    request = planned(world)
    world.executions.start(request.execution(), {})
    world.executions.end(request.execution(), "FAILED")
    world.generations.record_failure(ACCOUNT, OCTOBER, request.generation, failure, final=True)
    assert find(world).resumed == resumed


def test_an_ingestion_that_never_ends_is_given_up_and_told() -> None:
    world = World()
    world.delivered(OCTOBER)
    request = planned(world)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        world.executions.start(request.execution(attempt), {})
        world.executions.end(request.execution(attempt), "TIMED_OUT")
    for _ in range(2):
        find(world)
    held = world.generations.get(ACCOUNT, OCTOBER, request.generation)
    assert held
    assert held.state is GenerationState.FAILED
    assert world.bus.kinds == ["IngestFailed"]
    assert world.executions.status(request.execution(MOST_ATTEMPTS + 1)) is None


def test_an_ingestion_that_a_newer_delivery_overtook_is_left_alone() -> None:
    world = World()
    world.checked(OCTOBER, named(moment(OCTOBER, 3)))
    world.published(OCTOBER, named(moment(OCTOBER, 9), "bbbbbbbb"))
    assert find(world).resumed == 0


def test_the_newest_periods_are_begun_first_and_so_many_at_once() -> None:
    account = replace(ACTIVE, start_date=BillingPeriod(2024, 1).start.date())
    world = World(account=account)
    periods = list(months_before(OCTOBER, MOST_STARTS + 3))
    for period in periods:
        world.delivered(period)
    assert find(world).found == MOST_STARTS
    begun = {name.split("_")[1] for name in world.executions.payloads}
    assert begun == {str(period) for period in periods[3:]}


def test_lively_months_are_looked_at_always_and_others_once_a_day() -> None:
    account = replace(ACTIVE, start_date=BillingPeriod(2023, 11).start.date())
    months = list(months_before(BillingPeriod.of(NOW), 36))
    watched = AccountInventory((), (), SweepState(NOW))
    looks = [looked_at(account, watched, NOW.replace(hour=hour)) for hour in (0, 6, 12, 18)]
    for month in months[:-LIVELY_MONTHS]:
        assert sum(look(month) for look in looks) == 1
    for month in months[-LIVELY_MONTHS:]:
        assert all(look(month) for look in looks)
    first = looked_at(account, AccountInventory((), ()), NOW)
    assert all(first(month) for month in months)


def test_months_before_the_start_date_or_beyond_retention_are_not_looked_at() -> None:
    wanted = looked_at(ACTIVE, AccountInventory((), ()), NOW)
    assert not wanted(BillingPeriod(2026, 7))
    assert wanted(BillingPeriod(2026, 8))
    account = replace(ACTIVE, start_date=BillingPeriod(2020, 1).start.date(), retention_months=13)
    wanted = looked_at(account, AccountInventory((), ()), NOW)
    assert not wanted(BillingPeriod(2025, 9))
    assert wanted(BillingPeriod(2025, 10))


def test_marks_of_months_that_are_not_kept_are_dropped() -> None:
    world = World(account=replace(ACTIVE, retention_months=13))
    world.generations.remember(ACCOUNT, SweepState(NOW, {"2020-01": "old", "2026-09": "held"}))
    assert find(world).seen == {"2026-09": "held"}


def test_the_newest_delivery_is_known_from_either_side() -> None:
    world = World()
    assert find(world).newest is None
    world.published(OCTOBER)
    assert find(world).newest == moment(OCTOBER)
    world.delivered(OCTOBER, moment(OCTOBER) + timedelta(days=1))
    assert find(world).newest == moment(OCTOBER) + timedelta(days=1)

"""Partitions against the registry: what is wrong is found, fixed and said; what is right stays."""

from dataclasses import replace
from typing import Any

import pytest

from cloudspend.ingest.publish import PublishPorts
from cloudspend.lake.tables import COST_AND_USAGE, period_values
from cloudspend.sweep.repair import Drift, drifts, look, repair, show, without_files
from tests.fakes.lake import ACCOUNT, FakeCatalog
from tests.unit.sweep.sweep_world import NOW, OCTOBER, World, moment, months_before, named

OCTOBERS = period_values(ACCOUNT, OCTOBER)
TABLE = COST_AND_USAGE.name


def found(world: World) -> list[Drift]:
    shown, _ = look(ACCOUNT, world.publish_ports, world.lake)
    return drifts(world.holdings, shown, world.lake.bucket)


def repaired(world: World) -> list[Drift]:
    return repair(world.account, found(world), world.publish_ports, NOW)


@pytest.fixture
def world() -> World:
    world = World()
    for period in months_before(OCTOBER, 3):
        world.published(period)
    return world


def test_what_is_right_is_left_alone(world: World) -> None:
    before = len(world.catalog.shown)
    assert found(world) == []
    assert repaired(world) == []
    assert len(world.catalog.shown) == before
    assert world.bus.events == []


@pytest.mark.parametrize("elsewhere", ["s3://a-lake/elsewhere/", None])
def test_a_partition_that_moved_or_went_is_pointed_right(
    world: World, elsewhere: str | None
) -> None:
    world.catalog.remove(TABLE, OCTOBERS)
    if elsewhere:
        world.catalog.point(TABLE, OCTOBERS, elsewhere)
    assert len(repaired(world)) == 1
    assert world.shown(OCTOBER) == named(moment(OCTOBER))
    (event,) = world.bus.events
    assert event.detail_type == "PartitionRepaired"
    assert (event.details["period"], event.details["table"]) == ("2026-10", TABLE)
    assert (elsewhere or "missing") in event.details["wrong"]
    assert repaired(world) == []


def test_a_partition_whose_files_are_gone_is_pointed_right(world: World) -> None:
    name = named(moment(OCTOBER))
    newer = named(moment(OCTOBER, 20), "bbbbbbbb")
    world.checked(OCTOBER, newer)
    place = world.catalog.location(TABLE, OCTOBERS)
    assert place
    world.catalog.point(TABLE, OCTOBERS, place.replace(name, newer))
    world.lake.delete(world.files_of(OCTOBER, newer))
    repaired(world)
    assert world.shown(OCTOBER) == name


def test_a_partition_that_the_registry_does_not_know_goes(world: World) -> None:
    world.catalog.point(TABLE, (ACCOUNT, "2020-01"), "s3://a-lake/stray/")
    (drift,) = repaired(world)
    assert drift.generation is None
    assert world.catalog.location(TABLE, (ACCOUNT, "2020-01")) is None
    assert "removed" in world.bus.events[0].details["wrong"]


def test_a_publisher_at_work_is_no_drift(world: World) -> None:
    before = found(world)
    world.catalog.point(TABLE, OCTOBERS, "s3://a-lake/elsewhere/")
    seen = found(world)
    assert (len(before), len(seen)) == (0, 1)
    world.published(OCTOBER, named(moment(OCTOBER, 9), "bbbbbbbb"))
    assert repair(world.account, seen, world.publish_ports, NOW) == []
    assert world.bus.events == []


class Publishing(FakeCatalog):
    """A catalog in which a publisher works right while a partition is removed."""

    def __init__(self, catalog: FakeCatalog, world: World) -> None:
        super().__init__()
        self._catalog = catalog
        self._world = world

    def point(self, *arguments: Any) -> None:
        self._catalog.point(*arguments)

    def remove(self, *arguments: Any) -> None:
        if self._world.generations.pointer(ACCOUNT, OCTOBER) is None:
            self._world.published(OCTOBER)
        self._catalog.remove(*arguments)


def test_a_period_that_is_first_published_meanwhile_keeps_its_partition() -> None:
    world = World()
    publish_ports = replace(world.publish_ports, catalog=Publishing(world.catalog, world))
    show(world.account, OCTOBER, publish_ports)
    assert world.shown(OCTOBER) == named(moment(OCTOBER))


def test_published_files_that_are_gone_are_named(world: World) -> None:
    _, stored = look(ACCOUNT, world.publish_ports, world.lake)
    assert without_files(world.holdings, stored) == []
    world.lake.delete(world.files_of(OCTOBER, named(moment(OCTOBER))))
    _, stored = look(ACCOUNT, world.publish_ports, world.lake)
    (lost,) = without_files(world.holdings, stored)
    assert lost.period == OCTOBER


def test_looking_lists_generations_and_not_their_files(world: World) -> None:
    name = named(moment(OCTOBER))
    for number in range(50):
        world.lake.write_json(
            f"cost_and_usage/account_id={ACCOUNT}/billing_period=2026-10/"
            f"generation={name}/{number:05d}-00.parquet",
            [],
        )
    publish_ports: PublishPorts = world.publish_ports
    _, stored = look(ACCOUNT, publish_ports, world.lake)
    assert len(stored) == 3

"""Letting go in the safe order: registry, partitions, a day later objects; and after any crash."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cloudspend.lake.model import GenerationState
from cloudspend.lake.retention import READERS_LEAVE, RetentionPolicy
from cloudspend.lake.tables import COST_AND_USAGE, PERIOD_TABLES, Table, period_values
from cloudspend.sweep.expire import Expired, RetentionPorts, expire
from tests.fakes.lake import ACCOUNT
from tests.unit.sweep.sweep_world import ACTIVE, NOW, OCTOBER, World, moment, months_before, named

NOTHING = RetentionPolicy(0, 0)
LATER = NOW + READERS_LEAVE
OLD, NEW = named(moment(OCTOBER, 3)), named(moment(OCTOBER, 9), "bbbbbbbb")
PROOF = Table("reconciliation", COST_AND_USAGE.columns, COST_AND_USAGE.partition_keys)


def superseded() -> World:
    world = World()
    for name in (OLD, NEW):
        world.published(OCTOBER, name)
    return world


def let_go(world: World, now: Any = NOW, kept: RetentionPolicy = NOTHING) -> Expired:
    return expire(world.account, world.holdings, world.store, kept, now)


def test_a_superseded_generation_goes_step_by_step() -> None:
    world = superseded()
    assert let_go(world) == Expired(generations=1)
    held = world.generations.get(ACCOUNT, OCTOBER, OLD)
    assert held is not None
    assert held.state is GenerationState.EXPIRED
    assert not world.listed(OCTOBER, OLD)
    assert len(world.files_of(OCTOBER, OLD)) == 2
    assert let_go(world, LATER - timedelta(seconds=1)) == Expired()
    assert len(world.files_of(OCTOBER, OLD)) == 2
    assert let_go(world, LATER) == Expired(objects=2)
    assert world.files_of(OCTOBER, OLD) == []
    assert world.generations.get(ACCOUNT, OCTOBER, OLD) is None
    assert let_go(world, LATER) == Expired()


def test_what_readers_see_stays_whole() -> None:
    world = superseded()
    for now in (NOW, LATER):
        let_go(world, now)
    assert world.shown(OCTOBER) == NEW
    assert world.listed(OCTOBER, NEW)
    assert len(world.files_of(OCTOBER, NEW)) == 2


def test_a_generation_that_is_made_current_meanwhile_does_not_expire() -> None:
    world = superseded()
    holdings = world.holdings
    pointer = world.generations.pointer(ACCOUNT, OCTOBER)
    assert pointer
    world.generations.advance(replace(pointer, generation=OLD), NEW)
    assert expire(world.account, holdings, world.store, NOTHING, NOW) == Expired()
    assert world.listed(OCTOBER, OLD)


def test_a_generation_that_is_made_current_after_it_expired_is_shown_again() -> None:
    world = superseded()
    let_go(world)
    holdings = world.holdings
    pointer = world.generations.pointer(ACCOUNT, OCTOBER)
    assert pointer
    world.generations.advance(replace(pointer, generation=OLD), NEW)
    assert expire(world.account, holdings, world.store, NOTHING, LATER) == Expired()
    held = world.generations.get(ACCOUNT, OCTOBER, OLD)
    assert held is not None
    assert held.state is GenerationState.PUBLISHED
    assert world.listed(OCTOBER, OLD)
    assert len(world.files_of(OCTOBER, OLD)) == 2


def old_account() -> World:
    """Fifteen months of an account that keeps thirteen."""
    world = World(account=replace(ACTIVE, retention_months=13))
    for period in months_before(OCTOBER, 15):
        world.published(period)
        world.catalog.point(PROOF.name, period_values(ACCOUNT, period), "s3://a-lake/proof/")
    return world


def end_periods(world: World, now: Any = NOW) -> Expired:
    store = replace(world.store, proofs=(PROOF,))
    return expire(world.account, world.holdings, store, RetentionPolicy(), now)


def test_a_period_beyond_retention_goes_altogether() -> None:
    world = old_account()
    gone, kept = OCTOBER, OCTOBER
    for _ in range(13):
        gone, kept = gone.previous, gone
    name = named(moment(gone))
    assert end_periods(world) == Expired(periods=2)
    assert world.generations.pointer(ACCOUNT, gone) is None
    assert world.shown(gone) is None
    assert not world.listed(gone, name)
    assert world.catalog.location(PROOF.name, period_values(ACCOUNT, gone)) is None
    assert len(world.files_of(gone, name)) == 2
    assert world.shown(kept) == named(moment(kept))
    assert world.catalog.location(PROOF.name, period_values(ACCOUNT, kept)) is not None
    assert end_periods(world, LATER) == Expired(objects=4)
    assert world.files_of(gone, name) == []
    assert [each for each in world.holdings.generations if each.period <= gone] == []
    assert len(world.holdings.published) == 13
    assert world.bus.kinds == ["PeriodExpired"] * 2


class Killed(BaseException):
    """The process dies."""


class Mortal:
    """Something whose calls are counted, so that the process can die before the n-th."""

    def __init__(self, wrapped: Any, tick: Callable[[], None]) -> None:
        self._wrapped = wrapped
        self._tick = tick

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._wrapped, name)
        if not callable(attribute):
            return attribute

        def call(*arguments: Any, **named_arguments: Any) -> Any:
            self._tick()
            return attribute(*arguments, **named_arguments)

        return call


def dying_before(call: int, store: RetentionPorts) -> RetentionPorts:
    left = call

    def tick() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    return RetentionPorts(
        Mortal(store.registry, tick),
        Mortal(store.catalog, tick),
        Mortal(store.lake, tick),
        Mortal(store.bus, tick),
        store.proofs,
    )


def pointing_at_nothing(world: World) -> list[str]:
    """Every partition whose files are not there."""
    places = [
        (values, place)
        for table in (*PERIOD_TABLES, *(t for t in world.store.proofs))
        for values, place in world.catalog.locations(table.name, ACCOUNT).items()
    ] + list(world.catalog.locations("cost_and_usage_generations", ACCOUNT).items())
    return [place for _, place in places if not world.lake.staged(place.partition("a-lake/")[2])]


@pytest.mark.parametrize("make", [superseded, old_account])
@pytest.mark.parametrize("call", range(0, 40, 1))
def test_a_crash_before_any_call_leaves_nothing_pointing_at_nothing(
    make: Callable[[], World], call: int
) -> None:
    world = make()
    kept = NOTHING if make is superseded else RetentionPolicy()
    for now in (NOW, LATER):
        try:
            expire(world.account, world.holdings, dying_before(call, world.store), kept, now)
        except Killed:
            assert pointing_at_nothing(world) == []
    for days in range(1, 4):
        world.sweep(LATER + timedelta(days=days))
        expire(world.account, world.holdings, world.store, kept, LATER + timedelta(days=days))
        assert pointing_at_nothing(world) == []
    current = {(each.period, each.generation) for each in world.holdings.published}
    assert {(each.period, each.generation) for each in world.holdings.generations} == current
    files = [file.key for file in world.lake.staged("")]
    assert len(files) == 2 * len(current)
    shown = world.catalog.locations(COST_AND_USAGE.name, ACCOUNT)
    assert len(shown) == len(current)


@pytest.mark.parametrize("call", range(12))
def test_what_a_crash_left_of_an_expiry_is_ended_by_the_next(call: int) -> None:
    world = superseded()
    let_go(world)
    with contextlib.suppress(Killed):
        expire(world.account, world.holdings, dying_before(call, world.store), NOTHING, LATER)
    let_go(world, LATER)
    assert world.files_of(OCTOBER, OLD) == []
    assert world.generations.get(ACCOUNT, OCTOBER, OLD) is None

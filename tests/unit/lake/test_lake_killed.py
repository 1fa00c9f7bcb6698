"""Publishing that is killed: before and after every call it makes, readers see a whole generation,
and whoever comes next ends what was begun."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from cloudspend import payload as p
from cloudspend.accounts.model import AccountState
from cloudspend.lake.model import GenerationState
from cloudspend.lake.publish import Press, publish
from cloudspend.lake.tables import COST_AND_USAGE, generation_prefix
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
BUCKET = "a-lake"
CHANGE: dict[str, str | None] = {
    "account": "222222222222",
    "service": "AmazonS3",
    "charge_type": "Usage",
    "cost_before": "12.5",
    "cost_after": "13.5",
    "difference": "1",
}


class Killed(BaseException):
    """The end of an execution in the middle of a step: nothing can catch it and go on."""


class Watched:
    """A port that notes every call, and kills the execution at one of them."""

    def __init__(self, name: str, port: Any, killer: "Killer") -> None:
        self._name = name
        self._port = port
        self._killer = killer

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            with self._killer.around(f"{self._name}.{name}"):
                return getattr(self._port, name)(*arguments, **named)

        return call


class Killer:
    """Kills `before` or after the call of that number; with none it only notes the calls."""

    def __init__(self, number: int | None = None, *, before: bool = False) -> None:
        self._number = number
        self._before = before
        self.calls: list[str] = []

    def around(self, call: str) -> "Around":
        self.calls.append(call)
        hit = len(self.calls) - 1 == self._number
        return Around(before=hit and self._before, after=hit and not self._before)


@dataclass(frozen=True)
class Around:
    before: bool
    after: bool

    def __enter__(self) -> None:
        if self.before:
            raise Killed

    def __exit__(self, *_error: object) -> None:
        if self.after:
            raise Killed


class World:
    """A platform in memory: OLD is published, NEW and NEWEST are checked."""

    def __init__(self) -> None:
        self.generations = FakeGenerations()
        self.catalog = FakeCatalog()
        self.bus = FakeBus()
        for name in (OLD, NEW, NEWEST):
            self.generations.plan(a_generation(name))
            self.generations.record_checked(ACCOUNT, PERIOD, name, TOTALS)
        self.publish(OLD)

    def press(self, watch: Callable[[str, Any], Any]) -> Press:
        return Press(
            watch("generations", self.generations),
            watch("catalog", self.catalog),
            watch("queries", FakeQueries(CHANGE)),
            watch("bus", self.bus),
            BUCKET,
        )

    def publish(self, name: str, killer: Killer | None = None) -> None:
        killer = killer or Killer()
        press = self.press(lambda port, fake: Watched(port, fake, killer))
        accounts: Any = Watched("accounts", REGISTRY, killer)
        publish(state(name), accounts, press, NOW)

    @property
    def shown(self) -> str:
        """The generation that readers see. Fails where they see none, or what is no generation."""
        place = self.catalog.location(COST_AND_USAGE.name, (ACCOUNT, str(PERIOD)))
        whole = {where(name): name for name in (OLD, NEW, NEWEST)}
        assert place in whole
        return whole[place]

    @property
    def current(self) -> str:
        pointer = self.generations.pointer(ACCOUNT, PERIOD)
        assert pointer is not None
        return pointer.generation

    def state_of(self, name: str) -> GenerationState:
        held = self.generations.get(ACCOUNT, PERIOD, name)
        assert held is not None
        return held.state


def where(name: str) -> str:
    folder = COST_AND_USAGE.data_folder
    return f"s3://{BUCKET}/{generation_prefix(folder, ACCOUNT, PERIOD, name)}"


def state(name: str) -> dict[str, Any]:
    totals = to_payload(TOTALS)
    return {
        p.ACCOUNT_ID: ACCOUNT,
        p.PERIOD: str(PERIOD),
        p.GENERATION: name,
        p.TOTALS: totals,
        p.SUMS: {**totals, p.ROWS: str(totals[p.ROWS])},
    }


def rehearsed() -> list[str]:
    """The calls of a publication that nobody kills, in order."""
    killer = Killer()
    World().publish(NEW, killer)
    return killer.calls


CALLS = rehearsed()
KILLS = [
    pytest.param((number, before), id=f"{'before' if before else 'after'} {number} {call}")
    for number, call in enumerate(CALLS)
    for before in (True, False)
]


@pytest.fixture(params=KILLS)
def killed(request: pytest.FixtureRequest) -> World:
    """A world in which publishing NEW was killed at one call."""
    number, before = request.param
    world = World()
    with pytest.raises(Killed):
        world.publish(NEW, Killer(number, before=before))
    assert world.shown in (OLD, NEW)
    return world


def test_a_publication_calls_every_port() -> None:
    assert {call.partition(".")[0] for call in CALLS} == {
        "accounts",
        "generations",
        "catalog",
        "queries",
        "bus",
    }


def test_readers_never_see_what_the_registry_does_not_hold(killed: World) -> None:
    assert killed.current in (OLD, NEW)
    if killed.shown == NEW:
        assert killed.current == NEW


def test_the_next_run_ends_what_was_begun(killed: World) -> None:
    killed.publish(NEW)
    assert (killed.current, killed.shown) == (NEW, NEW)
    assert killed.state_of(NEW) is GenerationState.PUBLISHED
    told = [each for each in killed.bus.events if each.details["generation"] == NEW]
    assert told
    assert len({each.event_id for each in told}) == 1


def test_the_next_delivery_ends_it_as_well(killed: World) -> None:
    killed.publish(NEWEST)
    assert (killed.current, killed.shown) == (NEWEST, NEWEST)
    killed.publish(NEW)
    assert (killed.current, killed.shown) == (NEWEST, NEWEST)


def test_killing_the_next_run_as_well_does_no_harm(killed: World) -> None:
    for number in range(len(CALLS)):
        with contextlib.suppress(Killed):
            killed.publish(NEW, Killer(number))
        assert killed.shown in (OLD, NEW)
    killed.publish(NEW)
    assert (killed.current, killed.shown) == (NEW, NEW)

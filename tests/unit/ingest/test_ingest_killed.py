"""Publishing and rolling back, killed before and after every call they make: readers see a whole
generation in each table, and anyone who comes next ends what was begun."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from cloudspend import payloads as p
from cloudspend.accounts.model import AccountState
from cloudspend.ingest.publish import PublishPorts, publish
from cloudspend.ingest.rollback import proposed, roll_back
from cloudspend.lake.model import DetailTotals, GenerationState
from cloudspend.lake.tables import PERIOD_TABLES, Table, generation_prefix, period_values
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
    FakeCatalog,
    FakeGenerations,
    FakeQueries,
    a_generation,
)
from tests.fakes.lake import TOTALS as COST_TOTALS
from tests.unit.sweep import sweep_world

Row = dict[str, str | None]

ACTIVE = an_account(state=AccountState.ACTIVE)
REGISTRY = FakeAccounts(ACTIVE)
BUCKET = "a-lake"
TOTALS = replace(COST_TOTALS, detail=DetailTotals(3, Decimal("13.5")))
CHANGE: Row = {
    "account": "222222222222",
    "service": "AmazonS3",
    "charge_type": "Usage",
    "billed_before": "12.5",
    "billed_after": "13.5",
    "effective_before": "12.5",
    "effective_after": "13.5",
}

SUMS: Row = {
    "row_count": "2",
    "billed_cost": "12.5",
    "effective_cost": "10.25",
    "list_cost": "15.75",
    "detail_rows": "3",
    "unblended_cost": "13.5",
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
        self.kept = sweep_world.World(
            generations=self.generations, catalog=self.catalog, bus=self.bus
        )
        for name in (OLD, NEW, NEWEST):
            self.generations.plan(a_generation(name))
            self.generations.record_checked(ACCOUNT, PERIOD, name, TOTALS)
            self._staged(name)
        self.publish(OLD)

    def publish_ports(self, watch: Callable[[str, Any], Any], row: Row = CHANGE) -> PublishPorts:
        return PublishPorts(
            watch("generations", self.generations),
            watch("catalog", self.catalog),
            watch("queries", FakeQueries(row)),
            watch("bus", self.bus),
            BUCKET,
        )

    def publish(self, name: str, killer: Killer | None = None) -> None:
        killer = killer or Killer()
        publish_ports = self.publish_ports(lambda port, fake: Watched(port, fake, killer))
        accounts: Any = Watched("accounts", REGISTRY, killer)
        publish(state(name), accounts, publish_ports, NOW)

    def roll_back(self, killer: Killer | None = None) -> None:
        """An operator shows readers OLD again."""
        killer = killer or Killer()
        publish_ports = self.publish_ports(lambda port, fake: Watched(port, fake, killer), SUMS)
        proposal = proposed(ACCOUNT, PERIOD, OLD, publish_ports.generations)
        roll_back(ACTIVE, proposal, "a test", publish_ports, NOW)

    def sweep(self) -> None:
        """What runs every few hours, and as `cloudspend periods repair`."""
        self.kept.sweep()

    def _staged(self, name: str) -> None:
        for table in PERIOD_TABLES:
            prefix = generation_prefix(table.data_folder, ACCOUNT, PERIOD, name)
            self.kept.lake.put_parquet(f"{prefix}00000-00.parquet", TOTALS)

    @property
    def shown(self) -> set[str]:
        """The generations that readers of the tables see. Fails where a table shows none, or what
        is no generation of its own."""
        return {self._shown(table) for table in PERIOD_TABLES}

    def _shown(self, table: Table) -> str:
        whole = {where(table, name): name for name in (OLD, NEW, NEWEST)}
        place = self.catalog.location(table.name, period_values(ACCOUNT, PERIOD))
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


def where(table: Table, name: str) -> str:
    prefix = generation_prefix(table.data_folder, ACCOUNT, PERIOD, name)
    return f"s3://{BUCKET}/{prefix}"


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
    """The calls of a publication that no one kills, in order."""
    killer = Killer()
    World().publish(NEW, killer)
    return killer.calls


def rehearsed_rollback() -> list[str]:
    killer, world = Killer(), World()
    world.publish(NEW)
    world.roll_back(killer)
    return killer.calls


def kills(calls: list[str]) -> list[Any]:
    return [
        pytest.param((number, before), id=f"{'before' if before else 'after'} {number} {call}")
        for number, call in enumerate(calls)
        for before in (True, False)
    ]


CALLS = rehearsed()


@pytest.fixture(params=kills(CALLS))
def killed(request: pytest.FixtureRequest) -> World:
    """A world in which publishing NEW was killed at one call."""
    number, before = request.param
    world = World()
    with pytest.raises(Killed):
        world.publish(NEW, Killer(number, before=before))
    assert world.shown <= {OLD, NEW}
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
    if NEW in killed.shown:
        assert killed.current == NEW


def test_the_next_run_ends_what_was_begun(killed: World) -> None:
    killed.publish(NEW)
    assert (killed.current, killed.shown) == (NEW, {NEW})
    assert killed.state_of(NEW) is GenerationState.PUBLISHED
    stated = [each for each in killed.bus.events if each.details["generation"] == NEW]
    assert stated
    assert len({each.event_id for each in stated}) == 1


def test_a_sweep_ends_what_was_begun(killed: World) -> None:
    killed.sweep()
    assert killed.shown == {killed.current}
    assert killed.state_of(killed.current) is GenerationState.PUBLISHED
    killed.publish(NEW)
    assert (killed.current, killed.shown) == (NEW, {NEW})


def test_the_next_delivery_ends_it_as_well(killed: World) -> None:
    killed.publish(NEWEST)
    assert (killed.current, killed.shown) == (NEWEST, {NEWEST})
    killed.publish(NEW)
    assert (killed.current, killed.shown) == (NEWEST, {NEWEST})


def test_killing_the_next_run_as_well_does_no_harm(killed: World) -> None:
    for number in range(len(CALLS)):
        with contextlib.suppress(Killed):
            killed.publish(NEW, Killer(number))
        assert killed.shown <= {OLD, NEW}
    killed.publish(NEW)
    assert (killed.current, killed.shown) == (NEW, {NEW})


@pytest.fixture(params=kills(rehearsed_rollback()))
def rolled_back(request: pytest.FixtureRequest) -> World:
    """A world in which going back from NEW to OLD was killed at one call."""
    number, before = request.param
    world = World()
    world.publish(NEW)
    with pytest.raises(Killed):
        world.roll_back(Killer(number, before=before))
    assert world.shown <= {OLD, NEW}
    return world


def test_a_sweep_ends_a_rollback_that_was_begun(rolled_back: World) -> None:
    rolled_back.sweep()
    assert rolled_back.shown == {rolled_back.current}


def test_a_rollback_that_was_begun_holds_until_a_newer_delivery(rolled_back: World) -> None:
    before = rolled_back.current
    rolled_back.publish(NEW)
    assert rolled_back.current == before
    rolled_back.sweep()
    assert rolled_back.shown == {before}
    rolled_back.publish(NEWEST)
    assert (rolled_back.current, rolled_back.shown) == (NEWEST, {NEWEST})

"""Offboarding step by step: what goes in which order, what is proved, and what is said."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cloudspend import payloads as p
from cloudspend.accounts.model import Account, AccountState, ChangeCause, KeyFacts
from cloudspend.accounts.ports import InvitationPorts
from cloudspend.errors import UsageError
from cloudspend.offboarding.begin import offboard
from cloudspend.offboarding.model import Data, Report, facts_of, instruction
from cloudspend.offboarding.steps import HeldData, OffboardPorts, clear, prove, stop
from cloudspend.settings import Settings
from tests.fakes.accounts import NOW, FakeAccounts, an_account, known_regions
from tests.fakes.alerts import FakeBus
from tests.fakes.lake import FakeExecutions, FakeLake
from tests.fakes.offboarding import FakeHolding

ID, OTHER = "111111111111", "222222222222"
ACT = ChangeCause("an operator", NOW, "The contract ended.")
ACTIVE = an_account(
    state=AccountState.ACTIVE,
    activated_at=NOW,
    stack_id=f"arn:aws:cloudformation:us-east-1:{ID}:stack/their-name/1",
)


def things(kind: str, count: int) -> FakeHolding:
    return FakeHolding(
        kind, {account: [f"{kind} {n}" for n in range(count)] for account in (ID, OTHER)}
    )


class Entries(FakeHolding):
    """The registry's items of the account; the account goes with the last of them."""

    def __init__(self, registry: FakeAccounts) -> None:
        super().__init__("registry items", {ID: ["PROFILE", "NAME"]})
        self._registry = registry

    def remove(self, account_id: str) -> int:
        gone = super().remove(account_id)
        if gone:
            self._registry.drop(account_id)
        return gone


class World:
    """A platform with two accounts, and an Offboard machine that is run by hand."""

    def __init__(self, account: Account = ACTIVE) -> None:
        self.registry = FakeAccounts(account, an_account(OTHER, state=AccountState.ACTIVE))
        self.bus, self.machine, self.lake = FakeBus(), FakeExecutions(), FakeLake()
        self.runs, self.keys = things("running executions", 1), things("secrets", 1)
        self.partitions, self.objects = things("partitions", 3), things("objects", 5)
        self.invitation_ports = InvitationPorts(
            self.registry, self.bus, Settings("000000000000", "us-east-1"), known_regions
        )
        estate = HeldData(
            self.runs, self.keys, (self.partitions, self.objects), Entries(self.registry)
        )
        self.exit = OffboardPorts(self.registry, self.bus, estate, self.lake)

    def begin(self, data: Data = Data.DELETE, confirmed: str = ID, act: ChangeCause = ACT) -> str:
        return offboard(ID, confirmed, data, self.invitation_ports, self.machine, act).execution

    def run(self, name: str, in_time: Callable[[], bool] = lambda: True) -> dict[str, Any]:
        """The state machine's way through the steps."""
        state = stop(self.machine.payloads[name], self.exit)
        for _ in range(20):
            state = clear(state, self.exit, in_time)
            if state[p.DONE]:
                state = prove(state, self.exit, NOW)
                if state[p.DONE]:
                    self.machine.end(name, "SUCCEEDED")
                    return state
        raise AssertionError("Offboard goes round in circles.")

    def report(self, state: dict[str, Any]) -> Report:
        return Report.from_payload(self.lake.read_json(state[p.REPORT_KEY]))

    def left(self, account_id: str = ID) -> list[str]:
        holdings = (self.runs, self.keys, self.partitions, self.objects)
        return [name for holding in holdings for name in holding.of(account_id)]


def test_nothing_is_left_and_the_report_proves_it() -> None:
    world = World()
    state = world.run(world.begin())
    report = world.report(state)
    assert world.left() == []
    assert world.registry.find(ID) is None
    assert report.is_clean
    assert report.removed == {"secrets": 1, "partitions": 3, "objects": 5, "registry items": 2}
    assert set(report.remaining) == {"secrets", "partitions", "objects", "registry items"}
    assert [step["after"] for step in report.history] == ["offboarding", "removed"]
    assert report.history[0]["reason"] == "The contract ended."
    stated = [event for event in world.bus.events if event.detail_type == "AccountRemoved"]
    assert len(stated) == 1
    assert stated[0].details["report"] == f"s3://a-lake/{state[p.REPORT_KEY]}"
    assert "'their-name'" in stated[0].actions[0]


def test_nobody_elses_things_are_touched() -> None:
    world = World()
    before = world.left(OTHER)
    world.run(world.begin())
    assert world.left(OTHER) == before
    assert world.registry.get(OTHER).state is AccountState.ACTIVE


def test_kept_data_stay_and_the_way_in_goes() -> None:
    world = World()
    state = world.run(world.begin(Data.KEEP))
    account = world.registry.get(ID)
    assert (account.state, account.role_arn) == (AccountState.REMOVED, None)
    assert list(world.keys.of(ID)) == []
    assert len(list(world.objects.of(ID))) == 5
    assert world.report(state).removed == {"secrets": 1}
    assert world.registry.history(ID)[-1].after is AccountState.REMOVED


def test_what_was_kept_can_go_later() -> None:
    world = World()
    world.run(world.begin(Data.KEEP))
    later = ChangeCause("an operator", NOW + timedelta(days=30), "They want it gone.")
    state = world.run(world.begin(Data.DELETE, act=later))
    assert world.left() == []
    assert [step["after"] for step in world.report(state).history] == [
        "offboarding",
        "removed",
        "offboarding",
        "removed",
    ]


def test_what_is_written_meanwhile_is_found_and_taken_away() -> None:
    world = World()
    state = stop(world.machine.payloads[world.begin()], world.exit)
    state = clear(state, world.exit, lambda: True)
    world.objects.put(ID, "a late file")
    state = prove(state, world.exit, NOW)
    assert state[p.DONE] is False
    assert not world.report(state).is_clean
    assert world.report(state).remaining["objects"].names == ("a late file",)
    assert world.registry.get(ID).state is AccountState.OFFBOARDING
    state = prove(clear(state, world.exit, lambda: True), world.exit, NOW)
    assert world.report(state).removed["objects"] == 6
    assert world.report(state).is_clean


def test_a_clearing_that_runs_out_of_time_goes_on() -> None:
    world = World()
    state = world.run(world.begin(), in_time=lambda: False)
    assert world.report(state).removed["objects"] == 5
    assert world.left() == []


def test_a_step_that_is_repeated_says_the_same() -> None:
    world = World()
    state = world.run(world.begin())
    first = world.report(state)
    assert prove(state, world.exit, NOW + timedelta(hours=1))[p.DONE] is True
    assert world.report(state) == first
    stated = [event for event in world.bus.events if event.detail_type == "AccountRemoved"]
    assert len({event.event_id for event in stated}) == 1


@pytest.mark.parametrize("confirmed", ["", OTHER, "Customer 1", f"{ID} "])
def test_nothing_is_begun_without_the_accounts_own_id(confirmed: str) -> None:
    world = World()
    with pytest.raises(UsageError, match="does not confirm") as caught:
        world.begin(confirmed=confirmed)
    assert ID in caught.value.remedy
    assert world.registry.get(ID) == ACTIVE
    assert (world.machine.payloads, world.bus.events) == ({}, [])


def test_nothing_is_begun_without_a_reason() -> None:
    world = World()
    with pytest.raises(UsageError, match="reason"):
        world.begin(act=ChangeCause("an operator", NOW, " "))
    assert world.registry.get(ID) == ACTIVE


def test_nothing_is_taken_away_from_an_account_that_nobody_asked_to_offboard() -> None:
    world = World()
    state = {p.ACCOUNT_ID: ID, p.DATA: "delete", p.REPORT_KEY: "offboarded/1/1.json"}
    with pytest.raises(UsageError, match="is active"):
        stop(state, world.exit)
    assert len(world.left()) == 10


def test_asking_twice_starts_once_and_a_run_that_failed_is_begun_anew() -> None:
    world = World()
    name = world.begin()
    assert world.begin() == name
    world.machine.end(name, "FAILED")
    again = world.begin()
    assert again != name
    assert len(world.registry.history(ID)) == 1
    world.run(again)
    assert world.left() == []


def test_the_customer_is_told_which_stack_to_delete() -> None:
    facts = {"account_id": ID, "stack_id": ""}
    assert "'cloudspend'" in instruction(facts)
    assert ID in instruction(facts)


def test_who_gave_a_key_is_told_whose_key_to_delete_and_of_no_role() -> None:
    user = f"arn:aws:iam::{ID}:user/cloudspend"
    said = instruction({"account_id": ID, "stack_id": "", "key_of": user})
    assert user in said
    assert "'cloudspend-export'" in said
    assert "role" not in said
    by_key = an_account(key=KeyFacts(user, "WXYZ", NOW, True, NOW))
    assert facts_of(by_key)["key_of"] == user
    assert facts_of(an_account())["key_of"] == ""

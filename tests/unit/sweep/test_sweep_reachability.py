"""What Sweep alone notices of an account: that it is not reached, is again, or has an old stack."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cloudspend.accounts.lifecycle import transition
from cloudspend.accounts.model import Account, AccountState, ChangeCause
from cloudspend.errors import ConnectionRefused, Defect, TransientError
from cloudspend.settings import TEMPLATE_VERSION
from cloudspend.sweep.sweep import sweep_accounts
from tests.fakes.accounts import FakeAccounts
from tests.unit.sweep.sweep_world import ACTIVE, NOW, SETTINGS, World

ID = ACTIVE.account_id
GONE = ConnectionRefused("The role cannot be assumed.", remedy="Create the stack again.")
LATER = NOW + timedelta(hours=6)


class Swept(World):
    """One account, swept as a batch is."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(account=replace(ACTIVE, activated_at=NOW, **changes))
        self.accounts = FakeAccounts(self.account)
        self.failed: list[str] = []

    def round(self, at: Any = NOW) -> Account:
        sweep_ports = self.sweep_ports(timedelta(days=9))
        sweep_accounts([ID], self.accounts, sweep_ports, SETTINGS, at, self.failed.append)
        return self.accounts.get(ID)


def test_a_deleted_role_is_noticed_within_one_sweep_and_told_once() -> None:
    world = Swept()
    world.unreachable = GONE
    account = world.round()
    assert (account.state, account.state_reason) == (AccountState.DEGRADED, GONE.summary)
    assert world.bus.kinds.count("AccountUnreachable") == 1
    assert account.is_ingesting
    assert world.round(LATER) == account
    assert world.bus.kinds.count("AccountUnreachable") == 1
    assert [step.by for step in world.accounts.history(ID)] == ["cloudspend-sweep"]


def test_it_is_active_again_once_it_is_reached_again() -> None:
    world = Swept()
    world.unreachable = GONE
    world.round()
    world.unreachable = None
    account = world.round(LATER)
    assert account.state is AccountState.ACTIVE
    assert account.state_reason == "It can be reached again."
    assert world.round(LATER + timedelta(hours=6)) == account


def test_what_a_check_or_a_deleted_stack_let_down_sweep_does_not_take_up() -> None:
    world = Swept()
    act = ChangeCause("a stack", NOW, "The customer deleted the stack.")
    transition(world.accounts, world.bus, world.account, AccountState.DEGRADED, act)
    before = world.accounts.get(ID)
    assert world.round(LATER) == before
    world.unreachable = GONE
    assert world.round(LATER) == before
    world.unreachable = None
    assert world.round(LATER) == before


def test_a_change_of_fields_meanwhile_is_no_proof_and_no_hindrance() -> None:
    world = Swept()
    world.unreachable = GONE
    account = world.round()
    act = ChangeCause("an operator", NOW, account.state_reason)
    transition(world.accounts, world.bus, account, AccountState.DEGRADED, act, owner="Finance")
    world.unreachable = None
    assert world.round(LATER).state is AccountState.ACTIVE


@pytest.mark.parametrize("error", [TransientError("Try later."), Defect("Ours.")])
def test_what_is_not_the_customers_changes_no_state(error: Any) -> None:
    world = Swept()
    world.unreachable = error
    assert world.round().state is AccountState.ACTIVE
    assert world.failed == [ID]


def test_an_account_that_is_being_onboarded_is_left_to_onboard() -> None:
    world = Swept(state=AccountState.BACKFILLING)
    world.unreachable = GONE
    assert world.round().state is AccountState.BACKFILLING
    assert "AccountUnreachable" in world.bus.kinds


def test_an_old_template_is_told_once_with_the_link() -> None:
    world = Swept(template_version="1", stack_id="arn:aws:cloudformation:us-east-1:1:stack/x/y")
    world.round()
    world.round(LATER)
    (said,) = [one for one in world.bus.events if one.detail_type == "TemplateOutdated"]
    assert f"version 1 of the template. The newest version is {TEMPLATE_VERSION}." in said.summary
    assert "/stacks/update/template?stackId=arn:aws:cloudformation" in said.actions[0]


@pytest.mark.parametrize(
    "changes", [{"template_version": TEMPLATE_VERSION}, {"role_arn": None}, {}]
)
def test_a_new_or_unknown_template_is_not(changes: dict[str, Any]) -> None:
    world = Swept(**changes)
    world.round()
    assert "TemplateOutdated" not in world.bus.kinds

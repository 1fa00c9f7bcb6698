"""What an operator does with an account that is there: changed, checked, put to rest, woken."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cloudspend.accounts import operate
from cloudspend.accounts.lifecycle import TRANSITIONS
from cloudspend.accounts.model import Account, AccountState, ExportKind
from cloudspend.accounts.ports import InvitationPorts
from cloudspend.accounts.validation import AccountFields
from cloudspend.errors import TransientError, UsageError
from cloudspend.settings import Settings
from tests.fakes.accounts import ACT, FakeAccounts, FakeOnboarding, an_account, known_regions
from tests.fakes.alerts import FakeBus

ID = "111111111111"
ACTIVE = an_account(state=AccountState.ACTIVE, owner="Cloud team", notes="Call first.")
WHY = replace(ACT, reason="The contract rests.")


class Desk:
    """An operator's office, and what came of a command."""

    def __init__(self, account: Account = ACTIVE) -> None:
        self.registry = FakeAccounts(account)
        self.bus = FakeBus()
        self.onboarding = FakeOnboarding()
        self.invitation_ports = InvitationPorts(
            self.registry, self.bus, Settings("000000000000", "us-east-1"), known_regions
        )

    def update(self, **wanted: Any) -> Account:
        return operate.update(ID, AccountFields(**wanted), self.invitation_ports, ACT)

    def untouched(self, account: Account = ACTIVE) -> bool:
        nothing_begun = (self.bus.events, self.onboarding.started) == ([], {})
        return self.registry.get(ID) == account and nothing_begun


def test_what_is_given_changes_and_the_rest_stays() -> None:
    desk = Desk()
    after = desk.update(
        display_name="Acme Ltd",
        regions=["eu-west-1", "eu-central-1", "eu-west-1"],
        start_date="2026-01-15",
        retention_months="84",
        contacts=["billing@example.com"],
        cost_centre=" 4711 ",
        tag_columns=["Team"],
        fresh_hours="60",
    )
    assert desk.registry.get(ID) == after
    assert after == replace(
        ACTIVE,
        display_name="Acme Ltd",
        regions=("eu-west-1", "eu-central-1"),
        start_date=date(2026, 1, 15),
        retention_months=84,
        contacts=("billing@example.com",),
        cost_centre="4711",
        tag_columns=("Team",),
        fresh_hours=60,
        last_change=after.last_change,
    )


def test_an_empty_text_or_list_empties_a_field_and_keep_keeps_for_good() -> None:
    desk = Desk(replace(ACTIVE, retention_months=13, contacts=("a@example.com",)))
    after = desk.update(owner="", notes="", contacts=[], retention_months="keep")
    assert (after.owner, after.notes, after.contacts, after.retention_months) == ("", "", (), None)


def test_the_usual_freshness_is_the_platforms() -> None:
    desk = Desk(replace(ACTIVE, fresh_hours=60))
    assert desk.update(fresh_hours="usual").fresh_hours is None
    [stated] = desk.bus.events
    assert stated.details["changes"] == ["fresh hours: 60 became usual"]


def test_a_change_is_a_step_of_the_history_and_an_event() -> None:
    desk = Desk()
    after = desk.update(owner="Finance", retention_months=36)
    said = "retention months: keep became 36; owner: Cloud team became Finance"
    assert after.last_change is not None
    assert after.last_change == desk.registry.history(ID)[-1]
    assert (after.last_change.by, after.last_change.reason) == (ACT.by, said)
    assert (after.last_change.before, after.last_change.after) == ("active", "active")
    [stated] = desk.bus.events
    assert stated.detail_type == "AccountUpdated"
    assert stated.detail["details"]["changes"] == said.split("; ")


def test_what_is_so_already_is_no_change() -> None:
    desk = Desk()
    assert desk.update(owner="Cloud team", display_name=ACTIVE.display_name) == ACTIVE
    assert desk.untouched()


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"display_name": ""}, "display name"),
        ({"regions": ["eu-north-9"]}, "region"),
        ({"start_date": "2999-01-01"}, "start date"),
        ({"retention_months": "14"}, "retention"),
        ({"contacts": ["somebody"]}, "contact"),
        ({"tag_columns": [""]}, "tag"),
        ({"fresh_hours": "11"}, "freshness"),
        ({"fresh_hours": "721"}, "freshness"),
        ({"fresh_hours": "soon"}, "freshness"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_changed(wanted: dict[str, Any], named: str) -> None:
    desk = Desk()
    with pytest.raises(UsageError, match=named):
        desk.update(owner="Finance", **wanted)
    assert desk.untouched()


def test_a_name_of_another_account_is_refused() -> None:
    desk = Desk()
    desk.registry.add(an_account("222222222222", display_name="Other"))
    with pytest.raises(UsageError, match="another account's"):
        desk.update(display_name="OTHER")
    assert desk.untouched()


def test_billing_detail_is_for_cur_only() -> None:
    focus = replace(ACTIVE.export, kind=ExportKind.FOCUS_1_2)
    desk = Desk(replace(ACTIVE, export=focus))
    with pytest.raises(UsageError, match="billing_detail"):
        desk.update(billing_detail=True)


@pytest.mark.parametrize("state", [AccountState.OFFBOARDING, AccountState.REMOVED])
def test_what_is_going_or_gone_is_not_changed(state: AccountState) -> None:
    gone = replace(ACTIVE, state=state)
    desk = Desk(gone)
    with pytest.raises(UsageError, match=str(state)):
        desk.update(owner="Finance")
    assert desk.untouched(gone)


@pytest.mark.parametrize("state", AccountState)
def test_an_account_is_verified_wherever_its_life_allows(state: AccountState) -> None:
    before = replace(ACTIVE, state=state)
    desk = Desk(before)
    if AccountState.VERIFYING in TRANSITIONS[state]:
        assert operate.verify(ID, desk.invitation_ports, desk.onboarding, ACT).state == "verifying"
        assert list(desk.onboarding.started.values()) == [ID]
    else:
        with pytest.raises(UsageError, match=str(state)):
            operate.verify(ID, desk.invitation_ports, desk.onboarding, ACT)
        assert desk.untouched(before)


def test_a_verification_whose_start_failed_is_asked_for_again() -> None:
    desk = Desk()
    desk.onboarding.broken = True
    with pytest.raises(TransientError):
        operate.verify(ID, desk.invitation_ports, desk.onboarding, ACT)
    desk.onboarding.broken = False
    operate.verify(ID, desk.invitation_ports, desk.onboarding, ACT)
    assert list(desk.onboarding.started.values()) == [ID]


@pytest.mark.parametrize("state", AccountState)
def test_an_account_rests_wherever_its_life_allows(state: AccountState) -> None:
    before = replace(ACTIVE, state=state)
    desk = Desk(before)
    if AccountState.SUSPENDED in TRANSITIONS[state]:
        after = operate.suspend(ID, desk.invitation_ports, WHY)
        assert (after.state, after.state_reason) == ("suspended", WHY.reason)
        assert not after.is_ingesting
    else:
        with pytest.raises(UsageError, match=str(state)):
            operate.suspend(ID, desk.invitation_ports, WHY)
        assert desk.untouched(before)


def test_nobody_suspends_without_a_reason() -> None:
    desk = Desk()
    with pytest.raises(UsageError, match="reason"):
        operate.suspend(ID, desk.invitation_ports, replace(ACT, reason=" "))
    assert desk.untouched()


def test_a_suspended_account_wakes_by_being_verified() -> None:
    desk = Desk()
    operate.suspend(ID, desk.invitation_ports, WHY)
    with pytest.raises(UsageError, match="accounts resume"):
        operate.verify(ID, desk.invitation_ports, desk.onboarding, ACT)
    assert desk.onboarding.started == {}
    after = operate.resume(ID, desk.invitation_ports, desk.onboarding, ACT)
    assert after.state == "connected"
    assert list(desk.onboarding.started.values()) == [ID]
    assert [step.after for step in desk.registry.history(ID)][-2:] == ["suspended", "connected"]


@pytest.mark.parametrize("state", sorted(set(AccountState) - {AccountState.SUSPENDED}))
def test_only_a_suspended_account_is_resumed(state: AccountState) -> None:
    before = replace(ACTIVE, state=state)
    desk = Desk(before)
    with pytest.raises(UsageError, match="not suspended"):
        operate.resume(ID, desk.invitation_ports, desk.onboarding, ACT)
    assert desk.untouched(before)

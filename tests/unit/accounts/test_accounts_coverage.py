"""No cost is counted twice: who is refused, who takes over, and what becomes of the other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from cloudspend.accounts import operate
from cloudspend.accounts.account_list import read_sheet
from cloudspend.accounts.coverage import brings_cost, doubled, onboarded_members, take_over
from cloudspend.accounts.importing import COLUMNS, LISTS, check
from cloudspend.accounts.invite import InviteRequest, invite
from cloudspend.accounts.model import Account, AccountState, AccountType, Member
from cloudspend.accounts.ports import InvitationPorts
from cloudspend.errors import UsageError
from cloudspend.onboarding.connect import ConnectRequest, connect
from cloudspend.settings import Settings
from tests.fakes.accounts import (
    ACT,
    NOW,
    FakeAccounts,
    FakeOnboarding,
    an_account,
    known_regions,
)
from tests.fakes.alerts import FakeBus

ORG, SHOP = "111111111111", "222222222222"
SETTINGS = Settings("000000000000", "us-east-1")
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)


def organization(**changes: Any) -> Account:
    fields = {"display_name": "Example Org", "state": AccountState.ACTIVE, "activated_at": NOW}
    return an_account(ORG, **(fields | changes))


def shop(**changes: Any) -> Account:
    fields = {
        "display_name": "Shop",
        "type": AccountType.LINKED,
        "state": AccountState.ACTIVE,
        "activated_at": NOW,
    }
    return an_account(SHOP, **(fields | changes))


def member(account_id: str, **changes: Any) -> Member:
    return replace(Member(account_id, "x", "ACTIVE", LONG_AGO, NOW), **changes)


def world(*accounts: Account, left: datetime | None = None) -> FakeAccounts:
    """The shop is a member of the organization."""
    registry = FakeAccounts(*accounts)
    registry.put_members(ORG, [member(ORG), member(SHOP, left_at=left)])
    return registry


def invitation_ports(registry: FakeAccounts, bus: FakeBus | None = None) -> InvitationPorts:
    return InvitationPorts(registry, bus or FakeBus(), SETTINGS, known_regions)


@pytest.mark.parametrize(
    ("changes", "brings"),
    [
        ({"state": AccountState.ACTIVE, "activated_at": NOW}, True),
        ({"state": AccountState.DEGRADED, "activated_at": NOW}, True),
        ({"state": AccountState.SUSPENDED, "activated_at": NOW}, True),
        ({"state": AccountState.INVITED, "activated_at": NOW}, True),
        ({"state": AccountState.BACKFILLING}, True),
        ({"state": AccountState.INVITED}, False),
        ({"state": AccountState.VERIFYING}, False),
        ({"state": AccountState.FAILED}, False),
        ({"state": AccountState.OFFBOARDING, "activated_at": NOW}, False),
        ({"state": AccountState.REMOVED, "activated_at": NOW}, False),
        ({"state": AccountState.SUSPENDED, "activated_at": NOW, "covered_by": ORG}, False),
    ],
)
def test_what_readers_see_or_soon_will_counts(changes: dict[str, Any], brings: bool) -> None:
    assert brings_cost(an_account(**changes)) is brings


def test_a_member_of_an_onboarded_organization_is_refused_with_where_its_cost_is() -> None:
    found = doubled(shop(state=AccountState.INVITED), world(organization()))
    assert found
    assert f"Shop ({SHOP}) is a member of the organization Example Org ({ORG})" in found.summary
    assert f"subaccountid = '{SHOP}'" in found.remedy


def test_an_organization_whose_member_is_onboarded_is_refused_with_the_choice() -> None:
    found = doubled(organization(), world(shop()))
    assert found
    assert f"Shop ({SHOP})" in found.summary
    assert f"cloudspend accounts verify {ORG} --move-coverage" in found.remedy
    assert doubled(organization(move_coverage=True), world(shop())) is None


@pytest.mark.parametrize(
    "registry",
    [
        world(organization(), left=NOW),
        world(organization(state=AccountState.FAILED, activated_at=None)),
        world(organization(state=AccountState.REMOVED)),
        FakeAccounts(organization()),
    ],
)
def test_who_left_or_whose_organization_brings_no_cost_is_welcome(registry: FakeAccounts) -> None:
    assert doubled(shop(state=AccountState.INVITED), registry) is None


def test_an_organization_does_not_cover_itself() -> None:
    registry = world(organization())
    assert doubled(registry.get(ORG), registry) is None
    assert onboarded_members(registry.get(ORG), registry.members(ORG), registry.list()) == []


def by_invite(registry: FakeAccounts) -> None:
    invite(InviteRequest(account_id=SHOP, display_name="Shop"), invitation_ports(registry), ACT)


def by_invite_again(registry: FakeAccounts) -> None:
    registry.add(shop(state=AccountState.REMOVED))
    by_invite(registry)


def by_connect(registry: FakeAccounts) -> None:
    registry.add(shop(state=AccountState.INVITED, activated_at=None))
    request = ConnectRequest(SHOP, f"arn:aws:iam::{SHOP}:role/cloudspend-access")
    connect(request, registry, FakeBus(), FakeOnboarding(), SETTINGS, ACT)


def by_verify(registry: FakeAccounts) -> None:
    registry.add(shop())
    operate.verify(SHOP, invitation_ports(registry), FakeOnboarding(), ACT)


def by_resume(registry: FakeAccounts) -> None:
    registry.add(shop(state=AccountState.SUSPENDED, covered_by=ORG))
    operate.resume(SHOP, invitation_ports(registry), FakeOnboarding(), ACT)


def by_verifying_the_organization(registry: FakeAccounts) -> None:
    registry.add(shop())
    operate.verify(ORG, invitation_ports(registry), FakeOnboarding(), ACT)


@pytest.mark.parametrize(
    "way",
    [by_invite, by_invite_again, by_connect, by_verify, by_resume, by_verifying_the_organization],
)
def test_every_way_in_is_shut(way: Callable[[FakeAccounts], None]) -> None:
    registry = world(organization())
    with pytest.raises(UsageError, match="counted twice"):
        way(registry)
    assert registry.find(SHOP) is None or registry.get(SHOP).state is not AccountState.CONNECTED


def test_a_list_says_who_is_covered() -> None:
    text = f"account_id,name\n{SHOP},Shop\n333333333333,Bank\n"
    sheet = read_sheet("list.csv", text, tuple(COLUMNS), LISTS)
    _, problems = check(sheet, invitation_ports(world(organization())), ACT)
    assert [(one.line, one.field, one.value) for one in problems] == [(2, "account", SHOP)]
    assert "counted twice" in problems[0].allowed


def test_an_organization_that_takes_over_is_verified_and_remembers_it() -> None:
    registry = world(organization(), shop())
    operate.verify(ORG, invitation_ports(registry), FakeOnboarding(), ACT, move_coverage=True)
    assert registry.get(ORG).move_coverage
    again = operate.verify(
        ORG, invitation_ports(registry), FakeOnboarding(), replace(ACT, reason="again")
    )
    assert again.move_coverage


def test_who_is_taken_over_rests_with_the_reason() -> None:
    registry, bus = world(organization(), shop()), FakeBus()
    take_over(registry.get(ORG), [registry.get(SHOP)], registry, bus, ACT)
    after = registry.get(SHOP)
    assert (after.state, after.covered_by) == (AccountState.SUSPENDED, ORG)
    assert after.state_reason == f"Its cost is in the bill of the organization Example Org ({ORG})."
    assert registry.history(SHOP)[-1].reason == after.state_reason
    assert bus.kinds == ["AccountStateChanged", "CoverageMoved"]
    assert not brings_cost(after)


def test_who_was_invited_anew_is_covered_too() -> None:
    registry = world(organization(), shop(state=AccountState.INVITED))
    take_over(registry.get(ORG), [registry.get(SHOP)], registry, FakeBus(), ACT)
    assert registry.get(SHOP).covered_by == ORG
    assert registry.get(SHOP).state is AccountState.INVITED


@pytest.mark.parametrize(
    ("left", "since"),
    [(datetime(2026, 10, 17, 5, tzinfo=UTC), date(2026, 10, 1)), (None, date(2026, 8, 1))],
)
def test_who_left_begins_with_its_own_month(left: datetime | None, since: date) -> None:
    registry = world(
        organization(state=AccountState.REMOVED),
        shop(state=AccountState.SUSPENDED, covered_by=ORG),
        left=left,
    )
    after = operate.resume(SHOP, invitation_ports(registry), FakeOnboarding(), ACT)
    assert (after.covered_by, after.start_date) == (None, since)

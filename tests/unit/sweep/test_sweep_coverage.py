"""What readers see of an account that its organization has taken over: each month once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cloudspend.accounts.model import Account, AccountState, AccountType, Member
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import GenerationState
from cloudspend.lake.tables import COST_AND_USAGE, period_values
from cloudspend.sweep.coverage import is_whole, withdraw_covered
from cloudspend.sweep.sweep import sweep_accounts
from tests.fakes.accounts import FakeAccounts, an_account
from tests.fakes.lake import a_generation, a_published
from tests.unit.sweep.sweep_world import ACTIVE, NOW, OCTOBER, SETTINGS, World, moment, named

ORG, SHOP = ACTIVE.account_id, "222222222222"
SEPTEMBER, AUGUST = OCTOBER.previous, OCTOBER.previous.previous
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)


class Twice(World):
    """An organization with October and September, and its member with three months of its own."""

    def __init__(self, *, moves: bool, covered: bool = False) -> None:
        super().__init__(account=replace(ACTIVE, activated_at=NOW, move_coverage=moves))
        shop = an_account(
            SHOP,
            type=AccountType.LINKED,
            state=AccountState.SUSPENDED if covered else AccountState.ACTIVE,
            activated_at=NOW,
            covered_by=ORG if covered else None,
        )
        self.accounts = FakeAccounts(self.account, shop)
        self.belongs(Member(SHOP, "Shop", "ACTIVE", LONG_AGO, NOW))
        self.published(OCTOBER)
        self.published(SEPTEMBER)
        for period in (OCTOBER, SEPTEMBER, AUGUST):
            self.of_shop(period)

    def belongs(self, member: Member) -> None:
        self.accounts.put_members(ORG, [Member(ORG, "Org", "ACTIVE", LONG_AGO, NOW), member])

    def of_shop(self, period: BillingPeriod) -> None:
        name = named(moment(period))
        generation = replace(a_generation(name, period=period), account_id=SHOP)
        self.generations.plan(generation)
        published = replace(a_published(name, period=period), account_id=SHOP)
        self.generations.advance(published, None)
        self.generations.record_outcome(SHOP, period, name, GenerationState.PUBLISHED)
        values = period_values(SHOP, period)
        self.catalog.point(COST_AND_USAGE.name, values, f"s3://{self.lake.bucket}/{name}/")

    @property
    def of_shop_shown(self) -> list[str]:
        """The months that readers find under the shop's own id."""
        return sorted(
            str(period)
            for period in (OCTOBER, SEPTEMBER, AUGUST)
            if self.catalog.location(COST_AND_USAGE.name, period_values(SHOP, period))
        )

    def sweep_both(self) -> None:
        failed: list[str] = []
        sweep_ports = self.sweep_ports(timedelta(days=9))
        sweep_accounts([ORG], self.accounts, sweep_ports, SETTINGS, NOW, failed.append)
        assert failed == []

    def shop(self) -> Account:
        return self.accounts.get(SHOP)


def test_where_it_was_not_chosen_it_is_said_once_and_nothing_moves() -> None:
    world = Twice(moves=False)
    world.sweep_both()
    world.sweep_both()
    assert world.bus.kinds.count("CountedTwice") == 1
    (said,) = [event for event in world.bus.events if event.detail_type == "CountedTwice"]
    assert SHOP in said.summary
    assert world.shop().state is AccountState.ACTIVE
    assert world.of_shop_shown == ["2026-08", "2026-09", "2026-10"]


def test_a_member_that_joins_with_a_bill_of_its_own_is_taken_over() -> None:
    world = Twice(moves=True)
    world.sweep_both()
    assert (world.shop().state, world.shop().covered_by) == (AccountState.SUSPENDED, ORG)
    assert "CountedTwice" not in world.bus.kinds
    # August is in no bill of the organization, so that it would be missing altogether
    assert world.of_shop_shown == ["2026-08"]
    assert [str(each.period) for each in world.generations.periods(SHOP)] == ["2026-08"]
    moved = [event for event in world.bus.events if event.detail_type == "PeriodMoved"]
    assert sorted(str(event.details["period"]) for event in moved) == ["2026-09", "2026-10"]


def test_a_month_goes_when_the_organization_has_it_and_once() -> None:
    world = Twice(moves=True, covered=True)
    assert withdraw_covered(ORG, world.accounts, world.store, NOW) == 2
    assert withdraw_covered(ORG, world.accounts, world.store, NOW) == 0
    world.published(AUGUST)
    assert withdraw_covered(ORG, world.accounts, world.store, NOW) == 1
    assert world.of_shop_shown == []
    assert world.shown(OCTOBER)


def test_a_month_in_which_it_joined_stays() -> None:
    world = Twice(moves=True, covered=True)
    joined = OCTOBER.start + timedelta(days=9)
    world.belongs(Member(SHOP, "Shop", "ACTIVE", joined, NOW))
    assert withdraw_covered(ORG, world.accounts, world.store, NOW) == 0
    assert world.of_shop_shown == ["2026-08", "2026-09", "2026-10"]


@pytest.mark.parametrize(
    ("joined", "left", "whole"),
    [
        (OCTOBER.start, None, True),
        (OCTOBER.start + timedelta(seconds=1), None, False),
        (LONG_AGO, OCTOBER.end, True),
        (LONG_AGO, OCTOBER.end - timedelta(seconds=1), False),
    ],
)
def test_only_whole_months_are_the_organizations(
    joined: datetime, left: datetime | None, whole: bool
) -> None:
    assert is_whole(Member(SHOP, "Shop", "ACTIVE", joined, NOW, left), OCTOBER) is whole

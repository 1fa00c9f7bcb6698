"""Who joins and who leaves an organization, and who is expected in a month's bill."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudspend.accounts.members import (
    MembershipChanges,
    OrganizationAccount,
    compare,
    expected,
    refresh,
)
from cloudspend.accounts.model import Member
from tests.fakes.accounts import NOW, FakeAccounts, an_account
from tests.fakes.alerts import FakeBus

SINCE = datetime(2026, 9, 10, tzinfo=UTC)
BEFORE = NOW - timedelta(days=1)
ORGANIZATION = an_account()
PAYER, SHOP, LAB = ORGANIZATION.account_id, "222222222222", "333333333333"


def listed(account: str, state: str = "ACTIVE", since: datetime = SINCE) -> OrganizationAccount:
    return OrganizationAccount(account, f"Account {account}", state, since)


def member(account: str, left_at: datetime | None = None, status: str = "ACTIVE") -> Member:
    return Member(account, f"Account {account}", status, SINCE, BEFORE, left_at)


def names(found: tuple[Member, ...]) -> list[str]:
    return [one.account_id for one in found]


@pytest.mark.parametrize(
    ("known", "seen", "joined", "left"),
    [
        # The first list is news of no one.
        ([], [listed(SHOP), listed(LAB)], [], []),
        ([member(SHOP)], [listed(SHOP)], [], []),
        ([member(SHOP)], [listed(SHOP), listed(LAB)], [LAB], []),
        ([member(SHOP), member(LAB)], [listed(SHOP)], [], [LAB]),
        # Who left is not missed again, and may come back.
        ([member(SHOP), member(LAB, BEFORE)], [listed(SHOP)], [], []),
        ([member(SHOP), member(LAB, BEFORE)], [listed(SHOP), listed(LAB)], [LAB], []),
        # Suspended and about to be closed: billed as before.
        ([member(SHOP)], [listed(SHOP, "SUSPENDED")], [], []),
        ([member(SHOP)], [listed(SHOP, "PENDING_CLOSURE")], [], []),
        # Closed: listed for 90 days more, and gone.
        ([member(SHOP), member(LAB)], [listed(SHOP), listed(LAB, "CLOSED")], [], [LAB]),
        ([member(SHOP), member(LAB, BEFORE)], [listed(SHOP), listed(LAB, "CLOSED")], [], []),
        ([member(SHOP)], [listed(SHOP), listed(LAB, "CLOSED")], [], []),
    ],
)
def test_a_list_says_who_joined_and_who_left(
    known: list[Member], seen: list[OrganizationAccount], joined: list[str], left: list[str]
) -> None:
    moves = compare(known, seen, NOW)
    assert (names(moves.joined), names(moves.left)) == (joined, left)
    assert all(one.left_at == NOW for one in moves.left)


def test_what_a_list_says_of_a_member_is_taken_over() -> None:
    [found] = compare([member(SHOP)], [listed(SHOP, "SUSPENDED")], NOW).members
    assert found == Member(SHOP, f"Account {SHOP}", "SUSPENDED", SINCE, seen_at=NOW)


ACCOUNTS = st.sets(st.sampled_from([f"{n:012d}" for n in range(6)]))


@given(st.lists(ACCOUNTS, min_size=1, max_size=6))
def test_members_are_those_of_the_last_list_and_each_move_is_told_once(
    lists: list[set[str]],
) -> None:
    registry, bus = FakeAccounts(ORGANIZATION), FakeBus()
    management = ORGANIZATION.account_id
    stated = 0
    before: set[str] | None = None
    for day, seen in enumerate(lists):
        now = NOW + timedelta(days=day)
        rows = [listed(one) for one in sorted({management, *seen})]
        refresh(ORGANIZATION, rows, registry, bus, now)
        stated += len(seen ^ before) if before is not None else 0
        before = seen
        here = [one for one in registry.members(management) if one.left_at is None]
        assert {one.account_id for one in here} == {management, *seen}
        assert len(bus.events) == stated
    assert len({event.event_id for event in bus.events}) == stated


def test_a_run_that_was_cut_off_says_the_same_again() -> None:
    """Its events were put, and the registry was not written."""
    ids = []
    for now in (NOW, NOW + timedelta(hours=1)):
        registry, bus = FakeAccounts(ORGANIZATION), FakeBus()
        registry.put_members(
            ORGANIZATION.account_id, [member(PAYER), member(SHOP), member(LAB, BEFORE)]
        )
        refresh(ORGANIZATION, [listed(PAYER), listed(LAB)], registry, bus, now)
        assert bus.kinds == ["MemberJoined", "MemberLeft"]
        ids.append([event.event_id for event in bus.events])
    assert ids[0] == ids[1]


@pytest.mark.parametrize("others", [[], [listed(LAB)]])
def test_a_list_without_the_account_itself_moves_nobody(others: list[OrganizationAccount]) -> None:
    registry, bus = FakeAccounts(ORGANIZATION), FakeBus()
    known = [member(PAYER), member(SHOP)]
    registry.put_members(PAYER, known)
    assert refresh(ORGANIZATION, others, registry, bus, NOW) == MembershipChanges(())
    assert (registry.members(PAYER), bus.events) == (known, [])


def test_the_events_name_the_member_and_what_to_do() -> None:
    registry, bus = FakeAccounts(ORGANIZATION), FakeBus()
    registry.put_members(PAYER, [member(PAYER), member(SHOP)])
    refresh(ORGANIZATION, [listed(PAYER), listed(LAB)], registry, bus, NOW)
    joined, left = bus.events
    assert (str(joined.severity), str(left.severity)) == ("info", "warning")
    assert f"Account {LAB} ({LAB}) has joined the organization Customer 1" in joined.summary
    assert f"Account {SHOP} ({SHOP}) is no longer a member" in left.summary
    assert any(f"accounts invite {SHOP}" in action for action in left.actions)


MONTH = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("joined", "left", "is_expected"),
    [
        (SINCE, None, True),
        (SINCE, datetime(2026, 10, 1, tzinfo=UTC), True),
        (SINCE, datetime(2026, 10, 15, tzinfo=UTC), True),
        (SINCE, datetime(2026, 9, 30, 23, tzinfo=UTC), False),
        (datetime(2026, 10, 31, 23, tzinfo=UTC), None, True),
        (datetime(2026, 11, 1, tzinfo=UTC), None, False),
    ],
)
def test_a_member_is_expected_in_the_months_in_which_it_belonged_there(
    joined: datetime, left: datetime | None, is_expected: bool
) -> None:
    one = Member(SHOP, "Shop", "ACTIVE", joined, NOW, left)
    assert (expected([one], *MONTH) == [one]) is is_expected


def test_nothing_moves_without_a_list() -> None:
    assert compare([], [], NOW) == MembershipChanges(())

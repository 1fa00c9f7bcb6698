"""Access to member accounts: their roles are checked like the management account's."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cloudspend.access.member_access import check_member_access, member_account
from cloudspend.accounts.model import KeyFacts, Member
from tests.fakes.access import FakeCustomerSessions, a_trust_policy
from tests.fakes.accounts import NOW, an_account

ORGANIZATION = an_account()
MEMBER = "222222222222"
SINCE = datetime(2026, 9, 10, tzinfo=UTC)


def reasons(customer_sessions: FakeCustomerSessions, *members: str) -> dict[str, str]:
    """Return why each of `members` cannot be entered; an empty reason if it can."""
    listed = [Member(member, "A", "ACTIVE", SINCE, NOW) for member in members]
    return {
        access.member.account_id: access.reason
        for access in check_member_access(ORGANIZATION, listed, customer_sessions, NOW)
    }


def test_a_member_whose_role_passes_every_check_has_no_reason() -> None:
    customer_sessions = FakeCustomerSessions(leads_into=MEMBER)
    assert reasons(customer_sessions, MEMBER) == {MEMBER: ""}
    assert None in customer_sessions.tried


def test_the_management_account_is_left_out() -> None:
    assert reasons(FakeCustomerSessions(), ORGANIZATION.account_id) == {}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"exists": False}, "cannot be assumed"),
        ({"opens_without_id": True}, "external id"),
        ({"opens_to_any_id": True}, "external id"),
        ({"leads_into": "999999999999"}, "999999999999"),
        ({"policy": a_trust_policy(Principal={"AWS": "*"})}, "trust"),
        ({"policy": None}, "iam:GetRole"),
    ],
)
def test_a_missing_or_open_role_is_the_reason(fault: dict[str, Any], reason: str) -> None:
    by_member = reasons(FakeCustomerSessions(**({"leads_into": MEMBER} | fault)), MEMBER)
    assert reason in by_member[MEMBER]


def test_a_member_is_entered_by_its_own_role_and_never_by_a_key() -> None:
    key = KeyFacts("arn:aws:iam::111111111111:user/u", "ABCD", NOW, True, NOW)
    entered = member_account(an_account(key=key, role_arn=None), MEMBER)
    assert entered.role_arn == f"arn:aws:iam::{MEMBER}:role/cloudspend-member"
    assert (entered.account_id, entered.key) == (MEMBER, None)
    assert entered.external_id == ORGANIZATION.external_id

"""Which members are reached: those whose role proves itself as the management account's does."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cloudspend.access.member_access import as_entered, check_member_access
from cloudspend.accounts.model import KeyFacts, Member
from tests.fakes.access import FakeDoor, a_trust_policy
from tests.fakes.accounts import NOW, an_account

ORGANIZATION = an_account()
MEMBER = "222222222222"
SINCE = datetime(2026, 9, 10, tzinfo=UTC)


def reasons(customer_sessions: FakeDoor, *members: str) -> dict[str, str]:
    listed = [Member(one, "A", "ACTIVE", SINCE, NOW) for one in members]
    return {
        one.member.account_id: one.reason
        for one in check_member_access(ORGANIZATION, listed, customer_sessions, NOW)
    }


def test_a_member_whose_role_proves_itself_is_reached() -> None:
    customer_sessions = FakeDoor(leads_into=MEMBER)
    assert reasons(customer_sessions, MEMBER) == {MEMBER: ""}
    assert None in customer_sessions.tried


def test_the_management_account_has_the_other_role() -> None:
    assert reasons(FakeDoor(), ORGANIZATION.account_id) == {}


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"exists": False}, "cannot be assumed"),
        ({"opens_without_id": True}, "external id"),
        ({"opens_to_any_id": True}, "external id"),
        ({"leads_into": "999999999999"}, "999999999999"),
        ({"policy": a_trust_policy(Principal={"AWS": "*"})}, "trust"),
        ({"policy": None}, "iam:GetRole"),
    ],
)
def test_a_role_that_is_not_there_or_open_is_not_reached(fault: dict[str, Any], said: str) -> None:
    found = reasons(FakeDoor(**({"leads_into": MEMBER} | fault)), MEMBER)
    assert said in found[MEMBER]


def test_a_member_is_entered_by_its_own_role_whatever_opens_the_management_account() -> None:
    key = KeyFacts("arn:aws:iam::111111111111:user/u", "ABCD", NOW, True, NOW)
    entered = as_entered(an_account(key=key, role_arn=None), MEMBER)
    assert entered.role_arn == f"arn:aws:iam::{MEMBER}:role/cloudspend-member"
    assert (entered.account_id, entered.key) == (MEMBER, None)
    assert entered.external_id == ORGANIZATION.external_id

"""The ledger, and how its door takes a bill."""

import json
from datetime import date
from decimal import Decimal

import pytest

from local.billing.ledger import LEDGER, door
from tests.unit.local_billing.a_bill import COLUMNS, MEMBER, OTHER, PAYER, post, row


def test_a_payer_sees_all_and_a_member_its_own() -> None:
    post([row(MEMBER, "1"), row(OTHER, "2")])
    assert len(LEDGER.visible_to(PAYER)) == 2
    assert [item.metrics["UnblendedCost"] for item in LEDGER.visible_to(MEMBER)] == [1]
    assert LEDGER.visible_to("999999999999") == []


def test_posting_a_period_again_replaces_it_and_no_other() -> None:
    post([row(MEMBER, "1")], period="2026-09")
    post([row(MEMBER, "1")])
    post([row(MEMBER, "5"), row(MEMBER, "6")])
    costs = {each["period"]: each["unblended_cost"] for each in LEDGER.summary()}
    assert costs == {"2026-09": "1", "2026-10": "11"}


def test_split_costs_are_not_counted_again() -> None:
    post([row(MEMBER, "1"), row(MEMBER, "1", operation="EKSPod-EC2")])
    assert sum(i.metrics["UnblendedCost"] for i in LEDGER.visible_to(PAYER)) == Decimal(1)


@pytest.mark.parametrize(
    ("usage", "booked"),
    [("2026-10-03T05:00:00Z", 3), ("2027-10-03 00:00:00+00:00", 31), ("2026-09-30T23:00:00Z", 1)],
)
def test_a_charge_is_booked_within_the_period_that_bills_it(usage: str, booked: int) -> None:
    post([row(MEMBER, "1", day=usage)])
    assert LEDGER.visible_to(PAYER)[0].day == date(2026, 10, booked)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"payer": "1111111111111"}, "account id"),
        ({"period": "2026-13"}, "billing period"),
        ({"columns": COLUMNS[1:]}, "bill/InvoiceId"),
        ({"rows": [row(MEMBER, "1"), row(MEMBER, "n/a")]}, "Row 2: lineItem/UnblendedCost"),
        ({"rows": [["short"]]}, "Row 1"),
    ],
)
def test_what_is_no_bill_is_refused_with_its_place(change: dict[str, object], said: str) -> None:
    bill = {"payer": PAYER, "period": "2026-10", "columns": COLUMNS, "rows": [row(MEMBER, "1")]}
    status, answer = door("PUT", json.dumps({**bill, **change}).encode())
    assert status == 400
    assert said in str(answer)


def test_the_door_takes_a_bill_and_lists_it() -> None:
    bill = {"payer": PAYER, "period": "2026-10", "columns": COLUMNS, "rows": [row(MEMBER, "1.5")]}
    assert door("PUT", json.dumps(bill).encode()) == (200, {"line_items": 1})
    status, listed = door("GET", b"")
    assert status == 200
    assert listed == [
        {"payer": PAYER, "period": "2026-10", "line_items": 1, "unblended_cost": "1.5"}
    ]
    assert door("DELETE", b"")[0] == 405


def test_an_account_that_pays_sees_nothing_of_anothers_bill() -> None:
    """An account belongs to one organization, even if another payer's rows name it."""
    post([row(MEMBER, "1")])
    post([row(PAYER, "5")], payer="888888888888")
    assert [item.metrics["UnblendedCost"] for item in LEDGER.visible_to(PAYER)] == [1]

"""`cloudspend accounts members`: who belongs to an organization, and who is reached."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from cloudspend import wiring
from cloudspend.accounts.model import AccountType, Member
from tests.fakes.access import FakeCustomerSessions, a_trust_policy
from tests.fakes.accounts import FakeAccounts
from tests.unit.cli.test_cli_commands import ACCOUNT, Cli, Operator, cli

__all__ = ["cli"]

ID, SHOP, LAB = ACCOUNT.account_id, "222222222222", "333333333333"
TRUST = a_trust_policy(Condition={"StringEquals": {"sts:ExternalId": ACCOUNT.external_id}})
SEEN = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)


@dataclass
class Desk(Operator):
    """An operator who can try doors as well."""

    customer_sessions: FakeCustomerSessions = field(
        default_factory=lambda: FakeCustomerSessions(SHOP, exists=False, policy=TRUST)
    )


@pytest.fixture(autouse=True)
def operator(monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(accounts=FakeAccounts(ACCOUNT))
    monkeypatch.setattr(wiring, "operator", lambda: made)
    monkeypatch.setenv("COLUMNS", "120")
    return made


@pytest.fixture
def members(operator: Desk) -> None:
    since, left = datetime(2026, 9, 10, tzinfo=UTC), datetime(2026, 10, 20, tzinfo=UTC)
    operator.accounts.put_members(
        ID,
        [
            Member(ID, "Payer", "ACTIVE", since, SEEN),
            Member(SHOP, "Shop", "SUSPENDED", since, SEEN),
            Member(LAB, "Lab", "ACTIVE", since, left, left),
        ],
    )


def test_members_are_listed_with_those_who_left(cli: Cli, members: None) -> None:
    rows = json.loads(cli("accounts", "members", ID, "-o", "json").out)
    assert rows[1:] == [
        {
            "account_id": SHOP,
            "name": "Shop",
            "status": "SUSPENDED",
            "since": "2026-09-10",
            "left": "",
            "seen": "2026-11-03 09:30 UTC",
        },
        {
            "account_id": LAB,
            "name": "Lab",
            "status": "ACTIVE",
            "since": "2026-09-10",
            "left": "2026-10-20",
            "seen": "2026-10-20 00:00 UTC",
        },
    ]


@pytest.mark.parametrize(
    ("period", "found"), [("2026-08", []), ("2026-10", [ID, SHOP, LAB]), ("2026-11", [ID, SHOP])]
)
def test_those_of_a_month_are_expected_in_its_bill(
    cli: Cli, members: None, period: str, found: list[str]
) -> None:
    answer = cli("accounts", "members", ID, "--period", period, "-o", "json")
    assert [row["account_id"] for row in json.loads(answer.out)] == found


def test_each_member_that_belongs_there_is_tried(cli: Cli, members: None, operator: Desk) -> None:
    [row] = json.loads(cli("accounts", "members", ID, "--reach", "-o", "json").out)
    assert (row["account_id"], row["reached"]) == (SHOP, "no")
    assert f"{SHOP}:role/cloudspend-member cannot be assumed" in row["reason"]
    operator.customer_sessions.exists = True
    [row] = json.loads(cli("accounts", "members", ID, "--reach", "-o", "json").out)
    assert (row["reached"], row["reason"]) == ("yes", "")


def test_nobody_is_known_before_the_first_list(cli: Cli) -> None:
    assert f"collect {ID} --source organization_accounts" in cli("accounts", "members", ID).out


def test_a_single_account_has_no_members(cli: Cli, operator: Desk) -> None:
    operator.accounts.save(ACCOUNT, replace(ACCOUNT, type=AccountType.LINKED))
    answer = cli("accounts", "members", ID)
    assert answer.code == 2
    assert "is of type LINKED" in answer.err


def test_a_connected_organization_s_own_stack_is_updated(cli: Cli) -> None:
    wanted = ("--member-stacks", "SERVICE_MANAGED", "--members-in", "r-ab12")
    stated = json.loads(cli("accounts", "members-link", ID, *wanted, "-o", "json").out)
    assert "#/stacks/update/template?" in stated["link"]
    assert (stated["MemberStacks"], stated["MembersIn"]) == ("SERVICE_MANAGED", "r-ab12")
    shown = cli("accounts", "members-link", ID, *wanted)
    assert stated["link"] in shown.out
    assert "Activate trusted access" in shown.err.replace("\n", " ")
    away = json.loads(
        cli("accounts", "members-link", ID, "--member-stacks", "NONE", "-o", "json").out
    )
    assert (away["MemberStacks"], away["MembersIn"]) == ("NONE", "")


def test_a_delegated_administrator_creates_a_stack_of_its_own(cli: Cli) -> None:
    wanted = ("--member-stacks", "DELEGATED_ADMIN", "--members-in", "ou-ab12-1234abcd")
    stated = json.loads(cli("accounts", "members-link", ID, *wanted, "-o", "json").out)
    assert set(stated) == {"account_id", "link"}
    assert "cloudspend-members.yaml" in stated["link"]
    assert "Token" not in stated["link"]
    assert cli("accounts", "members-link", ID, *wanted[:3], "222222222222").code == 2

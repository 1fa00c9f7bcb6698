"""A list of accounts: how it is read, everything that is wrong with it, and what is invited."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudspend.accounts.account_list import Entry, Problem, Sheet, read_sheet
from cloudspend.accounts.importing import COLUMNS, LISTS, check, import_accounts
from cloudspend.accounts.model import AccountState, AccountType, ExportKind
from cloudspend.accounts.ports import InvitationPorts
from cloudspend.alerts.event import Event
from cloudspend.errors import TransientError
from cloudspend.settings import Settings
from tests.fakes.accounts import ACT, NOW, FakeAccounts, an_account, known_regions
from tests.fakes.alerts import FakeBus

SETTINGS = Settings("000000000000", "us-east-1")
ONE, TWO, THREE = "111111111111", "222222222222", "333333333333"
CSV = """account_id,name,type,regions,contacts,billing_detail,notes
111111111111,Example Shop,linked,us-east-1; eu-west-1,a@example.com,yes,"Two
lines, and a comma"

222222222222,Example Bank,,,,,
"""
YAML = """
# comments may stand anywhere
- account_id: 011111111111
  name: Example Shop
  regions: [us-east-1, eu-west-1]
  start_date: 2026-01-01
  export_kind: FOCUS_1_2
  owner: null
- {account_id: 222222222222, name: Example Bank, type: LINKED, phone_home: no}
"""


def read(text: str, name: str = "list.csv") -> Sheet:
    return read_sheet(name, text, tuple(COLUMNS), LISTS)


def invitation_ports(
    registry: FakeAccounts | None = None, bus: FakeBus | None = None
) -> InvitationPorts:
    return InvitationPorts(registry or FakeAccounts(), bus or FakeBus(), SETTINGS, known_regions)


def problems(sheet: Sheet, registry: FakeAccounts | None = None) -> list[Problem]:
    return check(sheet, invitation_ports(registry), ACT)[1]


def imported(text: str, registry: FakeAccounts, **how: Any) -> list[tuple[str, str, bool]]:
    wanted, wrong = check(read(text), invitation_ports(registry), ACT, **how)
    assert wrong == []
    done = import_accounts(wanted, invitation_ports(registry), ACT, **how)
    return [(one.account.account_id, one.note.split(";")[0], bool(one.link)) for one in done]


def test_a_csv_table_is_read_with_its_lines() -> None:
    assert read(CSV) == Sheet(
        (
            Entry(
                2,
                {
                    "account_id": ONE,
                    "name": "Example Shop",
                    "type": "linked",
                    "regions": ("us-east-1", "eu-west-1"),
                    "contacts": ("a@example.com",),
                    "billing_detail": "yes",
                    "notes": "Two\nlines, and a comma",
                },
            ),
            Entry(5, {"account_id": TWO, "name": "Example Bank"}),
        )
    )
    assert read("\ufeff" + CSV) == read(CSV)


def test_a_yaml_list_is_read_as_text() -> None:
    first, second = read(YAML, "list.yml").entries
    assert first.line == 3
    assert first.said == {
        "account_id": "011111111111",
        "name": "Example Shop",
        "regions": ("us-east-1", "eu-west-1"),
        "start_date": "2026-01-01",
        "export_kind": "FOCUS_1_2",
    }
    assert second.said["phone_home"] == "no"
    assert problems(read(YAML, "list.yaml")) == []


@pytest.mark.parametrize(
    ("name", "text", "line", "field", "allowed"),
    [
        ("list.xlsx", "", 0, "file name", ".csv, .yaml or .yml"),
        ("list.csv", "", 0, "file", "at least one account"),
        ("list.csv", "account_id,name\n", 0, "file", "at least one account"),
        ("list.csv", "account_id,account_id\n1,2\n", 1, "header", "each column once"),
        ("list.csv", f"account_id,name,boss\n{ONE},A,B\n", 2, "boss", "a column of these"),
        ("list.csv", f"account_id,name\n{ONE},A,B\n", 2, "row", "2 cells"),
        ("list.csv", f'account_id,name\n{ONE},"A\n', 2, "row", "RFC 4180"),
        ("list.yaml", "a: [", 1, "file", "YAML"),
        ("list.yaml", f"account_id: {ONE}", 1, "file", "a list of accounts"),
        ("list.yaml", "- alone", 1, "account", "columns with their values"),
        ("list.yaml", f"- account_id: {ONE}\n  name: {{a: b}}", 2, "name", "a text or a list"),
        ("list.yaml", f"- account_id: {ONE}\n  account_id: 2\n  name: A", 2, "account_id", "once"),
        (
            "list.yaml",
            f"- account_id: {ONE}\n  name: [A, B]\n  type: LINKED",
            1,
            "name",
            "one text",
        ),
    ],
)
def test_a_wrong_form_is_pointed_at(
    name: str, text: str, line: int, field: str, allowed: str
) -> None:
    found = [one for one in problems(read(text, name)) if one.field == field]
    assert any(one.line == line and allowed in one.allowed for one in found)


@pytest.mark.parametrize(
    ("column", "value", "allowed"),
    [
        ("account_id", "12345", "exactly 12 digits"),
        ("name", "A" * 200, "printable"),
        ("type", "PAYER", "ORGANIZATION, LINKED"),
        ("partition", "aws-cn", "Deploy"),
        ("regions", "us-east-1;mars-1", "eu-west-1"),
        ("start_date", "yesterday", "YYYY-MM-DD"),
        ("retention_months", "12", "13, 36, 84"),
        ("export_kind", "CUR_3", "CUR_2_0"),
        ("export_setup", "NONE", "CREATE_ALL"),
        ("export_bucket", "A_B", "S3 bucket name"),
        ("export_prefix", "/a", "letters, digits"),
        ("export_name", "a b", "letters, digits"),
        ("billing_detail", "maybe", "yes or no"),
        ("tag_columns", "Team;?", "begin with aws:"),
        ("contacts", "not-an-address", "an e-mail address"),
        ("owner", "A" * 300, "printable characters"),
        ("cost_centre", "A" * 300, "printable characters"),
        ("freshness_hours", "soon", "hours"),
        ("notes", "A" * 3000, "printable characters"),
        ("connection", "PASSWORD", "IAM_ROLE, ACCESS_KEY"),
        ("phone_home", "ring", "yes or no"),
        ("member_stacks", "ALL", "SERVICE_MANAGED"),
        ("members_in", "ou-1", "--member-stacks"),
        ("move_coverage", "perhaps", "yes or no"),
    ],
)
def test_every_column_is_checked(column: str, value: str, allowed: str) -> None:
    said = {"account_id": ONE, "name": "A", column: value}
    text = ",".join(said) + "\n" + ",".join(said.values()) + "\n"
    (found,) = problems(read(text))
    assert (found.line, found.field) == (2, column)
    assert found.value
    assert allowed.lower() in found.allowed.lower()


def test_no_column_is_left_out_above() -> None:
    marks = test_every_column_is_checked.pytestmark  # type: ignore[attr-defined]
    tried = {values[0] for values in marks[0].args[1]}
    assert tried == set(COLUMNS)


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_written() -> None:
    text = (
        "account_id,name,type,start_date\n"
        f"{ONE},Shop,PAYER,soon\n"
        f"{TWO},SHOP,,\n"
        f"{ONE},Other,,\n"
        "333,,,\n"
        f"{THREE},Bank,,\n"
    )
    registry = FakeAccounts(an_account("444444444444", display_name="bank"))
    bus = FakeBus()
    _, found = check(read(text), invitation_ports(registry, bus), ACT)
    assert [(one.line, one.field) for one in found] == [
        (2, "start_date"),
        (2, "type"),
        (3, "name"),
        (4, "account_id"),
        (5, "account_id"),
        (5, "name"),
        (6, "name"),
    ]
    assert "line 2" in found[2].allowed
    assert "444444444444" in found[6].allowed
    assert [account.account_id for account in registry.list()] == ["444444444444"]
    assert bus.events == []


def test_fields_that_do_not_go_together() -> None:
    text = f"account_id,name,export_kind,billing_detail\n{ONE},A,FOCUS_1_2,yes\n"
    (found,) = problems(read(text))
    assert found.field == "billing_detail"


def test_what_is_said_is_what_is_recorded() -> None:
    registry = FakeAccounts()
    wanted, _ = check(read(YAML, "a.yaml"), invitation_ports(registry), ACT)
    done = list(import_accounts(wanted, invitation_ports(registry), ACT))
    assert [one.link.startswith("https://") for one in done] == [True, True]
    first, second = registry.get("011111111111"), registry.get(TWO)
    assert first.export.kind is ExportKind.FOCUS_1_2
    assert (first.regions, str(first.start_date)) == (("us-east-1", "eu-west-1"), "2026-01-01")
    assert second.type is AccountType.LINKED
    assert "RegistrationToken" in done[0].link
    assert "RegistrationToken" not in done[1].link


LIST = f"account_id,name\n{ONE},Shop\n{TWO},Bank\n{THREE},Farm\n"


def test_an_interrupted_import_goes_on_where_it_was() -> None:
    registry, bus = FakeAccounts(), FakeBus()
    wanted, _ = check(read(LIST), invitation_ports(registry), ACT)
    going = import_accounts(wanted, invitation_ports(registry, bus), ACT)
    assert next(going).account.account_id == ONE
    bus.broken = True
    with pytest.raises(TransientError):
        next(going)
    before = registry.get(ONE)
    assert imported(LIST, registry) == [
        (ONE, "invited already", False),
        (TWO, "invited already", False),
        (THREE, "invited", True),
    ]
    assert registry.get(ONE) == before
    assert [one[2] for one in imported(LIST, registry)] == [False, False, False]


def test_again_makes_links_that_were_lost() -> None:
    registry = FakeAccounts()
    imported(LIST, registry)
    before = registry.get(ONE)
    assert [one[2] for one in imported(LIST, registry, again=True)] == [True, True, True]
    assert registry.get(ONE).token_sha256 != before.token_sha256
    assert registry.get(ONE).external_id == before.external_id


@pytest.mark.parametrize("state", AccountState)
def test_an_account_that_has_gone_on_is_left_as_it_is(state: AccountState) -> None:
    account = an_account(ONE, state=state, display_name="Shop")
    registry = FakeAccounts(account)
    assert imported(LIST, registry)[0] == (ONE, f"{state} already", False)
    assert registry.get(ONE) == account


def test_an_invitation_that_has_expired_is_made_again() -> None:
    expired = an_account(ONE, display_name="Shop", expires_at=NOW - timedelta(days=1))
    registry = FakeAccounts(expired)
    assert imported(LIST, registry)[0] == (ONE, "invited", True)
    assert registry.get(ONE).expires_at > NOW


def test_an_account_of_the_list_may_keep_its_own_name_without_saying_it() -> None:
    registry = FakeAccounts(an_account(ONE, display_name="Shop"))
    text = f"account_id,name\n{ONE},shop\n{TWO},Bank\n"
    assert problems(read(text), registry) == []
    assert problems(read(f"account_id\n{ONE}\n"), registry) == []
    (found,) = problems(read(f"account_id\n{TWO}\n"), registry)
    assert (found.field, found.allowed) == ("name", "a display name: the account is new")


@given(st.text(max_size=200), st.sampled_from(["a.csv", "a.yaml"]))
def test_no_text_is_too_odd_to_be_judged(text: str, name: str) -> None:
    wanted, wrong = check(read(text, name), invitation_ports(), ACT)
    assert wrong or wanted
    assert all(one.allowed for one in wrong)


class SilentBus:
    """Counts only: to hold hundreds of events against their schemas takes seconds."""

    stated = 0

    def put(self, event: Event) -> None:  # noqa: ARG002 - the port's signature
        self.stated += 1


def test_hundreds_are_checked_and_invited_in_a_moment() -> None:
    rows = [f"{number:012d},Customer {number}" for number in range(1, 301)]
    registry, bus = FakeAccounts(), SilentBus()
    at = InvitationPorts(registry, bus, SETTINGS, known_regions)
    wanted, wrong = check(read("account_id,name\n" + "\n".join(rows)), at, ACT)
    assert wrong == []
    assert len({one.link for one in import_accounts(wanted, at, ACT)}) == 300
    assert {account.state for account in registry.list()} == {AccountState.INVITED}
    assert bus.stated == 600

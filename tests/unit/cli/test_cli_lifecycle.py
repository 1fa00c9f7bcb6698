"""`cloudspend accounts update|verify|suspend|resume|history`: what each prints and does."""

import csv
import io
import json
from dataclasses import dataclass, field

import pytest

from cloudspend import wiring
from cloudspend.accounts.model import AccountState
from tests.fakes.accounts import FakeAccounts, FakeOnboarding
from tests.unit.cli.test_cli_commands import ACCOUNT, Cli, Operator, cli

__all__ = ["cli"]

ID = ACCOUNT.account_id


@dataclass
class Desk(Operator):
    """An operator who can also have accounts verified."""

    onboarding: FakeOnboarding = field(default_factory=FakeOnboarding)


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(accounts=FakeAccounts(ACCOUNT))
    monkeypatch.setattr(wiring, "operator", lambda: made)
    monkeypatch.setenv("COLUMNS", "120")
    return made


def state(operator: Desk) -> str:
    return str(operator.accounts.get(ID).state)


def test_an_update_says_what_changed_and_show_has_it(cli: Cli) -> None:
    changed = ("--owner", "Finance", "--contact", "it@example.com", "--retention-months", "keep")
    answer = cli("accounts", "update", ID, *changed, "-o", "json")
    assert answer.code == 0
    assert json.loads(answer.out)["changed"] == (
        "retention months: 36 became keep; contacts: nothing became it@example.com; "
        "owner: nothing became Finance"
    )
    shown = json.loads(cli("accounts", "show", ID, "-o", "json").out)
    assert (shown["owner"], shown["contacts"]) == ("Finance", ["it@example.com"])
    assert shown["retention_months"] is None
    assert "is so already" in cli("accounts", "update", ID, "--owner", "Finance").out


def test_an_invitation_takes_every_field(cli: Cli, operator: Desk) -> None:
    other = ("222222222222", "--name", "Other", "--partition", "aws", "--region", "eu-west-1")
    said = ("--owner", "Finance", "--cost-centre", "4711", "--notes", "Call first.")
    assert cli("accounts", "invite", *other, *said, "--contact", "it@example.com").code == 0
    account = operator.accounts.get("222222222222")
    assert (account.owner, account.cost_centre, account.notes) == ("Finance", "4711", "Call first.")
    assert (account.contacts, account.regions) == (("it@example.com",), ("eu-west-1",))


def test_inviting_again_keeps_what_is_not_said_anew(cli: Cli, operator: Desk) -> None:
    first = ("--name", "Other", "--export-kind", "FOCUS_1_2", "--owner", "Finance")
    assert cli("accounts", "invite", "222222222222", *first).code == 0
    before = operator.accounts.get("222222222222")
    assert cli("accounts", "invite", "222222222222", "--cost-centre", "4711").code == 0
    after = operator.accounts.get("222222222222")
    assert (after.display_name, after.owner, after.cost_centre) == ("Other", "Finance", "4711")
    assert (after.export, after.external_id) == (before.export, before.external_id)
    assert after.token_sha256 != before.token_sha256


def test_verify_starts_onboard(cli: Cli, operator: Desk) -> None:
    answer = cli("accounts", "verify", ID)
    assert (answer.code, state(operator)) == (0, "verifying")
    assert "accounts show" in answer.err
    assert list(operator.onboarding.started.values()) == [ID]


def test_an_account_rests_and_wakes(cli: Cli, operator: Desk) -> None:
    assert cli("accounts", "suspend", ID, "--reason", "The contract rests.").code == 0
    assert state(operator) == "suspended"
    refused = cli("ingest", ID)
    assert (refused.code, "not active" in refused.err) == (2, True)
    assert cli("accounts", "verify", ID).code == 2
    assert cli("accounts", "resume", ID).code == 0
    assert state(operator) == "connected"
    assert list(operator.onboarding.started.values()) == [ID]
    assert cli("accounts", "resume", ID).code == 2


def test_nobody_suspends_without_a_reason(cli: Cli, operator: Desk) -> None:
    assert "--reason" in cli("accounts", "suspend", ID).err
    assert cli("accounts", "suspend", ID, "--reason", " ").code == 2
    assert operator.accounts.get(ID) == ACCOUNT


def test_the_history_says_who_when_and_why(cli: Cli, operator: Desk) -> None:
    assert "Nothing is written down" in cli("accounts", "history", ID).out
    cli("accounts", "suspend", ID, "--reason", "The contract rests.")
    cli("accounts", "resume", ID)
    steps = list(csv.DictReader(io.StringIO(cli("accounts", "history", ID, "-o", "csv").out)))
    assert [(step["before"], step["after"], step["reason"]) for step in steps] == [
        ("active", "suspended", "The contract rests."),
        ("suspended", "connected", ""),
    ]
    assert {step["by"] for step in steps} == {operator.caller}
    assert "The contract rests." in cli("accounts", "history", ID).out


@pytest.mark.parametrize("command", ["update", "verify", "suspend", "resume", "history"])
def test_an_unknown_account_is_a_sentence(cli: Cli, command: str) -> None:
    more = ("--reason", "Why.") if command == "suspend" else ()
    answer = cli("accounts", command, "999999999999", *more)
    assert answer.code == 2
    assert "999999999999" in answer.err
    assert AccountState.ACTIVE not in answer.out

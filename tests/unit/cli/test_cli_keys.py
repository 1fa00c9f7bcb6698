"""`cloudspend accounts connect-key|rotate-key|key-policy|move-to-role`: what each prints and does,
and that nothing of a key is in it."""

import io
import json
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from cloudspend import wiring
from cloudspend.access.connect_key import AccessKeyPorts
from cloudspend.access.keys import MAX_FILE, AccessKey
from cloudspend.access.ports import CURRENT, PREVIOUS, ExcessPermissions
from cloudspend.accounts.model import Account, AccountState, KeyFacts
from tests.fakes.access import FakeKeyInspector, FakeKeyStore, denied
from tests.fakes.accounts import FakeAccounts, FakeOnboarding
from tests.unit.access.test_access_keys import FORMATS, ID, KEY, SECRET
from tests.unit.cli.test_cli_commands import ACCOUNT, NOW, Answer, Cli, Operator, cli

__all__ = ["cli"]

ACCOUNT_ID = ACCOUNT.account_id
INVITED = replace(ACCOUNT, state=AccountState.INVITED, token_sha256="f" * 64)
OLD = AccessKey("AKIA" + "Z" * 16, "y" * 40)
BY_KEY = replace(
    ACCOUNT,
    key=KeyFacts(f"arn:aws:iam::{ACCOUNT_ID}:user/cloudspend", OLD.ending, NOW, True, NOW),
)


@dataclass
class Office(Operator):
    """An operator who takes keys in."""

    onboarding: FakeOnboarding = field(default_factory=FakeOnboarding)
    key_store: FakeKeyStore = field(default_factory=FakeKeyStore)
    gate: FakeKeyInspector = field(default_factory=FakeKeyInspector)

    @property
    def keys(self) -> AccessKeyPorts:
        return AccessKeyPorts(self.accounts, self.key_store, self.gate, self.bus)


@dataclass(frozen=True)
class Given:
    """The account that an operator works on, and how its commands are called."""

    operator: Office
    cli: Cli
    monkeypatch: pytest.MonkeyPatch

    def piped(self, text: str, *arguments: str) -> Answer:
        """Call a command with `text` on its standard input."""
        self.monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        return self.cli(*arguments)

    def have(self, account: Account) -> None:
        self.operator.accounts = FakeAccounts(account)

    @property
    def account(self) -> Account:
        return self.operator.accounts.get(ACCOUNT_ID)

    @property
    def everything(self) -> str:
        """All that the platform keeps outside the vault, and all that it said."""
        return repr((self.account, self.operator.accounts.checks(ACCOUNT_ID))) + repr(
            (self.operator.bus.events, self.operator.onboarding.started)
        )


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Office:
    made = Office(accounts=FakeAccounts(INVITED))
    monkeypatch.setattr(wiring, "operator", lambda: made)
    monkeypatch.setenv("COLUMNS", "120")
    return made


@pytest.fixture
def given(operator: Office, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Given:
    return Given(operator, cli, monkeypatch)


CONNECT = ("accounts", "connect-key", ACCOUNT_ID, "--from-file")
ROTATE = ("accounts", "rotate-key", ACCOUNT_ID, "--from-file")


def silent(answer: Answer, *more: str) -> None:
    """Nothing of the key but its last letters is in what was printed."""
    for text in (answer.out, answer.err, *more):
        assert SECRET not in text
        assert ID not in text


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("output", ["table", "json", "csv"])
def test_a_key_is_taken_from_standard_input_and_shown_nowhere(
    given: Given, form: str, output: str
) -> None:
    answer = given.piped(FORMATS[form], *CONNECT, "-", "-o", output)
    assert answer.code == 0
    silent(answer, given.everything)
    assert given.operator.key_store.read(ACCOUNT_ID, CURRENT) == KEY
    assert list(given.operator.onboarding.started.values()) == [ACCOUNT_ID]


def test_a_key_is_taken_from_a_file_and_told_by_its_ending(given: Given, tmp_path: Path) -> None:
    file = tmp_path / "key.csv"
    file.write_text(FORMATS["the console's file"], encoding="utf-8")
    answer = given.cli(*CONNECT, str(file), "-o", "json")
    assert answer.code == 0
    shown: dict[str, Any] = json.loads(answer.out)
    assert (shown["state"], shown["connection"]) == ("connected", "ACCESS_KEY")
    assert shown["key_ending"] == KEY.ending
    assert shown["key_of"] == f"arn:aws:iam::{ACCOUNT_ID}:user/cloudspend"
    assert {check["status"] for check in shown["checks"]} == {"passed"}
    silent(answer)


KMS = "arn:aws:kms:us-east-1:111111111111:key/0a1b2c3d"


def test_a_key_of_the_customer_s_for_the_bill_is_in_the_policy_and_tried(given: Given) -> None:
    policy = ("accounts", "key-policy", ACCOUNT_ID)
    [decrypt] = [
        one
        for one in json.loads(given.cli(*policy, "--kms-key", KMS).out)["Statement"]
        if one["Action"] == ["kms:Decrypt"]
    ]
    assert decrypt["Resource"] == KMS
    assert "kms:" not in given.cli(*policy).out
    answer = given.piped(KEY.to_text(), *CONNECT, "-", "--kms-key", KMS, "-o", "json")
    assert answer.code == 0
    assert "kms:Decrypt" in {check["check"] for check in json.loads(answer.out)["checks"]}
    assert given.account.kms_key_arn == KMS
    assert KMS in given.cli(*policy).out


@pytest.mark.parametrize("command", ["connect-key", "key-policy"])
def test_what_is_no_kms_key_is_refused_and_nothing_is_kept(given: Given, command: str) -> None:
    source = ("--from-file", "-") if command == "connect-key" else ()
    answer = given.piped(
        KEY.to_text(), "accounts", command, ACCOUNT_ID, *source, "--kms-key", "alias/bill"
    )
    assert answer.code == 2
    assert "KMS key 'alias/bill' is not allowed" in answer.err
    assert (given.account, given.operator.key_store.kept) == (INVITED, {})


@pytest.mark.parametrize("command", [CONNECT, ROTATE])
@pytest.mark.parametrize(
    "name",
    [SECRET.replace("/", "_"), f"{ID}.csv", f"{KEY.id} {KEY.secret}", "bad\0name", "x" * 300],
)
def test_a_file_that_cannot_be_read_is_not_repeated(
    given: Given, command: tuple[str, ...], name: str
) -> None:
    answer = given.cli(*command, name)
    assert answer.code == 2
    assert name not in answer.err
    silent(answer)
    assert "--from-file" in answer.err
    assert "standard input" in answer.err
    assert given.account == INVITED


@pytest.mark.parametrize(
    "content",
    [
        f"{ID} {SECRET} and more".encode(),
        f"{SECRET}\n{ID}".encode(),
        f"{ID}\n{SECRET}".encode("utf-16"),
        (f"{ID}\n{SECRET}" + " " * MAX_FILE).encode(),
        b"",
    ],
)
def test_a_content_that_is_no_key_is_not_repeated(
    given: Given, content: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    answer = given.cli(*CONNECT, str(file))
    assert answer.code == 2
    silent(answer, given.everything)
    assert (given.account, given.operator.key_store.kept) == (INVITED, {})


@pytest.mark.parametrize("command", ["connect-key", "rotate-key"])
def test_a_key_is_no_argument(given: Given, command: str) -> None:
    assert given.cli("accounts", command, ACCOUNT_ID).code == 2
    assert given.cli("accounts", command, ACCOUNT_ID, ID, SECRET).code == 2
    for variable in ("AWS_SECRET_ACCESS_KEY", "CLOUDSPEND_FROM_FILE"):
        given.monkeypatch.setenv(variable, SECRET)
    assert given.cli("accounts", command, ACCOUNT_ID).code == 2
    assert given.operator.key_store.kept == {}


def test_a_key_that_may_too_much_is_a_warning(given: Given) -> None:
    given.operator.gate.beyond = ExcessPermissions(("s3:DeleteObject",), complete=True)
    answer = given.piped(KEY.to_text(), *CONNECT, "-")
    assert answer.code == 0
    assert "s3:DeleteObject" in " ".join(answer.err.split())
    assert answer.err.startswith("Warning: ")
    silent(answer)


@pytest.mark.parametrize(
    ("gate", "says"),
    [
        (FakeKeyInspector(account_id="222222222222"), "belongs to the account 222222222222"),
        (FakeKeyInspector(owner="root"), "root user"),
        (FakeKeyInspector(known=False), "does not accept the key"),
        (FakeKeyInspector(inside=denied("s3:GetObject")), "s3:GetObject"),
    ],
)
def test_a_refused_key_is_a_failure_with_its_remedy(
    given: Given, gate: FakeKeyInspector, says: str
) -> None:
    given.operator.gate = gate
    answer = given.piped(KEY.to_text(), *CONNECT, "-")
    assert answer.code != 0
    assert says in " ".join(answer.err.split())
    silent(answer)
    assert (given.account, given.operator.key_store.kept) == (INVITED, {})


def test_a_rotated_key_takes_the_old_one_s_place(given: Given) -> None:
    given.have(BY_KEY)
    given.operator.key_store.put(ACCOUNT_ID, OLD)
    answer = given.piped(KEY.to_text(), *ROTATE, "-", "-o", "json")
    assert answer.code == 0
    assert json.loads(answer.out)["key_ending"] == KEY.ending
    key_store = given.operator.key_store
    assert (key_store.read(ACCOUNT_ID, CURRENT), key_store.read(ACCOUNT_ID, PREVIOUS)) == (KEY, OLD)
    assert given.account.state is AccountState.ACTIVE
    silent(answer, given.everything)


def test_a_key_that_cannot_do_all_does_not_take_the_old_one_s_place(given: Given) -> None:
    given.have(BY_KEY)
    given.operator.key_store.put(ACCOUNT_ID, OLD)
    given.operator.gate.inside = denied("ce:GetCostAndUsage")
    assert given.piped(KEY.to_text(), *ROTATE, "-").code != 0
    assert given.operator.key_store.read(ACCOUNT_ID, CURRENT) == OLD
    assert given.account == BY_KEY


def test_an_account_without_a_key_has_none_to_rotate(given: Given) -> None:
    given.have(ACCOUNT)
    answer = given.piped(KEY.to_text(), *ROTATE, "-")
    assert answer.code == 2
    assert "connect-key" in answer.err


def test_the_policy_is_json_for_the_account_s_own_export(given: Given) -> None:
    answer = given.cli("accounts", "key-policy", ACCOUNT_ID)
    assert answer.code == 0
    policy = json.loads(answer.out)
    [reading] = [one for one in policy["Statement"] if one["Sid"] == "ReadTheBill"]
    assert reading["Resource"] == "arn:aws:s3:::bucket/prefix/*"


@pytest.mark.parametrize("output", ["table", "json"])
def test_the_way_to_a_role_is_a_link_and_the_key_serves_meanwhile(
    given: Given, output: str
) -> None:
    given.have(BY_KEY)
    given.operator.key_store.put(ACCOUNT_ID, OLD)
    answer = given.cli("accounts", "move-to-role", ACCOUNT_ID, "-o", output)
    assert answer.code == 0
    assert "https://" in answer.out
    assert "quickcreate" in answer.out
    assert (given.account.state, given.account.key) == (AccountState.ACTIVE, BY_KEY.key)
    assert given.operator.key_store.read(ACCOUNT_ID, CURRENT) == OLD

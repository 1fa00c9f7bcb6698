"""The command line with faked adapters: what it prints, and the exit codes that scripts use."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from cloudspend import wiring
from cloudspend.accounts.model import (
    Account,
    AccountState,
    AccountType,
    Check,
    CheckStatus,
    Export,
    ExportKind,
)
from cloudspend.accounts.ports import InvitationPorts
from cloudspend.cli import main
from cloudspend.errors import Defect, UsageError
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import PublishedPeriod, Totals, Verdict
from cloudspend.lake.ports import QueryResult
from cloudspend.settings import Settings
from tests.fakes.accounts import FakeAccounts, known_regions
from tests.fakes.alerts import FakeBus
from tests.fakes.exports import FakeCustomerBucket, legacy_manifest
from tests.fakes.lake import FakeExecutions, FakeGenerations

NOW = datetime(2026, 11, 3, 4, 5, 6, tzinfo=UTC)
ACCOUNT = Account(
    account_id="111111111111",
    display_name="Example Shop",
    type=AccountType.ORGANIZATION,
    regions=("us-east-1",),
    start_date=date(2026, 9, 1),
    retention_months=36,
    export=Export(ExportKind.CUR_LEGACY, "bucket", "prefix", "name"),
    external_id="external",
    state=AccountState.ACTIVE,
    invited_at=NOW,
    expires_at=NOW,
)
PERIOD = PublishedPeriod(
    account_id=ACCOUNT.account_id,
    period=BillingPeriod(2026, 10),
    generation="20261103T041500Z-1f3a9c2b",
    published_at=NOW,
    totals=Totals(8184, Decimal("696.3564"), Decimal("775.96"), "USD", Decimal("801.5")),
    verdict=Verdict.DISPUTED,
    verdict_reason="0.12 USD are missing in AmazonS3.",
    residual=Decimal("0.12"),
)


class AnsweringQueries:
    """Answers every statement with one row, or with an error."""

    error: Exception | None = None

    def query(self, sql: str) -> QueryResult:
        if self.error:
            raise self.error
        return QueryResult(("service", "cost"), ("varchar", "double"), ((sql, None),), 2048)


@dataclass
class Operator:
    """What `wiring.operator()` gives, made of fakes."""

    accounts: FakeAccounts = field(default_factory=FakeAccounts)
    generations: FakeGenerations = field(default_factory=FakeGenerations)
    executions: FakeExecutions = field(default_factory=FakeExecutions)
    queries: AnsweringQueries = field(default_factory=AnsweringQueries)
    bus: FakeBus = field(default_factory=FakeBus)
    settings: Settings = field(default_factory=lambda: Settings("000000000000", "us-east-1"))
    objects: FakeCustomerBucket = field(default_factory=FakeCustomerBucket)
    caller: str = "arn:aws:sts::000000000000:assumed-role/operator/somebody"

    @property
    def invitation_ports(self) -> InvitationPorts:
        return InvitationPorts(self.accounts, self.bus, self.settings, known_regions)

    def customer_bucket(self, _account: Account) -> FakeCustomerBucket:
        return self.objects


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


Cli = Callable[..., Answer]


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Operator:
    made = Operator(accounts=FakeAccounts(ACCOUNT))
    monkeypatch.setattr(wiring, "operator", lambda: made)
    monkeypatch.setenv("COLUMNS", "120")
    return made


@pytest.fixture
def cli(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Cli:
    def call(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["cloudspend", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.run()
        stated = capsys.readouterr()
        return Answer(int(ended.value.code or 0), stated.out, stated.err)

    return call


def test_accounts_as_table_json_and_csv(cli: Cli) -> None:
    assert "Example Shop" in cli("accounts", "list").out
    assert json.loads(cli("accounts", "list", "-o", "json").out)[0]["state"] == "active"
    rows = list(csv.DictReader(io.StringIO(cli("accounts", "list", "-o", "csv").out)))
    assert [row["account_id"] for row in rows] == ["111111111111"]


def test_an_empty_list_is_a_sentence_for_people_and_empty_for_scripts(
    cli: Cli, operator: Operator
) -> None:
    operator.accounts = FakeAccounts()
    assert "accounts invite" in cli("accounts", "list").out
    assert json.loads(cli("accounts", "list", "-o", "json").out) == []
    assert cli("accounts", "list", "-o", "csv").out.count("\n") == 1


def test_an_account_is_shown_with_each_check(cli: Cli, operator: Operator) -> None:
    operator.accounts.put_check(
        ACCOUNT.account_id,
        Check("s3:GetObject", "s3:GetObject", CheckStatus.DENIED, "No.", "Grant it.", NOW),
    )
    shown = json.loads(cli("accounts", "show", ACCOUNT.account_id, "-o", "json").out)
    assert shown["checks"][0]["remedy"] == "Grant it."
    assert "s3:GetObject" in cli("accounts", "show", ACCOUNT.account_id).out


def test_an_invitation_prints_its_link_whole(cli: Cli) -> None:
    answer = cli("accounts", "invite", "222222222222", "--name", "Other", "--type", "LINKED")
    assert answer.code == 0
    link = answer.out.splitlines()[-1]
    assert link.startswith("https://us-east-1.console.aws.amazon.com/cloudformation/")
    assert "param_RegistrationToken=" in link
    assert len(link) > 300


def test_an_invitation_for_a_key_says_what_follows_and_prints_no_link_that_makes_nothing(
    cli: Cli,
) -> None:
    asked = ("accounts", "invite", "222222222222", "--name", "Other", "--connection", "ACCESS_KEY")
    made = cli(*asked)
    assert made.code == 0
    assert "stackName=cloudspend-export" in made.out.splitlines()[-1]
    assert "buckets and exports of cost" in made.err
    again = cli(*asked, "--export-setup", "USE_EXISTING")
    assert again.code == 0
    assert "https://" not in again.out + again.err
    for answer in (made, again):
        assert "cloudspend accounts key-policy 222222222222" in answer.err
        assert "cloudspend accounts connect-key 222222222222" in answer.err


@pytest.mark.parametrize(
    ("arguments", "stated"),
    [
        (("accounts", "invite", "12", "--name", "x"), "'12' is not allowed"),
        (("accounts", "show", "999999999999"), "999999999999"),
        (("periods", "999999999999"), "999999999999"),
        (("ingest", ACCOUNT.account_id, "--period", "2026-13"), "'2026-13' is not a billing"),
        (("query", " ; "), "no statement"),
        (("accounts", "list", "--output", "xml"), "xml"),
        (("nothing",), "nothing"),
    ],
)
def test_wrong_usage_is_a_sentence_and_exit_code_2(
    cli: Cli, arguments: tuple[str, ...], stated: str
) -> None:
    answer = cli(*arguments)
    assert answer.code == 2
    assert stated in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("error", "code"), [(UsageError("Wrong.", remedy="Do this."), 2), (Defect("Broken."), 1)]
)
def test_errors_become_sentences(cli: Cli, operator: Operator, error: Exception, code: int) -> None:
    operator.queries.error = error
    answer = cli("query", "SELECT 1")
    assert answer.code == code
    assert answer.err.startswith("cloudspend: ")
    assert "{" not in answer.err


def test_an_sdk_error_is_a_sentence_and_exit_code_1(cli: Cli, operator: Operator) -> None:
    operator.queries.error = wiring.AWS_ERRORS[0]()
    answer = cli("query", "SELECT 1")
    assert answer.code == 1
    assert "AWS_ENDPOINT_URL" in answer.err


def test_periods_say_why(cli: Cli, operator: Operator) -> None:
    assert operator.generations.advance(PERIOD, None)
    table = cli("periods", ACCOUNT.account_id)
    assert "disputed" in table.out
    assert "696.36" in table.out
    assert "0.12 USD are missing" in table.err
    found = json.loads(cli("periods", ACCOUNT.account_id, "-o", "json").out)
    assert found[0]["reason"] == PERIOD.verdict_reason
    assert found[0]["generation"] == PERIOD.generation


def test_a_query_answers_in_each_form(cli: Cli) -> None:
    answer = cli("query", "SELECT 1", "-o", "json")
    assert json.loads(answer.out) == [{"service": "SELECT 1", "cost": None}]
    assert cli("query", "SELECT 1", "-o", "csv").out == "service,cost\nSELECT 1,\n"
    assert "2 KB scanned" in cli("query", "SELECT 1").err


def test_every_command_teaches(cli: Cli) -> None:
    for command in (["accounts"], ["accounts", "invite"], ["periods"], ["ingest"], ["query"]):
        answer = cli(*command, "--help")
        assert answer.code == 0
        assert len(answer.out.splitlines()) > 5


def test_an_account_that_is_not_active_cannot_be_ingested(cli: Cli, operator: Operator) -> None:
    operator.accounts = FakeAccounts(replace(ACCOUNT, state=AccountState.INVITED))
    operator.__dict__["customer_bucket"] = lambda _account: pytest.fail("nothing may be read")
    answer = cli("ingest", ACCOUNT.account_id)
    assert answer.code == 2
    assert "not active" in answer.err


def test_the_fixture_is_typed_like_the_wiring() -> None:
    """A fake operator that lacks a part of the real one would test nothing."""
    names: set[str] = {*Operator.__dataclass_fields__}
    real: Any = wiring.Platform
    assert names - {"settings", "objects", "caller"} <= set(dir(real))


def deliver(operator: Operator, *months: int, body: bytes = b"") -> None:
    for month in months:
        span = f"2026{month:02d}01-2026{month + 1:02d}01"
        file = f"prefix/name/{span}/an-id/name-1.csv.gz"
        manifest = body or legacy_manifest("an-id", span[:8], [file], bucket="bucket")
        operator.objects.put("bucket", f"prefix/name/{span}/name-Manifest.json", manifest)


def test_ingest_takes_all_in_few_at_once_and_newest_first(
    cli: Cli, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(operator, 9, 10, 11)
    most = 0

    def end_all(_seconds: float) -> None:
        nonlocal most
        names = operator.executions.payloads
        running = [name for name in names if operator.executions.status(name) == "RUNNING"]
        most = max(most, len(running))
        for name in running:
            operator.executions.end(name, "SUCCEEDED")

    monkeypatch.setattr("time.sleep", end_all)
    answer = cli("ingest", ACCOUNT.account_id, "--at-once", "2", "-o", "json")
    assert answer.code == 0
    assert [(row["period"], row["outcome"]) for row in json.loads(answer.out)] == [
        ("2026-11", "succeeded"),
        ("2026-10", "succeeded"),
        ("2026-09", "succeeded"),
    ]
    assert most == 2


def test_ingest_without_waiting_says_what_waits(cli: Cli, operator: Operator) -> None:
    deliver(operator, 9, 10)
    answer = cli("ingest", ACCOUNT.account_id, "--no-wait", "--at-once", "1", "-o", "json")
    assert answer.code == 0
    assert [row["outcome"] for row in json.loads(answer.out)] == ["running", "waiting"]
    assert "1 wait" in answer.err


def test_ingest_says_which_period_cannot_be_read_and_why(cli: Cli, operator: Operator) -> None:
    deliver(operator, 10)
    deliver(operator, 9, body=b"{")
    answer = cli("ingest", ACCOUNT.account_id, "--no-wait", "-o", "json")
    assert answer.code == 1
    running, unreadable = json.loads(answer.out)
    assert (running["period"], running["outcome"]) == ("2026-10", "running")
    assert (unreadable["period"], unreadable["outcome"]) == ("2026-09", "unreadable")
    assert "20260901-20261001/name-Manifest.json is not JSON" in unreadable["reason"]


def test_an_old_template_is_shown_with_its_update_link(cli: Cli, operator: Operator) -> None:
    old = replace(ACCOUNT, template_version="1", role_arn="arn:aws:iam::1:role/x", state_reason="")
    operator.accounts = FakeAccounts(old)
    shown = json.loads(cli("accounts", "show", "111111111111", "-o", "json").out)
    assert "/stacks/update/template?" in shown["update_link"]
    listed = json.loads(cli("accounts", "list", "-o", "json").out)
    assert "version 1" in listed[0]["reason"]


def test_no_command_but_convert_waits_for_numpy_and_arrow() -> None:
    """They take longer to import than everything else that a command needs."""
    code = (
        "import sys, cloudspend.cli.main; print({'numpy', 'pyarrow', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"

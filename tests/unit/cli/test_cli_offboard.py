"""`cloudspend accounts offboard|proof`: what is asked, what is begun, and what the proof shows."""

import csv
import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from cloudspend import wiring
from cloudspend.offboarding.model import Data, Found, Report
from tests.fakes.accounts import FakeAccounts
from tests.fakes.lake import FakeExecutions, FakeLake
from tests.unit.cli.test_cli_commands import ACCOUNT, Cli, Operator, cli

__all__ = ["cli"]

ID = ACCOUNT.account_id
WHY = ("--reason", "The contract ended.")


@dataclass
class Desk(Operator):
    """An operator who can also let accounts go."""

    offboardings: FakeExecutions = field(default_factory=FakeExecutions)
    lake: FakeLake = field(default_factory=FakeLake)


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(accounts=FakeAccounts(ACCOUNT))
    monkeypatch.setattr(wiring, "operator", lambda: made)
    monkeypatch.setenv("COLUMNS", "120")
    return made


def test_offboarding_is_begun_and_the_customer_s_part_is_said(cli: Cli, operator: Desk) -> None:
    answer = cli("accounts", "offboard", ID, "--data", "delete", *WHY, "--confirm", ID)
    assert answer.code == 0
    assert "delete the CloudFormation stack" in answer.err + answer.out
    assert operator.accounts.get(ID).state == "offboarding"
    [payload] = operator.offboardings.payloads.values()
    assert (payload["account_id"], payload["data"]) == (ID, "delete")
    assert payload["report_key"] in answer.out.replace("\n", "").replace(" ", "")


def test_the_id_is_asked_for_where_it_is_not_given(
    cli: Cli, operator: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = iter([ID[:-1], ID])
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(typed))
    refused = cli("accounts", "offboard", ID, "--data", "keep", *WHY)
    assert refused.code == 2
    assert "does not confirm" in refused.err
    assert operator.accounts.get(ID) == ACCOUNT
    assert cli("accounts", "offboard", ID, "--data", "keep", *WHY).code == 0
    assert operator.accounts.get(ID).state == "offboarding"


@pytest.mark.parametrize(
    ("arguments", "stated"),
    [
        ((*WHY, "--confirm", ID), "--data"),
        (("--data", "some", *WHY, "--confirm", ID), "some"),
        (("--data", "keep", "--confirm", ID), "--reason"),
        (("--data", "keep", "--reason", " ", "--confirm", ID), "reason"),
        (("--data", "keep", *WHY, "--confirm", "222222222222"), "does not confirm"),
    ],
)
def test_nothing_is_begun_by_half_a_command(
    cli: Cli, operator: Desk, arguments: tuple[str, ...], stated: str
) -> None:
    answer = cli("accounts", "offboard", ID, *arguments)
    assert answer.code == 2
    assert stated in answer.err
    assert operator.accounts.get(ID) == ACCOUNT
    assert operator.offboardings.payloads == {}


def test_the_proof_says_what_was_removed_and_what_remains(cli: Cli, operator: Desk) -> None:
    missing = cli("accounts", "proof", ID)
    assert missing.code == 2
    assert "no report" in missing.err
    report = Report(
        {"account_id": ID, "name": "Example Shop", "type": "ORGANIZATION", "stack_id": ""},
        Data.DELETE,
        removed={"partitions": 3},
        remaining={"partitions": Found(), "object versions": Found(1, ("a late file",))},
    )
    key = f"offboarded/{ID}/one.json"
    operator.lake.write_json(key, report.to_payload())
    rows = list(csv.DictReader(io.StringIO(cli("accounts", "proof", ID, "-o", "csv").out)))
    assert [(row["kind"], row["removed"], row["remaining"]) for row in rows] == [
        ("partitions", "3", "0"),
        ("object versions", "0", "1"),
    ]
    assert "a late file" in rows[1]["names"]
    assert "not yet" in cli("accounts", "proof", ID).out
    done: Any = report.to_payload() | {"finished_at": datetime(2026, 11, 3, tzinfo=UTC).isoformat()}
    operator.lake.write_json(key, done)
    assert "2026-11-03 00:00:00 UTC" in cli("accounts", "proof", ID).out
    assert json.loads(cli("accounts", "proof", ID, "-o", "json").out) == done

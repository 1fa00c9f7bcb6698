"""`cloudspend collect`: what it asks for, what it prints, and when it fails."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from cloudspend.accounts.model import AccountState
from cloudspend.collect.collect_run import outcomes_key
from tests.fakes.accounts import FakeAccounts
from tests.fakes.collecting import FakeSpend
from tests.fakes.lake import FakeExecutions, FakeLake
from tests.unit.cli.test_cli_commands import ACCOUNT, Cli, Operator, cli, operator

__all__ = ["cli", "operator"]

ID = ACCOUNT.account_id


class Rounds(FakeExecutions):
    """Rounds that end at once, with these outcomes."""

    def __init__(self, lake: FakeLake, status: str, *outcomes: Mapping[str, Any]) -> None:
        super().__init__()
        self._lake, self._ends_as, self._outcomes = lake, status, list(outcomes)

    def start(self, name: str, payload: Mapping[str, Any]) -> bool:
        started = super().start(name, payload)
        self._lake.write_json(outcomes_key(name), self._outcomes)
        self.end(name, self._ends_as)
        return started


def outcome(source: str, status: str, reason: str = "") -> dict[str, Any]:
    figures = {"rows": 12, "pages": 3, "cost": "0.03"}
    return {"account_id": ID, "source": source, "status": status, "reason": reason, **figures}


def collecting(operator: Operator, status: str, *outcomes: Mapping[str, Any]) -> Rounds:
    lake = FakeLake()
    rounds = Rounds(lake, status, *outcomes)
    operator.__dict__.update(collects=rounds, lake=lake, spend=FakeSpend())
    return rounds


def test_the_outcome_of_each_source_is_shown_with_its_cost(cli: Cli, operator: Operator) -> None:
    rounds = collecting(operator, "SUCCEEDED", outcome("budgets", "collected"))
    answer = cli("collect", ID, "--source", "budgets", "-o", "json")
    assert answer.code == 0, answer.err
    assert list(rounds.payloads.values()) == [{"accounts": [ID], "sources": ["budgets"]}]
    (row,) = json.loads(answer.out)
    assert (row["account"], row["source"], row["status"]) == (ID, "budgets", "collected")
    assert (row["rows"], row["pages"], row["cost"]) == (12, 3, "0.03")
    assert f"{ID}: 0 priced pages of Cost Explorer today" in answer.err


def test_an_account_that_is_not_connected_is_said_and_no_round_begins(
    cli: Cli, operator: Operator
) -> None:
    rounds = collecting(operator, "SUCCEEDED")
    operator.accounts = FakeAccounts(replace(ACCOUNT, state=AccountState.INVITED))
    answer = cli("collect", ID)
    assert answer.code == 2
    assert f"The account {ID} is invited" in answer.err
    assert f"cloudspend accounts show {ID}" in answer.err
    assert rounds.payloads == {}


@pytest.mark.parametrize(
    ("status", "code"), [("collected", 0), ("degraded", 0), ("capped", 0), ("failed", 1)]
)
def test_only_a_source_that_failed_fails_the_command(
    cli: Cli, operator: Operator, status: str, code: int
) -> None:
    ended = "FAILED" if status == "failed" else "SUCCEEDED"
    collecting(operator, ended, outcome("budgets", status, "Why."))
    answer = cli("collect", ID)
    assert answer.code == code
    assert "Why." in answer.out


def test_a_round_that_was_stopped_is_said(cli: Cli, operator: Operator) -> None:
    collecting(operator, "ABORTED")
    answer = cli("collect", ID)
    assert answer.code != 0
    assert "ended as ABORTED" in answer.err


def test_an_account_that_nobody_knows_starts_nothing(cli: Cli, operator: Operator) -> None:
    rounds = collecting(operator, "SUCCEEDED")
    assert cli("collect", "999999999999").code != 0
    assert rounds.payloads == {}

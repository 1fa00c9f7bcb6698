"""`cloudspend periods`: every generation, what differs between two, and going back."""

import io
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from cloudspend.ingest.publish import PublishPorts
from cloudspend.lake.model import GenerationState
from tests.fakes.accounts import FakeAccounts, an_account
from tests.fakes.lake import (
    ACCOUNT,
    NEW,
    NEWEST,
    OLD,
    PERIOD,
    TOTALS,
    FakeCatalog,
    FakeQueries,
    a_generation,
    a_published,
)
from tests.unit.cli.test_cli_commands import Cli, Operator, cli, operator

__all__ = ["cli", "operator"]

MONTH = str(PERIOD)
MORE = replace(TOTALS, billed_cost=Decimal("13.500000000001"))
CHANGE: dict[str, str | None] = {
    "account": "222222222222",
    "service": "AmazonS3",
    "charge_type": "Usage",
    "billed_before": "1.000000000000",
    "billed_after": "2.000000000001",
    "effective_before": "1.000000000000",
    "effective_after": "1.500000000000",
}


@pytest.fixture(autouse=True)
def world(operator: Operator) -> None:
    operator.accounts = FakeAccounts(an_account(display_name="Example Shop"))
    held = operator.generations
    for name, totals in ((OLD, TOTALS), (NEW, MORE), (NEWEST, TOTALS)):
        held.plan(a_generation(name))
        held.record_checked(ACCOUNT, PERIOD, name, totals)
    for name in (OLD, NEW):
        held.record_outcome(ACCOUNT, PERIOD, name, GenerationState.PUBLISHED)
    failure = {"error": "TotalsDiffer", "summary": "The sums differ.", "remedy": "", "details": {}}
    held.record_failure(ACCOUNT, PERIOD, NEWEST, failure, final=True)
    held.advance(a_published(NEW, totals=MORE, previous_generation=OLD), None)


def asked(operator: Operator, *rows: dict[str, str | None]) -> FakeCatalog:
    """Let the operator ask an Athena that gives these rows to every statement."""
    catalog, queries = FakeCatalog(), FakeQueries(*rows)
    publish_ports = PublishPorts(operator.generations, catalog, queries, operator.bus, "a-lake")
    operator.__dict__.update(queries=queries, publish_ports=publish_ports)
    return catalog


@pytest.mark.parametrize("arguments", [(ACCOUNT,), ("list", ACCOUNT), ("-o", "table", ACCOUNT)])
def test_an_account_alone_lists_its_periods(cli: Cli, arguments: tuple[str, ...]) -> None:
    answer = cli("periods", *arguments)
    assert (answer.code, "2026-10" in answer.out) == (0, True)


def test_a_misspelt_command_is_no_account(cli: Cli) -> None:
    answer = cli("periods", "shwo", ACCOUNT)
    assert answer.code == 2
    assert "No such command 'shwo'" in answer.err


def test_every_generation_is_shown_with_what_became_of_it(cli: Cli, operator: Operator) -> None:
    rows = json.loads(cli("periods", "show", ACCOUNT, MONTH, "-o", "json").out)
    assert [(row["generation"], row["state"], row["certification"]) for row in rows] == [
        (OLD, "replaced", None),
        (NEW, "published", "provisional"),
        (NEWEST, "failed", None),
    ]
    assert rows[2]["failure"] == "TotalsDiffer: The sums differ."
    assert (rows[0]["rows"], rows[0]["tables"]) == (2, ["cost_and_usage"])
    stated = cli("periods", "show", ACCOUNT, MONTH)
    assert "2026-10 is provisional: Not compared" in stated.err
    held = a_published(OLD, rolled_back_from=NEW)
    assert operator.generations.roll_back(held, NEW)
    rows = json.loads(cli("periods", "show", ACCOUNT, MONTH, "-o", "json").out)
    assert [row["state"] for row in rows] == ["published", "rolled back", "failed"]


def test_a_period_without_a_delivery_is_a_sentence(cli: Cli) -> None:
    assert "has no delivery of 2026-08" in cli("periods", "show", ACCOUNT, "2026-08").out


def test_a_difference_is_exact_and_ends_with_the_whole_bill(cli: Cli, operator: Operator) -> None:
    asked(operator, CHANGE)
    rows = json.loads(cli("periods", "diff", ACCOUNT, MONTH, OLD, NEW, "-o", "json").out)
    assert rows == [
        {
            "account": "222222222222",
            "service": "AmazonS3",
            "charge_type": "Usage",
            "billed_before": "1.00",
            "billed_after": "2.000000000001",
            "billed_difference": "1.000000000001",
            "effective_difference": "0.50",
        },
        {
            "account": "total",
            "service": None,
            "charge_type": None,
            "billed_before": "12.50",
            "billed_after": "13.500000000001",
            "billed_difference": "1.000000000001",
            "effective_difference": "0.00",
        },
    ]


def test_equal_generations_are_a_sentence_for_people_and_empty_for_scripts(
    cli: Cli, operator: Operator
) -> None:
    asked(operator)
    assert "hold the same costs" in cli("periods", "diff", ACCOUNT, MONTH, OLD, NEW).out
    assert json.loads(cli("periods", "diff", ACCOUNT, MONTH, OLD, NEW, "-o", "json").out) == []


@pytest.mark.parametrize("name", [NEWEST, "20200101T000000Z-00000000"])
def test_only_checked_generations_can_be_compared(cli: Cli, name: str) -> None:
    answer = cli("periods", "diff", ACCOUNT, MONTH, OLD, name)
    assert (answer.code, name in answer.err, "periods show" in answer.err) == (2, True, True)


SUMS: dict[str, str | None] = {
    "row_count": "2",
    "billed_cost": "12.5",
    "effective_cost": "10.25",
    "list_cost": "15.75",
    "detail_rows": "0",
    "unblended_cost": "0.000000000000",
}


def test_a_rollback_says_what_readers_see_before_and_after(cli: Cli, operator: Operator) -> None:
    catalog = asked(operator, SUMS)
    answer = cli("periods", "rollback", ACCOUNT, MONTH, "--reason", "Booked twice.", "--yes")
    assert answer.code == 0, answer.err
    assert f"Example Shop see {NEW}: 13.50 USD billed, provisional" in answer.err
    assert f"They will see {OLD}: 12.50 USD billed" in answer.err
    assert f"Readers of 2026-10 see {OLD} from their next query on" in answer.err
    assert OLD in str(catalog.location("cost_and_usage", (ACCOUNT, MONTH)))
    assert operator.bus.kinds == ["PeriodRolledBack"]


@pytest.mark.parametrize("said", ["n\n", "\n", ""])
def test_without_a_yes_nothing_is_rolled_back(
    cli: Cli, operator: Operator, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    catalog = asked(operator, SUMS)
    monkeypatch.setattr("sys.stdin", io.StringIO(said))
    assert cli("periods", "rollback", ACCOUNT, MONTH, "--reason", "Why.").code == 1
    assert (catalog.shown, operator.bus.events) == ([], [])


def test_a_rollback_needs_a_reason(cli: Cli) -> None:
    answer = cli("periods", "rollback", ACCOUNT, MONTH, "--yes")
    assert (answer.code, "--reason" in answer.err) == (2, True)

"""`cloudspend exports`: what is listed, what is offered, and the support case."""

import csv
import io
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from cloudspend.accounts.model import Account, Export, ExportKind
from cloudspend.exports.definition import Definition
from tests.unit.cli.test_cli_commands import ACCOUNT, Cli, Operator, cli, operator

__all__ = ["cli", "operator"]

OWN = Definition(ACCOUNT.export, "us-east-1", "Parquet", hourly=True, resource_ids=True)
OTHER = Definition(
    Export(ExportKind.CUR_2_0, "other", "bills", "daily"),
    "eu-west-1",
    "CSV",
    hourly=False,
    resource_ids=False,
)


@dataclass
class Found:
    """`ExportDefinitions` of an account."""

    definitions: list[Definition] = field(default_factory=lambda: [OWN, OTHER])

    def all(self) -> list[Definition]:
        return self.definitions


def with_exports(operator: Operator, found: Found) -> None:
    def of(_account: Account) -> Found:
        return found

    operator.export_definitions = of  # type: ignore[attr-defined]


def test_every_export_is_listed_with_what_is_wrong(cli: Cli, operator: Operator) -> None:
    with_exports(operator, Found())
    other, own = json.loads(cli("exports", ACCOUNT.account_id, "-o", "json").out)
    assert (own["used"], own["wrong"]) == (True, "")
    assert (other["used"], other["name"]) == (False, "daily")
    for said in ("no resource ids", "not hourly", "eu-west-1", "CSV"):
        assert said in other["wrong"]
    rows = list(csv.DictReader(io.StringIO(cli("exports", ACCOUNT.account_id, "-o", "csv").out)))
    assert [row["name"] for row in rows] == ["daily", "name"]


def test_what_is_not_used_is_offered_with_the_stack_s_parameters(
    cli: Cli, operator: Operator
) -> None:
    with_exports(operator, Found())
    stated = cli("exports", "list", ACCOUNT.account_id).err
    assert stated == (
        "To use daily, update the stack with: ExportSetup=USE_EXISTING ExportKind=CUR_2_0 "
        "ExportBucketName=other ExportPrefix=bills ExportName=daily\n"
    )


def test_an_account_without_exports_is_a_sentence(cli: Cli, operator: Operator) -> None:
    with_exports(operator, Found([]))
    assert "neither a report nor an export" in cli("exports", ACCOUNT.account_id).out


def test_the_support_case_is_printed_whole(cli: Cli) -> None:
    answer = cli("exports", "backfill-text", ACCOUNT.account_id)
    assert answer.code == 0
    assert answer.out.startswith("Subject: ")
    assert "  - 2026-09\n" in answer.out


def test_without_a_missing_month_there_is_no_case(cli: Cli, operator: Operator) -> None:
    today = datetime.now(UTC).date()
    stored = operator.accounts.get(ACCOUNT.account_id)
    operator.accounts.save(stored, replace(stored, start_date=today))
    answer = cli("exports", "backfill-text", ACCOUNT.account_id)
    assert answer.code == 2
    assert "No month of Example Shop" in answer.err

"""`cloudspend reconcile`: the verdict, and the arithmetic that a person can check."""

import csv
import io
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from cloudspend.cli import reconcile
from cloudspend.errors import PermissionDenied
from tests.fakes.accounts import FakeAccounts
from tests.fakes.collecting import FakeServices
from tests.fakes.lake import FakeGenerations
from tests.unit.cli.test_cli_commands import Cli, Operator, cli, operator
from tests.unit.reconcile.reconcile_bills import ACCOUNT, AFTER, PAYER, PERIOD, S3, World, usage

__all__ = ["cli", "operator"]

BILL = [usage(2, "AmazonS3", S3, "20.10"), usage(3, "AmazonRDS", "Amazon RDS Service", "9.90")]
MONTH = str(PERIOD)
INVOICED = {
    "InvoiceSummaries": [
        {
            "AccountId": PAYER,
            "InvoiceId": "123",
            "BaseCurrencyAmount": {
                "TotalAmount": "30.00",
                "TotalAmountBeforeTax": "30.00",
                "CurrencyCode": "USD",
            },
        }
    ]
}
RDS = "Amazon Relational Database Service"


@pytest.fixture
def world(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(BILL, [BILL])
    operator.accounts = FakeAccounts(ACCOUNT)
    operator.__dict__.update(
        generations=made.registry,
        reconciling=made.platform,
        cost_explorer=lambda _: made.api,
        services=lambda *_: FakeServices(list_invoice_summaries=lambda _: INVOICED),
    )
    monkeypatch.setattr(reconcile, "now", lambda: AFTER)
    return made


def test_a_verdict_is_shown_with_the_totals_of_each_figure(cli: Cli, world: World) -> None:
    answer = cli("reconcile", PAYER, MONTH, "-o", "csv")
    assert answer.code == 0, answer.err
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert [(row["account"], row["figure"], row["residual"]) for row in rows] == [
        ("total", "BilledCost", "0.0000"),
        ("total", "EffectiveCost", "0.0000"),
        ("total", "x_NetEffectiveCost", "0.0000"),
        ("invoices", "BilledCost", "0.0000"),
    ]
    assert (rows[3]["cost_explorer"], rows[3]["lake"]) == ("30.0000", "30.0000")
    assert (rows[0]["cost_explorer"], rows[0]["lake"]) == ("30.0000", "30.0000")
    assert "2026-10 is certified: All 2 cells agree" in answer.err
    assert "(2 requests to Cost Explorer, 0.02 USD)" in answer.err


def test_cells_that_differ_follow_with_what_explains_them(cli: Cli, world: World) -> None:
    world.reconcile()
    refund = replace(BILL[0], kind="Refund", cost=Decimal("-2"))
    world.aws_says([*BILL, refund])
    world.publish(world.generation, [[BILL[0]]])
    rows = json.loads(cli("reconcile", PAYER, MONTH, "-o", "json").out)
    billed = [row for row in rows if row["figure"] == "BilledCost"]
    assert [(r["account"], r["service"], r["difference"], r["residual"]) for r in billed] == [
        ("total", None, "-7.9000", "-9.9000"),
        ("invoices", None, "-9.9000", "-9.9000"),
        ("invoice", "123", "-9.9000", "-9.9000"),
        ("333333333333", RDS, "-9.9000", "-9.9000"),
        ("222222222222", S3, "2.0000", "0.0000"),
    ]
    assert "AWS booked it after the delivery" in billed[4]["because"]
    assert billed[3]["because"] == ""


def test_a_person_reads_a_table_and_the_reasons(cli: Cli, world: World) -> None:
    world.publish(world.generation, [[BILL[0]]])
    answer = cli("reconcile", PAYER)
    assert "explorer" in answer.out
    assert "9.9000" in answer.out
    assert "2026-10 is disputed: 1 of 2 cells differ" in answer.err


def test_a_person_reads_why_no_invoice_was_compared(
    cli: Cli, world: World, operator: Operator
) -> None:
    denied = FakeServices(list_invoice_summaries=PermissionDenied("invoicing is denied."))
    operator.__dict__["services"] = lambda *_: denied
    answer = cli("reconcile", PAYER, MONTH, "-o", "csv")
    assert answer.code == 0
    assert "invoice" not in answer.out
    assert "No invoice was compared: invoicing is denied.\n2026-10 is certified" in answer.err


def test_what_is_certified_is_compared_again_only_by_name(cli: Cli, world: World) -> None:
    world.reconcile()
    answer = cli("reconcile", PAYER)
    assert answer.out == "Every published period of Acme is certified.\n"
    assert cli("reconcile", PAYER, MONTH).code == 0


def test_a_period_that_is_not_published_cannot_be_compared(cli: Cli, world: World) -> None:
    answer = cli("reconcile", PAYER, "2026-09")
    assert (answer.code, "No bill of 2026-09 is published" in answer.err) == (2, True)


def test_an_account_without_any_published_period_is_said(cli: Cli, operator: Operator) -> None:
    operator.accounts = FakeAccounts(ACCOUNT)
    operator.__dict__.update(generations=FakeGenerations())
    assert cli("reconcile", PAYER).out == "No period of Acme is published yet.\n"

"""The main job, in the issue's order: invite, connect, onboard, ingest, query, alert."""

import csv
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cloudspend.access.checks import OPTIONAL
from cloudspend.alerts.catalog import schema_of
from cloudspend.alerts.catalog.formatting import title_words
from cloudspend.exports.model import BillingPeriod
from local.story import CUSTOMER, INBOX, NAME, Story
from local.world import estate
from tests.e2e.scene import Scene, Totals

EXACT = Decimal("1e-9")
PROOFS = {
    "role-opens",
    "right-account",
    "wrong-external-id-refused",
    "missing-external-id-refused",
    "trusts-no-one-else",
    "sessions-say-whose-they-are",
}
PERMISSIONS = {
    "iam:GetRole",
    "s3:ListBucket",
    "s3:GetObject",
    "cur:DescribeReportDefinitions",
    "bcm-data-exports:ListExports",
    "bcm-data-exports:GetExport",
    "bcm-data-exports:ListExecutions",
    "bcm-data-exports:GetExecution",
    "ce:GetCostAndUsage",
    "ce:GetDimensionValues",
    "organizations:DescribeOrganization",
    "organizations:ListAccounts",
    *OPTIONAL,
}
RDS = "Amazon Relational Database Service"
S3 = "Amazon Simple Storage Service"


@dataclass(frozen=True)
class Published:
    """What could be read when the three months had been taken in."""

    periods: dict[str, dict[str, Any]]
    totals: dict[str, Totals]
    proof: list[dict[str, str]]


@pytest.fixture(scope="module")
def onboarded(story: Story, scene: Scene) -> dict[str, Any]:
    story.invite()
    list(story.connect())
    scene.wait_for_event(CUSTOMER, "AccountActivated")
    return story.wait_for_onboarding()


@pytest.fixture(scope="module")
def published(story: Story, scene: Scene, onboarded: dict[str, Any]) -> Published:
    assert onboarded["state"] == "active"
    before = len(scene.ingests(CUSTOMER))
    for bill in story.world.bills():
        story.deliver(bill)
    scene.wait_for_ingests(CUSTOMER, before + 2)
    executions = scene.ingests(CUSTOMER)[before:]
    assert len(executions) == len(story.world.bills())
    scene.expect_success(*executions)
    return _published(story, scene)


@pytest.fixture(scope="module")
def restated(story: Story, scene: Scene, published: Published) -> Published:
    assert len(published.periods) == 3
    before = len(scene.ingests(CUSTOMER))
    story.deliver(story.world.restatement())
    (execution,) = scene.wait_for_ingests(CUSTOMER, before)
    scene.expect_success(execution)
    return _published(story, scene)


def _published(story: Story, scene: Scene) -> Published:
    periods = {row["period"]: row for row in scene.command("periods", CUSTOMER)}
    return Published(
        periods,
        {str(b.period): scene.totals(CUSTOMER, b.period) for b in story.world.bills()},
        scene.ask(f"SELECT * FROM billing_periods WHERE account_id = '{CUSTOMER}'"),
    )


def test_the_account_is_active_with_every_proof_and_permission_recorded(
    onboarded: dict[str, Any],
) -> None:
    assert onboarded["state"] == "active"
    assert onboarded["name"] == NAME
    assert {check["check"] for check in onboarded["checks"]} == PROOFS | PERMISSIONS
    results = {check["check"]: check["status"] for check in onboarded["checks"]}
    assert {results[proof] for proof in PROOFS} == {"passed"}
    assert "denied" not in results.values()


def test_the_customers_stack_got_its_answer(story: Story, onboarded: dict[str, Any]) -> None:
    assert onboarded["state"] == "active"
    stacks = story.customer.client("cloudformation").describe_stacks(StackName="cloudspend")
    assert stacks["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"


def test_closed_months_are_certified_and_the_current_one_is_provisional(
    story: Story, published: Published
) -> None:
    oldest, last, current = (str(bill.period) for bill in story.world.bills())
    certifications = {key: row["certification"] for key, row in published.periods.items()}
    assert certifications == {oldest: "certified", last: "certified", current: "provisional"}
    assert {Decimal(row["residual"]) for row in published.periods.values()} == {Decimal()}


def test_closed_months_are_what_aws_has_invoiced(
    story: Story, scene: Scene, published: Published
) -> None:
    oldest, last, current = story.world.bills()
    assert set(published.periods) == {str(bill.period) for bill in (oldest, last, current)}
    found = scene.ask(f"SELECT * FROM reconciliation WHERE account_id = '{CUSTOMER}'")
    rows = {row["billing_period"]: row for row in found}
    for bill in (oldest, last):
        row = rows[str(bill.period)]
        assert abs(Decimal(row["invoiced"]) - bill.total()) <= Decimal("0.01")
        assert Decimal(row["invoice_residual"]) <= Decimal("0.01")
        assert row["reason"].endswith("The invoices say the same.")
    assert rows[str(current.period)]["invoices"] == ""
    assert "still open" in rows[str(current.period)]["invoices_missing_because"]


def test_readers_see_every_row_and_exactly_the_bills_total(
    story: Story, published: Published
) -> None:
    for bill in story.world.bills():
        seen = published.totals[str(bill.period)]
        assert len(seen.generations) == 1
        assert abs(seen.billed - bill.total()) < EXACT
        kept = [t for t in bill.values("lineItem/LineItemType") if t != "SavingsPlanNegation"]
        assert seen.rows == len(kept)
        assert published.periods[str(bill.period)]["rows"] == len(kept)


def test_each_view_adds_up_to_the_table(story: Story, scene: Scene, published: Published) -> None:
    for view in ("cost_by_service_daily", "cost_by_account_monthly"):
        rows = scene.ask(
            f"SELECT billing_period, sum(billed_cost) AS billed, sum(effective_cost) AS effective "
            f"FROM {view} WHERE account_id = '{CUSTOMER}' GROUP BY billing_period"
        )
        assert {row["billing_period"] for row in rows} == set(published.totals)
        oldest = str(story.world.bills()[0].period)
        (row,) = [row for row in rows if row["billing_period"] == oldest]
        assert float(row["billed"]) == pytest.approx(float(published.totals[oldest].billed))
        assert float(row["effective"]) == pytest.approx(float(published.totals[oldest].effective))


def test_the_bill_is_attributed_to_the_accounts_and_services_that_used_it(
    story: Story, scene: Scene, published: Published
) -> None:
    bill = story.world.bills()[0]
    expected: dict[str, Decimal] = {}
    usage = bill.values("lineItem/UsageAccountId")
    for account, cost in zip(usage, bill.values("lineItem/UnblendedCost"), strict=True):
        expected[account] = expected.get(account, Decimal()) + Decimal(cost or 0)
    rows = scene.ask(
        "SELECT sub_account_id, billed_cost FROM cost_by_account_monthly "
        f"WHERE account_id = '{CUSTOMER}' AND billing_period = '{bill.period}'"
    )
    seen = {row["sub_account_id"]: Decimal(row["billed_cost"]) for row in rows}
    assert set(seen) == set(expected) == set(estate.ACCOUNTS)
    assert all(abs(seen[account] - expected[account]) < EXACT for account in expected)
    assert len(published.totals) == 3


def test_billing_periods_shows_generation_certification_and_totals(published: Published) -> None:
    assert {row["billing_period"] for row in published.proof} == set(published.periods)
    for row in published.proof:
        period = row["billing_period"]
        assert row["certification"] == published.periods[period]["certification"]
        assert (row["generation"],) == published.totals[period].generations
        assert int(row["row_count"]) == published.totals[period].rows
        assert abs(Decimal(row["billed_cost"]) - published.totals[period].billed) < EXACT


def test_the_restated_month_becomes_a_new_generation_and_is_certified_again(
    story: Story, published: Published, restated: Published
) -> None:
    bill = story.world.restatement()
    period = str(bill.period)
    assert restated.totals[period].generations > published.totals[period].generations
    assert abs(restated.totals[period].billed - bill.total()) < EXACT
    assert restated.totals[period].billed != published.totals[period].billed
    assert restated.periods[period]["certification"] == "certified"
    assert Decimal(restated.periods[period]["residual"]) == 0
    others = set(published.totals) - {period}
    assert all(restated.totals[other] == published.totals[other] for other in others)


def test_the_restatement_says_what_changed_by_account_and_service(
    story: Story, scene: Scene, published: Published, restated: Published
) -> None:
    period = str(story.world.restatement().period)
    (event,) = scene.recorder.of(CUSTOMER, "PeriodRestated", period=period)
    details = event["details"]
    (before,), (after,) = published.totals[period].generations, restated.totals[period].generations
    assert (details["previous_generation"], details["generation"]) == (before, after)
    changes = {(c["account"], c["service"]): Decimal(c["difference"]) for c in details["changes"]}
    assert set(changes) == {(estate.PRODUCTION, RDS), (estate.DATA, S3)}
    assert changes[estate.PRODUCTION, RDS] > 0 > changes[estate.DATA, S3]
    difference = restated.totals[period].billed - published.totals[period].billed
    assert abs(Decimal(details["difference"]) - difference) < EXACT
    assert abs(sum(changes.values()) - difference) < EXACT


def test_the_earlier_generation_can_still_be_read(
    story: Story, scene: Scene, published: Published, restated: Published
) -> None:
    period = str(story.world.restatement().period)
    rows = scene.ask(
        "SELECT generation, sum(CAST(billedcost AS decimal(38, 12))) AS billed "
        f"FROM cost_and_usage_generations WHERE account_id = '{CUSTOMER}' "
        f"AND billing_period = '{period}' GROUP BY generation ORDER BY generation"
    )
    seen = [(row["generation"], Decimal(row["billed"])) for row in rows]
    assert seen == [
        (totals.generations[0], totals.billed)
        for totals in (published.totals[period], restated.totals[period])
    ]


@pytest.fixture(scope="module")
def messages(story: Story, restated: Published) -> list[dict[str, Any]]:
    assert restated.periods
    return [message for message in story.received() if f"({CUSTOMER}, " in message["Message"]]


def news(bill: BillingPeriod, text: str) -> str:
    """The title about the bill of a period: `October 2026's bill is published`."""
    return f"{title_words({'period': str(bill)})['month']}'s bill {text}"


def test_each_outcome_reaches_the_queue_as_text_to_act_on(
    story: Story, messages: list[dict[str, Any]]
) -> None:
    oldest, last, current = (bill.period for bill in story.world.bills())
    titles = {
        "invited; the link expires",
        "now invited",
        "the customer's stack has registered its role",
        "the account is active",
        *(news(period, "is published") for period in (oldest, last, current)),
        *(news(period, "is certified") for period in (oldest, last)),
        news(current, "is provisional"),
        news(last, "was restated"),
    }
    subjects = [message["Subject"].partition(": ")[2] for message in messages]
    assert {title for title in titles if any(s.startswith(title) for s in subjects)} == titles
    assert [s for s in subjects if not s.startswith((*titles, "now "))] == []
    (restatement,) = [m for m in messages if "was restated" in m["Subject"]]
    for word in (RDS, S3, estate.PRODUCTION, estate.DATA, "What to do:"):
        assert word in restatement["Message"]
    for message in messages:
        topic = message["TopicArn"].rpartition("-")[2]
        assert re.search(rf"^  severity +{topic}$", message["Message"], re.MULTILINE)


def test_the_same_messages_arrive_as_mail(story: Story, messages: list[dict[str, Any]]) -> None:
    mails = [mail for mail in story.inbox() if f"({CUSTOMER}, " in mail["text"]]
    assert {mail["to"] for mail in mails} == {INBOX}
    subjects = sorted(mail["subject"] for mail in mails)
    assert subjects == sorted(message["Subject"] for message in messages)


def test_each_event_has_the_shape_of_the_catalogue(scene: Scene, restated: Published) -> None:
    assert restated.periods
    events = scene.recorder.all()
    assert {event["detail-type"] for event in events} >= {"AccountActivated", "PeriodRestated"}
    for event in events:
        jsonschema.validate(event["detail"], schema_of(event["detail-type"]))


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (("accounts", "show", "999999999999"), 2, "999999999999"),
        (("accounts", "show", "12"), 2, "12"),
        (("periods", "999999999999"), 2, "999999999999"),
        (("ingest", "999999999999"), 2, "999999999999"),
        (("ingest", CUSTOMER, "--period", "2026-13"), 2, "YYYY-MM"),
        (("ingest", CUSTOMER, "--period", "1999-01"), 2, "1999-01"),
        (("query", "SELEC 1"), 2, ""),
        (("query", "SELECT * FROM no_such_table"), 2, "no_such_table"),
        (("query", "SELECT no_such_column FROM cost_and_usage"), 2, "no_such_column"),
        (("accounts", "invite", CUSTOMER, "--name", "Again"), 2, "active"),
        (("accounts", "invite", "12", "--name", "Short"), 2, "12"),
        (("accounts", "invite", "656565656565"), 2, "--name"),
        (("nonsense",), 2, "nonsense"),
    ],
)
def test_a_users_mistake_is_a_sentence(
    scene: Scene, published: Published, command: tuple[str, ...], code: int, said: str
) -> None:
    assert published.periods
    answer = scene.platform.run(*command)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err
    assert len(answer.err.strip()) > 10
    assert "Traceback" not in answer.err


@pytest.fixture
def no_one(scene: Scene) -> Iterator[None]:
    """AWS refuses the next call to the registry."""
    fault = {"service": "dynamodb", "count": 20, "code": "AccessDeniedException"}
    scene.platform.cloud.control("faults", [fault])
    yield
    scene.platform.cloud.control("faults", method="DELETE")


@pytest.mark.usefixtures("no_one")
def test_what_aws_refuses_is_a_failure_of_the_job(scene: Scene) -> None:
    answer = scene.platform.run("accounts", "list")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("cloudspend: ")
    assert "Traceback" not in answer.err


def test_json_and_csv_say_the_same(scene: Scene, restated: Published) -> None:
    assert restated.periods
    ordered = "SELECT * FROM cost_by_account_monthly ORDER BY account_id, 2, 3"
    for command in (("accounts", "list"), ("periods", CUSTOMER), ("query", ordered)):
        rows = scene.command(*command)
        answer = scene.platform.run(*command, "--output", "csv")
        assert answer.code == 0
        header, *lines = csv.reader(io.StringIO(answer.out))
        assert header == list(rows[0])
        assert lines == [["" if v is None else str(v) for v in row.values()] for row in rows]


def test_a_folder_of_others_queries_is_tried(
    scene: Scene, restated: Published, tmp_path: Path
) -> None:
    assert restated.periods
    # by name the second needs the first only later
    (tmp_path / "b_services.sql").write_text(
        "CREATE OR REPLACE VIEW others_services AS SELECT line_item_product_code AS service, "
        "min(line_item_usage_start_date) AS since FROM ${database}.${table} GROUP BY 1;\n"
    )
    (tmp_path / "a_count.sql").write_text("SELECT count(*) AS n FROM others_services")
    (tmp_path / "c_wrong.sql").write_text("SELECT nothing FROM ${table}")
    script = Path(__file__).parents[2] / "scripts" / "others_queries.py"
    values = ("database=cloudspend", "table=cost_and_usage_report")
    done = subprocess.run(
        [sys.executable, script, tmp_path, *values],
        env=scene.platform.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    scene.ask("DROP VIEW others_services")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[:2] == ["ran      a_count.sql: 1 rows", "ran      b_services.sql: 0 rows"]
    assert lines[2].startswith("refused  c_wrong.sql: ")
    assert "COLUMN_NOT_FOUND" in lines[2]
    assert lines[3] == "2 of 3 statements ran."


def test_tables_are_for_people(scene: Scene, restated: Published) -> None:
    for command, words in (
        (("accounts", "list"), (CUSTOMER, NAME, "active")),
        (("periods", CUSTOMER), tuple(restated.periods)),
        (("query", "SELECT 1 + 1 AS two"), ("two", "2")),
        (("--help",), ("accounts", "periods", "ingest", "query", "Exit codes")),
    ):
        answer = scene.platform.run(*command)
        assert answer.code == 0
        assert all(word in answer.out for word in words), answer.out


def test_ingesting_again_what_is_published_changes_nothing(
    scene: Scene, restated: Published
) -> None:
    before = len(scene.ingests(CUSTOMER))
    answer = scene.platform.run("ingest", CUSTOMER, "--output", "json")
    assert answer.code == 0, answer.err
    assert {row["outcome"] for row in answer.json} == {"succeeded"}
    assert len(scene.ingests(CUSTOMER)) == before
    assert {p: scene.totals(CUSTOMER, p) for p in restated.totals} == restated.totals

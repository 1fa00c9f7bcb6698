"""The evaluation of accounts, from rows of the bill to the bus; the statements run on DuckDB."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cloudspend import payloads as p
from cloudspend.accounts.model import AccountState
from cloudspend.alerts.catalog.findings import FindingKind
from cloudspend.collect.model import Collected, Status
from cloudspend.errors import Defect, TransientError
from cloudspend.findings.anomaly import Sensitivity
from cloudspend.findings.evaluate import EvaluationPorts, evaluate, evaluate_accounts, look, report
from cloudspend.findings.findings_table import FindingsTable
from cloudspend.findings.model import Observation
from cloudspend.lake.model import AccountInventory
from tests.fakes.accounts import FakeAccounts, an_account
from tests.fakes.alerts import FakeBus
from tests.fakes.collecting import FakeProgress
from tests.fakes.findings import FakeFindings
from tests.fakes.lake import FakeCatalog, a_published
from tests.fakes.reconcile import FakeTables
from tests.unit.lake.test_lake_sql import Engine

NOW = datetime(2026, 11, 23, 5, 15, tzinfo=UTC)
ACCOUNT = an_account(state=AccountState.ACTIVE, regions=("us-east-1",), billing_detail=True)
PEAK = date(2026, 11, 20)


class Bills:
    """Athena with DuckDB behind it; values come back as text, as Athena's do."""

    def __init__(self) -> None:
        self.engine = Engine()

    def run(self, sql: str) -> list[dict[str, str | None]]:
        return [
            {name: None if value is None else str(value) for name, value in row.items()}
            for row in self.engine.rows(sql)
        ]

    def query(self, sql: str) -> Any:
        raise AssertionError(sql)


class Registry:
    """What Sweep and Ingest left."""

    def holdings(self, _account_id: str) -> AccountInventory:
        return AccountInventory((a_published(reconciled_at=NOW),), ())


class Accounts:
    def get(self, account_id: str) -> Any:
        if account_id == "999999999999":
            raise Defect("Something is wrong with it.")
        if account_id == "888888888888":
            raise TransientError("Later.")
        return ACCOUNT

    def checks(self, _account_id: str) -> list[Any]:
        return []


def usage(day: date, cost: float, **fields: Any) -> dict[str, Any]:
    return {
        "account_id": ACCOUNT.account_id,
        "billing_period": f"{day:%Y-%m}",
        "chargecategory": "Usage",
        "chargeperiodstart": datetime(day.year, day.month, day.day),  # noqa: DTZ001
        "effectivecost": cost,
        "billingcurrency": "USD",
        "billingaccountid": ACCOUNT.account_id,
        "subaccountid": "222222222222",
        "servicename": "Amazon Simple Storage Service",
        "regionid": "us-east-1",
        "x_usagetype": "Requests-Tier1",
        "resourceid": "a-bucket",
        **fields,
    }


@pytest.fixture
def evaluation_ports() -> EvaluationPorts:
    bills = Bills()
    days = [date(2026, 7, 25) + timedelta(days=n) for n in range(121)]
    rows = [usage(day, 1000.0 if day == PEAK else 100.0) for day in days]
    rows.append(usage(PEAK, 30.0, regionid="sa-east-1", servicename="AWS Lambda"))
    rows.append(usage(PEAK, 9000.0, chargecategory="Tax"))
    for status, cost in (("Used", 30.0), ("Unused", 12.0)):
        plan = {"commitmentdiscountid": "arn:plan", "commitmentdiscountstatus": status}
        rows.append(usage(PEAK, cost, servicename="Amazon EC2", **plan))
    bills.engine.put("cost_and_usage", rows)
    ending = {
        "account_id": ACCOUNT.account_id,
        "billing_period": "2026-11",
        "savings_plan_savings_plan_a_r_n": "arn:plan",
        "savings_plan_end_time": "2026-12-01T00:00:00.000Z",
    }
    bills.engine.put("billing_detail", [ending])
    looked_at: dict[str, Any] = {
        "accounts": Accounts(),
        "registry": Registry(),
        "queries": bills,
        "findings_table": FindingsTable(
            FakeFindings(), FakeTables(), FakeCatalog(), FakeAccounts(ACCOUNT)
        ),
        "bus": FakeBus(),
        "progress": FakeProgress(),
    }
    return EvaluationPorts(**looked_at, at=Sensitivity(50, 6), worth_buying=Decimal(100))


def test_an_account_is_evaluated_from_its_bills(evaluation_ports: EvaluationPorts) -> None:
    outcomes = evaluate(ACCOUNT, evaluation_ports, NOW)
    found = {each.finding.seen.kind: each.finding.seen for each in outcomes}
    assert set(found) == {
        FindingKind.COST_ANOMALY,
        FindingKind.FOREIGN_REGION,
        FindingKind.COMMITMENT_UNUSED,
        FindingKind.COMMITMENT_EXPIRING,
    }
    anomaly = found[FindingKind.COST_ANOMALY]
    assert anomaly.since == PEAK
    assert anomaly.amount == 900
    assert anomaly.moved[0].what == "Requests-Tier1 of a-bucket, a day"
    assert found[FindingKind.FOREIGN_REGION].subject == "sa-east-1"
    assert found[FindingKind.COMMITMENT_UNUSED].amount == 12
    assert "2026-12-01" in found[FindingKind.COMMITMENT_EXPIRING].reason
    assert evaluation_ports.bus.kinds == ["FindingRaised"] * 4  # type: ignore[attr-defined]
    (shown,) = evaluation_ports.findings_table.tables.objects.values()  # type: ignore[attr-defined]
    assert {row["kind"] for row in shown} == set(found)


MONTH = {"account_id": ACCOUNT.account_id, "billing_period": "2026-11"}
BUDGET = MONTH | {
    "budget_name": "Month",
    "budget_type": "COST",
    "limit_amount": 1000.0,
    "actual_amount": 900.0,
    "forecast_amount": 990.0,
    "unit": "USD",
}
NOTIFICATION = MONTH | {
    "budget_name": "Month",
    "notification_type": "ACTUAL",
    "comparison": "GREATER_THAN",
    "threshold": 80.0,
    "threshold_type": "PERCENTAGE",
    "state": "ALARM",
}
PURCHASE = MONTH | {
    "service": "Amazon Relational Database Service",
    "term": "ONE_YEAR",
    "payment_option": "PARTIAL_UPFRONT",
    "sub_account_id": "222222222222",
    "region": "us-east-1",
    "instance_type": "db.r6g.large",
    "platform": "PostgreSQL",
    "currency": "USD",
    "recommended_instances": 3.0,
    "monthly_savings": 120.5,
    "monthly_on_demand_cost": 400.0,
    "upfront_cost": 1500.0,
}
BEYOND_THE_BILL = {
    FindingKind.BUDGET,
    FindingKind.PURCHASE_RECOMMENDATION,
    FindingKind.COVERAGE_GAP,
}


def cell(service: str, lake: float, stated: float, **fields: Any) -> dict[str, Any]:
    return {
        "account_id": ACCOUNT.account_id,
        "billing_period": "2026-10",
        "sub_account_id": "222222222222",
        "service": service,
        "currency": "USD",
        **dict.fromkeys(("billed_cost", "effective_cost", "net_effective_cost"), lake),
        "cost_explorer_unblended": stated,
        "cost_explorer_amortized": stated,
        "cost_explorer_net_amortized": stated,
        **fields,
    }


def collected(evaluation_ports: EvaluationPorts, days_ago: int = 0) -> None:
    for source in ("budgets", "budget_notifications", "reservation_recommendations"):
        at = NOW - timedelta(days=days_ago)
        done = Collected(Status.COLLECTED, "", at, stored_at=at)
        evaluation_ports.progress.put(ACCOUNT.account_id, source, done)


def neighbor(evaluation_ports: EvaluationPorts) -> dict[FindingKind, Observation]:
    _, seen = look(ACCOUNT, evaluation_ports, NOW)
    return {each.kind: each for each in seen if each.kind in BEYOND_THE_BILL}


def test_what_was_collected_and_compared_is_evaluated_too(
    evaluation_ports: EvaluationPorts,
) -> None:
    engine = evaluation_ports.queries.engine  # type: ignore[attr-defined]
    collected(evaluation_ports)
    engine.put("budgets", [BUDGET, BUDGET | {"budget_name": "Quiet", "actual_amount": 1.0}])
    engine.put("budget_notifications", [NOTIFICATION])
    engine.put("reservation_recommendations", [PURCHASE])
    cells = [
        cell("Amazon S3", 5.0, 5.0),
        cell("AWS Thinkbox", 0.0, 7.25),
        cell("Seen twice", 0.0, 3.0, sub_account_id="333333333333"),
        cell("Seen twice", 4.0, 3.0),
        cell("EC2 - Other", 0.0, 9.0, explained_by="usage family of EC2"),
    ]
    engine.put("reconciliation_cells", cells)
    found = neighbor(evaluation_ports)
    assert found[FindingKind.BUDGET].subject == "Month"
    assert found[FindingKind.BUDGET].mark == "ACTUAL above 80 %"
    assert found[FindingKind.PURCHASE_RECOMMENDATION].amount == Decimal("120.50")
    (moved,) = found[FindingKind.PURCHASE_RECOMMENDATION].moved
    assert moved.what == "3 db.r6g.large PostgreSQL in us-east-1, for 222222222222, a month"
    _, seen = look(ACCOUNT, evaluation_ports, NOW)
    gaps = [(each.subject, each.amount) for each in seen if each.kind is FindingKind.COVERAGE_GAP]
    assert gaps == [
        ("account 333333333333", Decimal("3.00")),
        ("service AWS Thinkbox", Decimal("7.25")),
    ]


def test_what_was_not_collected_lately_is_not_judged(evaluation_ports: EvaluationPorts) -> None:
    engine = evaluation_ports.queries.engine  # type: ignore[attr-defined]
    engine.put("budgets", [BUDGET | {"actual_amount": 2000.0}])
    engine.put("reservation_recommendations", [PURCHASE])
    kinds = {FindingKind.BUDGET, FindingKind.PURCHASE_RECOMMENDATION}
    for days, judged in ((3, kinds), (4, kinds - {FindingKind.BUDGET}), (10, set())):
        collected(evaluation_ports, days)
        found, seen = look(ACCOUNT, evaluation_ports, NOW)
        assert found & kinds == judged, days
        assert {each.kind for each in seen} & kinds == judged


def test_a_degraded_account_is_evaluated_and_a_suspended_one_is_not(
    evaluation_ports: EvaluationPorts,
) -> None:
    for state, many in ((AccountState.DEGRADED, 1), (AccountState.SUSPENDED, 0)):
        evaluation_ports.accounts.get = lambda _, state=state: replace(ACCOUNT, state=state)  # type: ignore[method-assign, misc]
        answer = evaluate_accounts([ACCOUNT.account_id], evaluation_ports, NOW, lambda _: None)
        assert answer[p.EVALUATED] == many


def test_the_same_day_again_tells_nothing(evaluation_ports: EvaluationPorts) -> None:
    evaluate(ACCOUNT, evaluation_ports, NOW)
    evaluation_ports.bus.events.clear()  # type: ignore[attr-defined]
    evaluate(ACCOUNT, evaluation_ports, NOW)
    assert evaluation_ports.bus.kinds == []  # type: ignore[attr-defined]


def test_one_account_that_fails_keeps_no_other_back(evaluation_ports: EvaluationPorts) -> None:
    failed: list[str] = []
    ids = ["999999999999", ACCOUNT.account_id]
    answer = evaluate_accounts(ids, evaluation_ports, NOW, failed.append)
    assert answer == {p.EVALUATED: 1, p.NOT_EVALUATED: ["999999999999"]}
    assert failed == ["999999999999"]
    with pytest.raises(Defect, match="999999999999"):
        report({p.BATCHES: [answer]})


def test_what_passes_by_itself_is_done_again(evaluation_ports: EvaluationPorts) -> None:
    with pytest.raises(TransientError):
        evaluate_accounts(
            ["888888888888", ACCOUNT.account_id], evaluation_ports, NOW, lambda _: None
        )
    assert evaluation_ports.findings_table.findings.of(ACCOUNT.account_id)


def test_a_whole_round_is_counted() -> None:
    batches = [{p.EVALUATED: 20, p.NOT_EVALUATED: []}, {p.EVALUATED: 3, p.NOT_EVALUATED: []}]
    assert report({p.BATCHES: batches}) == {p.EVALUATED: 23}

"""Statements and views, run on DuckDB through sqlglot over the declared columns."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest
import sqlglot

from cloudspend.collect.sources import TABLES as COLLECTED_TABLES
from cloudspend.errors import Defect
from cloudspend.findings.tables import TABLES as FINDING_TABLES
from cloudspend.lake.statements import bind, statement
from cloudspend.lake.tables import (
    COST_AND_USAGE,
    COST_AND_USAGE_GENERATIONS,
    TABLES,
    Column,
    generation_prefix,
)
from cloudspend.lake.views import VIEWS, View
from cloudspend.reconcile.tables import TABLES as PROOF_TABLES
from tests.fakes.lake import ACCOUNT, NEW, OLD, PERIOD

DUCKDB = {
    "string": "VARCHAR",
    "map<string,string>": "MAP(VARCHAR, VARCHAR)",
    "map<string,double>": "MAP(VARCHAR, DOUBLE)",
}
FROM_DUCKDB = {there: here for here, there in DUCKDB.items()} | {"TIMESTAMP": "timestamp"}
PATH = Column("$path", "string")
PERIOD_NAMES = {"account_id": ACCOUNT, "period": str(PERIOD)}
VIEW = {view.name: view for view in VIEWS}


class Engine:
    """DuckDB in Athena's place: empty tables with the declared columns, to be filled by rows."""

    def __init__(self) -> None:
        self._duckdb = duckdb.connect()
        self._columns: dict[str, list[str]] = {}
        for table in (*TABLES, *PROOF_TABLES, *COLLECTED_TABLES, *FINDING_TABLES):
            columns = (*table.columns, *table.partition_keys, PATH)
            body = ", ".join(f'"{c.name}" {DUCKDB.get(c.type, c.type)}' for c in columns)
            self._columns[table.name] = [column.name for column in columns]
            self._duckdb.execute(f'CREATE TABLE "{table.name}" ({body})')

    def put(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            self._duckdb.table(table).insert([row.get(name) for name in self._columns[table]])

    def rows(self, sql: str) -> list[dict[str, Any]]:
        found = self._duckdb.execute(self._translated(sql))
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def columns(self, sql: str) -> list[tuple[str, str]]:
        """Names and types of the answer, in Athena's words."""
        described = self._duckdb.execute(f"DESCRIBE {self._translated(sql)}").fetchall()
        return [(row[0], FROM_DUCKDB.get(row[1], row[1].lower())) for row in described]

    @staticmethod
    def _translated(sql: str) -> str:
        return sqlglot.transpile(sql, read="athena", write="duckdb")[0]


@pytest.fixture
def engine() -> Engine:
    return Engine()


def cost(billed: float, generation: str = OLD, **fields: Any) -> dict[str, Any]:
    place = generation_prefix("cost_and_usage", ACCOUNT, PERIOD, generation)
    return {
        "account_id": ACCOUNT,
        "billing_period": str(PERIOD),
        "$path": f"s3://a-lake/{place}00000.parquet",
        "billedcost": billed,
        "effectivecost": billed / 2,
        "listcost": billed * 2,
        "billingcurrency": "USD",
        "subaccountid": "222222222222",
        "servicename": "AmazonS3",
        "x_chargetype": "Usage",
        "chargeperiodstart": datetime.fromisoformat("2026-10-01T23:00:00"),
    } | fields


def generations(*rows: tuple[str, float, str]) -> list[dict[str, Any]]:
    return [cost(billed, name, servicename=of) | {"generation": name} for name, billed, of in rows]


def test_the_sums_of_a_generation_are_exact_and_only_its_own(engine: Engine) -> None:
    rows = [(OLD, 0.1, "S3")] * 10 + [(NEW, 7.0, "S3")]
    engine.put("cost_and_usage_generations", generations(*rows))
    held = {"account_id": ACCOUNT, "billing_period": str(PERIOD)}
    for name in (OLD, OLD, NEW):
        item = held | {"generation": name, "line_item_unblended_cost": 2.0}
        engine.put("billing_detail_generations", [item])
    found = engine.rows(statement("generation_totals", generation=OLD, **PERIOD_NAMES))
    assert [tuple(row.values()) for row in found] == [(10, 1, Decimal("0.5"), 2, 2, 4)]


def test_the_sums_of_an_empty_generation_are_zero_not_null(engine: Engine) -> None:
    found = engine.rows(statement("generation_totals", generation=OLD, **PERIOD_NAMES))
    assert [tuple(row.values()) for row in found] == [(0, 0, 0, 0, 0, 0)]


def test_changes_between_two_generations(engine: Engine) -> None:
    engine.put(
        "cost_and_usage_generations",
        generations(
            (OLD, 5.0, "EC2"),
            (NEW, 5.0, "EC2"),
            (OLD, 1.0, "S3"),
            (NEW, 1.5, "S3"),
            (OLD, 3.0, "gone"),
            (NEW, 2.0, "come"),
        ),
    )
    sql = statement("generation_changes", generation=NEW, previous_generation=OLD, **PERIOD_NAMES)
    assert [tuple(row.values())[:5] for row in engine.rows(sql)] == [
        ("222222222222", "gone", "Usage", 3, 0),
        ("222222222222", "come", "Usage", 0, 2),
        ("222222222222", "S3", "Usage", 1, Decimal("1.5")),
    ]


def test_a_charge_type_that_did_not_change_stands_beside_one_that_did(engine: Engine) -> None:
    engine.put("cost_and_usage_generations", generations((OLD, 5.0, "EC2"), (NEW, 5.0, "EC2")))
    refund = cost(-1.0, NEW, servicename="EC2", x_chargetype="Refund") | {"generation": NEW}
    engine.put("cost_and_usage_generations", [refund])
    sql = statement("generation_changes", generation=NEW, previous_generation=OLD, **PERIOD_NAMES)
    assert [tuple(row.values())[2:] for row in engine.rows(sql)] == [
        ("Refund", 0, -1, 0, Decimal("-0.5")),
        ("Usage", 5, 5, Decimal("2.5"), Decimal("2.5")),
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("account_id", "11111111111"),
        ("account_id", "111111111111' OR '1'='1"),
        ("period", "2026-13"),
        ("generation", "20261103T063000Z-aaaaaaaa'"),
        ("generation", "20261103T063000Z-aaaaaaaa\n"),
    ],
)
def test_a_value_of_another_shape_never_stands_in_a_statement(name: str, value: str) -> None:
    with pytest.raises(Defect, match=name):
        bind(f"SELECT 1 WHERE x = :{name}", **{name: value})


def test_a_name_without_a_value_is_a_defect() -> None:
    with pytest.raises(Defect, match="period"):
        bind("SELECT 1 WHERE x = :period")


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_has_the_columns_it_declares(engine: Engine, view: View) -> None:
    assert engine.columns(view.sql) == [(column.name, column.type) for column in view.columns]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_is_stored_as_athena_stores_it(view: View) -> None:
    text = view.original_text
    body = json.loads(base64.b64decode(text.removeprefix("/* Presto View: ").removesuffix(" */")))
    assert body["originalSql"] == view.sql
    assert (body["catalog"], body["schema"]) == ("awsdatacatalog", "cloudspend")
    types = {column["name"]: column["type"] for column in body["columns"]}
    assert list(types) == [column.name for column in view.columns]
    assert "string" not in types.values()


def test_daily_cost_by_service(engine: Engine) -> None:
    engine.put("cost_and_usage", [cost(0.1) for _ in range(10)] + [cost(2.0, servicename="EC2")])
    found = {row["service"]: row for row in engine.rows(VIEW["cost_by_service_daily"].sql)}
    assert found["AmazonS3"]["billed_cost"] == 1.0
    assert found["EC2"]["effective_cost"] == 1.0
    assert str(found["EC2"]["usage_date"]) == "2026-10-01"


def test_monthly_cost_by_account(engine: Engine) -> None:
    engine.put("cost_and_usage", [cost(1.0), cost(2.0), cost(4.0, subaccountid="333333333333")])
    rows = engine.rows(VIEW["cost_by_account_monthly"].sql)
    assert {row["sub_account_id"]: row["billed_cost"] for row in rows} == {
        "222222222222": 3.0,
        "333333333333": 4.0,
    }


def stated(account_id: str, sub_account_id: str, period: str, cost: float) -> dict[str, Any]:
    """A row of Cost Explorer's months."""
    return {
        "account_id": account_id,
        "billing_period": period,
        "sub_account_id": sub_account_id,
        "service": "EC2 - Other",
        "unblended_cost": cost,
        "amortized_cost": cost + 2,
        "net_amortized_cost": cost + 1,
        "currency": "USD",
    }


SHOP, BANK = "222222222222", "333333333333"


def estimates(engine: Engine) -> list[tuple[Any, ...]]:
    rows = engine.rows(VIEW["cost_with_estimates"].sql)
    names = ("account_id", "billing_period", "sub_account_id", "billed_cost", "estimate")
    return sorted(tuple(row[name] for name in names) for row in rows)


def test_an_estimate_stands_only_where_no_bill_does(engine: Engine) -> None:
    before = str(PERIOD.previous)
    engine.put(
        "cost_explorer_monthly_services",
        [stated(ACCOUNT, SHOP, before, 7.0), stated(ACCOUNT, SHOP, str(PERIOD), 5.0)],
    )
    assert estimates(engine) == [
        (ACCOUNT, before, SHOP, 7.0, True),
        (ACCOUNT, str(PERIOD), SHOP, 5.0, True),
    ]
    engine.put("cost_and_usage", [cost(4.0)])
    assert estimates(engine) == [
        (ACCOUNT, before, SHOP, 7.0, True),
        (ACCOUNT, str(PERIOD), SHOP, 4.0, False),
    ]
    (estimated,) = [r for r in engine.rows(VIEW["cost_with_estimates"].sql) if r["estimate"]]
    assert (estimated["effective_cost"], estimated["service"]) == (8.0, "EC2 - Other")


def test_a_month_with_a_bill_has_no_estimate_beside_it(engine: Engine) -> None:
    engine.put("cost_and_usage", [cost(4.0)])
    engine.put("cost_explorer_monthly_services", [stated(ACCOUNT, BANK, str(PERIOD), 4.0)])
    assert [(row[2], row[-1]) for row in estimates(engine)] == [(SHOP, False)]


def test_an_estimate_is_of_no_account_whose_month_another_bill_has(engine: Engine) -> None:
    engine.put("cost_and_usage", [cost(4.0)])
    engine.put("cost_explorer_monthly_services", [stated(SHOP, SHOP, str(PERIOD), 4.0)])
    assert [row[-1] for row in estimates(engine)] == [False]


def test_two_that_tell_of_one_account_are_not_added(engine: Engine) -> None:
    before = str(PERIOD.previous)
    engine.put(
        "cost_explorer_monthly_services",
        [
            stated(SHOP, SHOP, before, 4.0),
            stated(ACCOUNT, SHOP, before, 4.0),
            stated(ACCOUNT, BANK, before, 1.0),
        ],
    )
    assert [row[:4] for row in estimates(engine)] == [
        (ACCOUNT, before, SHOP, 4.0),
        (ACCOUNT, before, BANK, 1.0),
    ]


def reconciliation(generation: str) -> dict[str, Any]:
    return {
        "account_id": ACCOUNT,
        "billing_period": str(PERIOD),
        "generation": generation,
        "verdict": "certified",
        "reason": "It matches.",
        "residual": 0.0,
    }


def test_a_period_is_certified_by_the_reconciliation_of_its_generation(engine: Engine) -> None:
    engine.put("cost_and_usage", [cost(1.0, NEW), cost(2.0, NEW)])
    engine.put("reconciliation", [reconciliation(NEW)])
    [row] = engine.rows(VIEW["billing_periods"].sql)
    assert (row["generation"], row["certification"], row["reason"]) == (
        NEW,
        "certified",
        "It matches.",
    )
    assert (row["row_count"], row["billed_cost"], row["currency"]) == (2, 3.0, "USD")


def test_a_period_does_not_borrow_an_earlier_generations_certificate(engine: Engine) -> None:
    engine.put("cost_and_usage", [cost(1.0, NEW)])
    engine.put("reconciliation", [reconciliation(OLD)])
    [row] = engine.rows(VIEW["billing_periods"].sql)
    assert (row["generation"], row["certification"], row["residual"]) == (NEW, "provisional", None)
    assert row["reason"] == "Not compared with Cost Explorer yet."
    assert row["billed_cost"] == 1.0


def test_generations_read_the_same_files_as_the_published_table() -> None:
    assert COST_AND_USAGE_GENERATIONS.columns == COST_AND_USAGE.columns
    assert COST_AND_USAGE_GENERATIONS.data_folder == COST_AND_USAGE.data_folder
    assert len({column.name for column in COST_AND_USAGE.columns}) == len(COST_AND_USAGE.columns)
    assert all(column.name == column.name.lower() for column in COST_AND_USAGE.columns)

"""Faults of an export, and the months that it lacks."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from cloudspend.accounts.model import Export, ExportKind
from cloudspend.exports.definition import Definition, flaws, of_export, of_report
from cloudspend.exports.history import missing_months, support_case
from cloudspend.exports.model import BillingPeriod
from cloudspend.exports.tables import EXPORT_TABLES
from tests.contract.test_exports_definitions_aws import EXPORT, REPORT
from tests.fakes.accounts import an_account

GOOD = Definition(
    Export(ExportKind.CUR_2_0, "a-bucket", "bills", "bill"), "us-east-1", "Parquet", True, True
)
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def query(statement: str, **configuration: str) -> dict[str, Any]:
    configured = {"COST_AND_USAGE_REPORT": configuration}
    return {**EXPORT, "DataQuery": {"QueryStatement": statement, "TableConfigurations": configured}}


def test_a_good_export_has_no_flaw() -> None:
    assert flaws(GOOD, "us-east-1") == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"failure": "INSUFFICIENT_PERMISSION"}, "the bucket's policy does not let AWS write"),
        ({"failure": "BILL_OWNER_CHANGED"}, "another account pays this bill"),
        ({"failure": "INTERNAL_FAILURE"}, "a fault at AWS"),
        ({"failure": "ERROR_NO_BUCKET"}, "the bucket is gone"),
        ({"failure": "SOMETHING_NEW"}, "(SOMETHING_NEW): see AWS support"),
        ({"filtered": True}, "It has a filter"),
        ({"export": Export(ExportKind.CUR_2_0, "a-bucket", "", "bill")}, "no prefix"),
        ({"left_out": ("a", "b", "c", "d")}, "leaves out 4 columns, a, b, c among them"),
        ({"refreshed": False}, "Closed months are not refreshed"),
        ({"resource_ids": False}, "no resource ids"),
        ({"hourly": False}, "not hourly"),
        ({"region": "eu-west-1"}, "Its bucket is in eu-west-1"),
        ({"format": "CSV"}, "It is CSV"),
    ],
)
def test_each_flaw_is_a_sentence(changes: dict[str, Any], said: str) -> None:
    [sentence] = flaws(replace(GOOD, **changes), "us-east-1")
    assert said in sentence


def test_the_worst_comes_first() -> None:
    found = flaws(replace(GOOD, failure="INTERNAL_FAILURE", format="CSV"), "us-east-1")
    assert ["INTERNAL_FAILURE" in one for one in found] == [True, False]


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({}, "refreshed", True),
        ({"RefreshClosedReports": False}, "refreshed", False),
        ({"TimeUnit": "DAILY"}, "hourly", False),
        ({"AdditionalSchemaElements": []}, "resource_ids", False),
        ({"Format": "Parquet"}, "format", "Parquet"),
        ({"ReportStatus": {"lastStatus": "ERROR_PERMISSIONS"}}, "failure", "ERROR_PERMISSIONS"),
        ({"ReportStatus": {"lastStatus": "SUCCESS"}}, "failure", None),
        ({"ReportStatus": {}}, "failure", None),
    ],
)
def test_a_report_is_read(changes: dict[str, Any], field: str, value: object) -> None:
    assert getattr(of_report({**REPORT, **changes}), field) == value


ALL = EXPORT_TABLES[ExportKind.CUR_2_0].query()


@pytest.mark.parametrize(
    ("export", "field", "value"),
    [
        (query(ALL, INCLUDE_RESOURCES="TRUE"), "resource_ids", True),
        (query(ALL), "resource_ids", False),
        (query(ALL, TIME_GRANULARITY="MONTHLY"), "hourly", False),
        (query(ALL), "hourly", True),
        (query(ALL), "filtered", False),
        (query(ALL + " WHERE line_item_product_code = 'AmazonEC2'"), "filtered", True),
        (query(ALL.replace("bill_invoice_id, ", "")), "left_out", ("bill_invoice_id",)),
        (query(ALL.lower()), "left_out", ()),
    ],
)
def test_an_export_is_read(export: dict[str, Any], field: str, value: object) -> None:
    found = of_export(export, None)
    assert found is not None
    assert getattr(found, field) == value


@pytest.mark.parametrize(
    "statement", ["SELECT a FROM CARBON_EMISSIONS", "SELECT", "DELETE FROM COST_AND_USAGE_REPORT"]
)
def test_what_holds_no_cost_is_left_out(statement: str) -> None:
    assert of_export(query(statement), None) is None


def test_the_parameters_are_what_the_stack_takes() -> None:
    assert GOOD.parameters == {
        "ExportSetup": "USE_EXISTING",
        "ExportKind": "CUR_2_0",
        "ExportBucketName": "a-bucket",
        "ExportPrefix": "bills",
        "ExportName": "bill",
    }


def test_the_missing_months_are_those_before_today_that_nobody_published() -> None:
    published = [BillingPeriod(2026, 9), BillingPeriod(2026, 11)]
    months = missing_months(date(2026, 7, 15), published, NOW)
    assert [str(month) for month in months] == ["2026-07", "2026-08", "2026-10"]
    assert missing_months(date(2026, 11, 3), [], NOW) == []


def test_the_support_case_names_export_and_months() -> None:
    text = support_case(an_account(), [BillingPeriod(2026, 7), BillingPeriod(2026, 8)])
    for said in ("111111111111", "a-name", "s3://a-bucket/a-prefix", "2026-07", "2026-08"):
        assert said in text

"""Tolerances, words and amounts, by tables."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from cloudspend.lake.model import Verdict
from cloudspend.reconcile.cells import Cell, Costs, LakeSide, Side
from cloudspend.reconcile.compare import Comparison, Difference, Measure
from cloudspend.reconcile.finality import Finality
from cloudspend.reconcile.verdict import judge
from cloudspend.reconcile.vocabulary import UNMAPPED, vocabulary

COMPUTE = "Amazon Elastic Compute Cloud - Compute"
EC2 = "Amazon Elastic Compute Cloud"
EKS = "Amazon Elastic Container Service for Kubernetes"
CELL = Cell("222222222222", "AWS Lambda", "Usage")


@pytest.mark.parametrize(
    ("lake", "cost_explorer", "within"),
    [
        ("1.00", "1.01", True),
        ("1.00", "1.0101", False),
        ("0", "0.011", False),
        ("100000", "100010", True),
        ("100000", "100010.01", False),
        ("-100000", "-100009", True),
        ("5", "-5", False),
    ],
)
def test_a_cell_agrees_within_a_cent_or_a_ten_thousandth(
    lake: str, cost_explorer: str, within: bool
) -> None:
    difference = Difference(CELL, Measure.BILLED, Decimal(lake), Decimal(cost_explorer))
    assert difference.agrees is within


@pytest.mark.parametrize(
    ("lake", "cost_explorer", "verdict"),
    [
        ("1000.00", "1010.00", Verdict.PROVISIONAL),
        # 1 % of the larger side and one cent for the cell: 10.10 + 0.01.
        ("1000.00", "1010.11", Verdict.PROVISIONAL),
        ("1000.00", "1010.12", Verdict.DISPUTED),
        ("1010.12", "1000.00", Verdict.DISPUTED),
        ("-1000.00", "-1010.12", Verdict.DISPUTED),
        ("0", "0.01", Verdict.PROVISIONAL),
        ("0", "0.0102", Verdict.DISPUTED),
    ],
)
def test_an_open_bill_may_differ_by_one_percent_and_a_cent_per_cell(
    lake: str, cost_explorer: str, verdict: Verdict
) -> None:
    ours, theirs = (Costs(*[Decimal(each)] * 3) for each in (lake, cost_explorer))
    comparison = Comparison(LakeSide({CELL: ours}), Side({CELL: theirs}))
    still_open = Finality(
        datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC), 1, 1, True
    )
    assert judge(comparison, still_open).verdict is verdict


@pytest.mark.parametrize(
    ("code", "name", "family", "service"),
    [
        ("AmazonEC2", EC2, "BoxUsage", COMPUTE),
        ("AmazonEC2", EC2, "HeavyUsage", COMPUTE),
        ("AmazonEC2", EC2, "CPUCredits", "EC2 - Other"),
        ("AmazonEC2", EC2, "", "EC2 - Other"),
        ("AmazonEKS", "Amazon Elastic Kubernetes Service", "", EKS),
        ("", "Amazon CloudWatch", "", "AmazonCloudWatch"),
        ("5xyz", "A Marketplace Product", "", "A Marketplace Product"),
        ("AmazonBrandNew", "", "", "AmazonBrandNew"),
    ],
)
def test_services_of_the_lake(code: str, name: str, family: str, service: str) -> None:
    assert vocabulary().lake_service(code, name, family, "Usage") == service


def test_a_renamed_service_is_one_service_on_both_sides() -> None:
    words = vocabulary()
    assert words.cost_explorer_service("Amazon Elastic Kubernetes Service", "Usage") == (
        words.lake_service("AmazonEKS", "", "", "Usage")
    )


@pytest.mark.parametrize(
    ("lake", "cost_explorer"),
    [
        ("Usage", "Usage"),
        ("RIFee", "Recurring"),
        ("Fee", "Upfront"),
        ("Fee", "Support"),
        ("SppDiscount", "Solution Provider Program Discount"),
        ("SavingsPlanCoveredUsage", "SavingsPlanNegation"),
    ],
)
def test_charge_types_meet(lake: str, cost_explorer: str) -> None:
    words = vocabulary()
    assert words.lake_charge_type(lake) == words.cost_explorer_charge_type(cost_explorer)
    assert words.lake_charge_type(lake) != UNMAPPED


def test_a_word_has_one_meaning() -> None:
    words = vocabulary()
    assert words.lake_charge_type("SomethingNew") == UNMAPPED
    assert words.cost_explorer_charge_type("Something New") == UNMAPPED
    assert not set(words.by_name) & set(words.by_name.values())

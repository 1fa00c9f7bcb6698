"""Tolerances, words and amounts, by tables."""

from decimal import Decimal

import pytest

from cloudspend.reconcile.cells import Cell
from cloudspend.reconcile.compare import Difference, Measure
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

"""Reservations and Savings Plans as the local Cost Explorer shows them."""

import json
from typing import Any

import pytest

from local.billing import COST_EXPLORER
from local.billing.ledger import LEDGER
from local.services import respond
from tests.unit.local_billing.a_bill import COLUMNS, MEMBER, PAYER, row

FACTS = (
    "lineItem/UsageAmount",
    "product/instanceType",
    "product/region",
    "pricing/publicOnDemandCost",
    "reservation/ReservationARN",
    "reservation/EffectiveCost",
    "reservation/UnusedQuantity",
    "reservation/UnusedRecurringFee",
    "savingsPlan/TotalCommitmentToDate",
    "savingsPlan/UsedCommitment",
    "savingsPlan/SavingsPlanEffectiveCost",
)
RESERVATION = f"arn:aws:ec2:us-east-1:{MEMBER}:reserved-instances/0b1c"
EC2 = "Amazon Elastic Compute Cloud - Compute"
BOX = {"code": "AmazonEC2", "usage": "BoxUsage:m5.large"}
MACHINE = {"product/instanceType": "m5.large", "product/region": "us-east-1"}


def line(cost: str, kind: str, day: str, box: dict[str, str] = BOX, **facts: str) -> list[str]:
    stated = {name.replace("_", "/"): value for name, value in facts.items()}
    begun = row(MEMBER, cost, kind=kind, day=f"{day}T00:00:00Z", **box)
    return [*begun, *(stated.get(name, "") for name in FACTS)]


def used(day: str) -> list[str]:
    return line(
        "0",
        "DiscountedUsage",
        day,
        lineItem_UsageAmount="18",
        pricing_publicOnDemandCost="3.6",
        reservation_ReservationARN=RESERVATION,
        reservation_EffectiveCost="2.4",
        product_instanceType="m5.large",
    )


@pytest.fixture(autouse=True)
def bill() -> None:
    rows = [
        used("2026-11-01"),
        used("2026-11-02"),
        line("2", "Usage", "2026-11-02", lineItem_UsageAmount="10"),
        line(
            "7.2",
            "RIFee",
            "2026-11-01",
            {"code": "AmazonEC2", "usage": "HeavyUsage:m5.large"},
            lineItem_UsageAmount="720",
            reservation_ReservationARN=RESERVATION,
            reservation_UnusedQuantity="12",
            reservation_UnusedRecurringFee="1.6",
        ),
        line(
            "3",
            "SavingsPlanRecurringFee",
            "2026-11-02",
            {"code": "ComputeSavingsPlans", "usage": "ComputeSP:1yrNoUpfront"},
            savingsPlan_TotalCommitmentToDate="3",
            savingsPlan_UsedCommitment="2.4",
        ),
        line(
            "4", "SavingsPlanCoveredUsage", "2026-11-02", savingsPlan_SavingsPlanEffectiveCost="2.4"
        ),
    ]
    LEDGER.replace(PAYER, "2026-11", [*COLUMNS, *FACTS], rows)


def ask(operation: str, account: str = PAYER, **request: Any) -> dict[str, Any]:
    body = json.dumps(request).encode()
    answer: dict[str, Any] = json.loads(respond("ce", COST_EXPLORER, operation, account, body)[2])
    return answer


WHEN = {"Start": "2026-11-01", "End": "2026-11-03"}
DAYS = {"TimePeriod": WHEN, "Granularity": "DAILY"}


def test_coverage_is_the_share_of_running_hours_that_a_reservation_paid() -> None:
    answer = ask("GetReservationCoverage", **DAYS)
    first, second = (each["Total"]["CoverageHours"] for each in answer["CoveragesByTime"])
    assert first["CoverageHoursPercentage"] == "100"
    assert (second["ReservedHours"], second["OnDemandHours"]) == ("18", "10")
    assert second["CoverageHoursPercentage"].startswith("64.28")
    assert answer["CoveragesByTime"][1]["Total"]["CoverageCost"] == {"OnDemandCost": "2"}


def test_utilization_of_a_reservation_takes_what_its_fee_says_was_not_used() -> None:
    group = [{"Type": "DIMENSION", "Key": "SUBSCRIPTION_ID"}]
    answer = ask("GetReservationUtilization", TimePeriod=WHEN, GroupBy=group)
    (found,) = answer["UtilizationsByTime"][0]["Groups"]
    assert found["Value"] == "0b1c"
    assert found["Attributes"]["accountId"] == MEMBER
    use = found["Utilization"]
    assert (use["PurchasedHours"], use["TotalActualHours"], use["UnusedHours"]) == (
        "48",
        "36",
        "12",
    )
    assert use["UtilizationPercentage"] == "75"
    assert use["NetRISavings"] == "0.8"  # 7.2 on demand, less 4.8 used and 1.6 wasted
    refused = ask("GetReservationUtilization", **DAYS, GroupBy=group)
    assert refused["__type"] == "ValidationException"


def test_what_runs_in_every_hour_is_recommended() -> None:
    rows = [
        line("48", "Usage", f"2026-11-{day:02}", lineItem_UsageAmount="48", **_machine())
        for day in range(16, 23)
    ]
    LEDGER.replace(PAYER, "2026-11", [*COLUMNS, *FACTS], rows)
    answer = ask("GetReservationPurchaseRecommendation", Service=EC2, TermInYears="THREE_YEARS")
    (found,) = answer["Recommendations"][0]["RecommendationDetails"]
    assert found["RecommendedNumberOfInstancesToPurchase"] == "2"
    assert found["EstimatedMonthlySavingsAmount"] == "730"  # half of 2 USD for 730 hours
    assert ask("GetReservationPurchaseRecommendation", Service="AWS Lambda")["__type"] == (
        "ValidationException"
    )


def _machine() -> dict[str, str]:
    return {name.replace("/", "_"): value for name, value in MACHINE.items()}


def test_savings_plans_are_told_by_commitment_and_by_spend() -> None:
    use = ask("GetSavingsPlansUtilization", **DAYS)
    (_, second) = use["SavingsPlansUtilizationsByTime"]
    assert second["Utilization"]["UtilizationPercentage"] == "80"
    assert second["Savings"] == {"NetSavings": "1", "OnDemandCostEquivalent": "4"}
    cover = ask("GetSavingsPlansCoverage", **DAYS)["SavingsPlansCoverages"]
    assert cover[1]["Coverage"]["SpendCoveredBySavingsPlans"] == "2.4"
    assert cover[1]["Coverage"]["OnDemandCost"] == "2"


def test_coverage_comes_in_pages() -> None:
    asked = {"TimePeriod": {"Start": "2026-11-01", "End": "2026-11-09"}, "Granularity": "DAILY"}
    first = ask("GetSavingsPlansCoverage", **asked)
    rest = ask("GetSavingsPlansCoverage", **asked, NextToken=first["NextToken"])
    assert len(first["SavingsPlansCoverages"] + rest["SavingsPlansCoverages"]) == 8
    assert "NextToken" not in rest


@pytest.mark.parametrize(
    "operation",
    [
        "GetReservationCoverage",
        "GetReservationUtilization",
        "GetSavingsPlansUtilization",
        "GetSavingsPlansCoverage",
    ],
)
def test_an_account_without_commitments_has_no_such_data(operation: str) -> None:
    answer = ask(operation, "999999999999", **DAYS)
    assert answer["__type"] == "DataUnavailableException"

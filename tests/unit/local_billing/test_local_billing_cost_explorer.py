"""Cost Explorer's answers, through the checks against AWS's model."""

import json
from decimal import Decimal
from typing import Any

import pytest

from local.billing import organizations, pages
from local.billing.cost_explorer import HANDLERS
from local.services import respond
from tests.unit.local_billing.a_bill import MEMBER, OTHER, PAYER, post, row

OCTOBER = {"Start": "2026-10-01", "End": "2026-11-01"}


def ask(operation: str, account: str = PAYER, **request: Any) -> dict[str, Any]:
    body = json.dumps({"TimePeriod": OCTOBER, **request}).encode()
    status, _, answer = respond("ce", HANDLERS, operation, account, body)
    found: dict[str, Any] = json.loads(answer)
    assert (status == 200) == ("__type" not in found)
    return found


def costs(account: str = PAYER, **request: Any) -> dict[str, Any]:
    defaults = {"Granularity": "MONTHLY", "Metrics": ["UnblendedCost"]}
    return ask("GetCostAndUsage", account, **{**defaults, **request})


def by(*keys: str) -> list[dict[str, str]]:
    return [{"Type": "DIMENSION", "Key": key} for key in keys]


def amounts(answer: dict[str, Any]) -> dict[tuple[str, ...], str]:
    return {
        tuple(group["Keys"]): group["Metrics"]["UnblendedCost"]["Amount"]
        for result in answer["ResultsByTime"]
        for group in result["Groups"]
    }


def test_a_total_is_exact_and_in_the_bills_currency() -> None:
    post([row(MEMBER, "0.1"), row(MEMBER, "0.2"), row(OTHER, "0.0000000001")])
    (result,) = costs()["ResultsByTime"]
    assert result["Total"]["UnblendedCost"] == {"Amount": "0.3000000001", "Unit": "USD"}
    assert result["TimePeriod"] == OCTOBER
    assert result["Estimated"] is False


def test_groups_are_by_two_dimensions_and_only_where_there_is_something() -> None:
    post([row(MEMBER, "1"), row(MEMBER, "2", code="AmazonRDS"), row(OTHER, "3")])
    answer = costs(GroupBy=by("LINKED_ACCOUNT", "SERVICE"))
    assert amounts(answer) == {
        (MEMBER, "Amazon Relational Database Service"): "2",
        (MEMBER, "Amazon Simple Storage Service"): "1",
        (OTHER, "Amazon Simple Storage Service"): "3",
    }
    assert answer["ResultsByTime"][0]["Total"] == {}
    assert answer["GroupDefinitions"] == by("LINKED_ACCOUNT", "SERVICE")


def test_linked_accounts_are_described_by_their_names() -> None:
    world = {
        "management": PAYER,
        "members": [
            {"id": PAYER, "name": "Payer", "email": "payer@example.com"},
            {"id": MEMBER, "name": "Member", "email": "member@example.com"},
        ],
    }
    organizations.door("PUT", json.dumps(world).encode())
    post([row(MEMBER, "1")])
    attributes = costs(GroupBy=by("LINKED_ACCOUNT", "SERVICE"))["DimensionValueAttributes"]
    assert attributes == [{"Value": MEMBER, "Attributes": {"description": "Member"}}]


FILTERS: list[tuple[dict[str, Any], str]] = [
    ({"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Usage"]}}, "3"),
    ({"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [MEMBER, OTHER]}}, "7"),
    ({"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Usage"]}}}, "4"),
    (
        {
            "And": [
                {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Usage"]}},
                {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [OTHER]}},
            ]
        },
        "2",
    ),
    (
        {
            "Or": [
                {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Tax"]}},
                {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [OTHER]}},
            ]
        },
        "6",
    ),
]


@pytest.mark.parametrize(("expression", "total"), FILTERS)
def test_filters(expression: dict[str, Any], total: str) -> None:
    post([row(MEMBER, "1"), row(OTHER, "2"), row(MEMBER, "4", kind="Tax")])
    (result,) = costs(Filter=expression)["ResultsByTime"]
    assert result["Total"]["UnblendedCost"]["Amount"] == total


def test_the_end_is_exclusive_and_days_are_cut_at_midnight() -> None:
    post(
        [row(MEMBER, "1", day="2026-10-01T23:00:00Z"), row(MEMBER, "2", day="2026-10-02T00:00:00Z")]
    )
    day = {"Start": "2026-10-01", "End": "2026-10-02"}
    (result,) = costs(TimePeriod=day, Granularity="DAILY")["ResultsByTime"]
    assert result["Total"]["UnblendedCost"]["Amount"] == "1"


def test_months_are_answered_one_by_one() -> None:
    post([row(MEMBER, "1", day="2026-09-01T00:00:00Z")], period="2026-09")
    post([row(MEMBER, "2")])
    both = costs(TimePeriod={"Start": "2026-09-01", "End": "2026-11-01"})["ResultsByTime"]
    assert [each["Total"]["UnblendedCost"]["Amount"] for each in both] == ["1", "2"]


def test_figures_are_estimated_until_every_charge_has_its_invoice() -> None:
    post([row(MEMBER, "1"), row(MEMBER, "1", invoice="")])
    assert costs()["ResultsByTime"][0]["Estimated"] is True


def test_the_current_month_is_estimated() -> None:
    post([row(MEMBER, "1", day="2026-11-02T00:00:00Z")], period="2026-11")
    month = {"Start": "2026-11-01", "End": "2026-12-01"}
    assert costs(TimePeriod=month)["ResultsByTime"][0]["Estimated"] is True


def pages_of(**request: Any) -> list[dict[str, Any]]:
    found = [costs(**request)]
    while "NextPageToken" in found[-1]:
        found.append(costs(**request, NextPageToken=found[-1]["NextPageToken"]))
    return found


def test_pages_hold_every_group_once() -> None:
    count = 2 * pages.PAGE_SIZE + 1
    post([row(f"{number:012d}", "1") for number in range(count)])
    found = pages_of(GroupBy=by("LINKED_ACCOUNT"))
    groups = [key for page in found for key in amounts(page)]
    assert len(found) == 3
    assert len(groups) == len(set(groups)) == count


def test_a_page_of_another_request_is_refused() -> None:
    post([row(f"{number:012d}", "1") for number in range(20)])
    token = costs(GroupBy=by("LINKED_ACCOUNT"))["NextPageToken"]
    other = costs(GroupBy=by("LINKED_ACCOUNT", "SERVICE"), NextPageToken=token)
    assert other["__type"] == "RequestChangedException"
    broken = costs(GroupBy=by("LINKED_ACCOUNT"), NextPageToken="page two")
    assert broken["__type"] == "InvalidNextTokenException"


@pytest.mark.parametrize(
    "request_",
    [
        {"TimePeriod": {"Start": "2026-11-01", "End": "2026-10-01"}},
        {"TimePeriod": {"Start": "2026-12-01", "End": "2027-01-01"}},
        {"TimePeriod": {"Start": "2024-01-01", "End": "2024-02-01"}},
        {"Granularity": "HOURLY"},
        {"Metrics": ["Money"]},
        {"Metrics": []},
        {"GroupBy": by("SERVICE", "LINKED_ACCOUNT", "RECORD_TYPE")},
        {"GroupBy": [{"Type": "TAG", "Key": "team"}]},
        {"GroupBy": by("PLANET")},
        {"Filter": {}},
        {"Filter": {"And": [{"Dimensions": {"Key": "SERVICE", "Values": ["x"]}}]}},
        {"Filter": {"Tags": {"Key": "team", "Values": ["x"]}}},
        {"Filter": {"Dimensions": {"Key": "SERVICE", "Values": []}}},
    ],
)
def test_what_cost_explorer_refuses(request_: dict[str, Any]) -> None:
    post([row(MEMBER, "1")])
    assert costs(**request_)["__type"] == "ValidationException"


def test_an_account_without_a_bill_has_no_data() -> None:
    post([row(MEMBER, "1")])
    assert costs(OTHER)["__type"] == "DataUnavailableException"


def test_dimension_values_are_those_of_the_time() -> None:
    post([row(MEMBER, "1"), row(MEMBER, "1", kind="EdpDiscount")])
    post([row(MEMBER, "1", kind="Tax", day="2026-09-01T00:00:00Z")], period="2026-09")
    answer = ask("GetDimensionValues", Dimension="RECORD_TYPE")
    values = [each["Value"] for each in answer["DimensionValues"]]
    assert values == ["Enterprise Discount Program Discount", "Usage"]
    assert (answer["ReturnSize"], answer["TotalSize"]) == (2, 2)
    found = ask("GetDimensionValues", Dimension="RECORD_TYPE", SearchString="discount")
    assert found["TotalSize"] == 1


def test_the_sum_of_the_groups_is_the_total() -> None:
    post([row(f"{number % 7:012d}", f"0.{number}") for number in range(1, 50)])
    (total,) = costs()["ResultsByTime"]
    groups = [amounts(page) for page in pages_of(GroupBy=by("LINKED_ACCOUNT", "SERVICE"))]
    summed = sum(Decimal(amount) for page in groups for amount in page.values())
    assert summed == Decimal(total["Total"]["UnblendedCost"]["Amount"])

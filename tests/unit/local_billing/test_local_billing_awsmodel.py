"""Requests and answers against AWS's models."""

import pytest

from local import awsmodel

PERIOD = {"Start": "2026-10-01", "End": "2026-11-01"}
REQUEST = {"TimePeriod": PERIOD, "Granularity": "MONTHLY", "Metrics": ["UnblendedCost"]}


def test_what_the_model_allows_is_no_problem() -> None:
    assert awsmodel.request_problem("ce", "GetCostAndUsage", REQUEST) == ""


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"Metrics": None}, "Metrics"),
        ({"TimePeriod": {"Start": "2026-10-01"}}, "End"),
        ({"Granularity": "YEARLY"}, "Granularity"),
        ({"TimePeriod": {"Start": "October", "End": "2026-11-01"}}, "TimePeriod.Start"),
        ({"NextPageToken": "x" * 8193}, "NextPageToken"),
        ({"Colour": "red"}, "Colour"),
    ],
)
def test_what_the_model_forbids_is_named(change: dict[str, object], named: str) -> None:
    assert named in awsmodel.request_problem("ce", "GetCostAndUsage", {**REQUEST, **change})


def test_nested_members_are_held_to_their_enumerations() -> None:
    group = {"GroupBy": [{"Type": "PLANET", "Key": "SERVICE"}]}
    problem = awsmodel.request_problem("ce", "GetCostAndUsage", {**REQUEST, **group})
    assert "GroupBy[0].Type" in problem


def test_answers_are_held_to_their_own_shape() -> None:
    assert awsmodel.answer_problem("ce", "GetDimensionValues", {"DimensionValues": []})
    complete = {"DimensionValues": [], "ReturnSize": 0, "TotalSize": 0}
    assert awsmodel.answer_problem("ce", "GetDimensionValues", complete) == ""


def test_only_modelled_and_common_errors_are_errors() -> None:
    assert awsmodel.error_problem("ce", "GetCostAndUsage", "DataUnavailableException") == ""
    assert awsmodel.error_problem("ce", "GetCostAndUsage", "ThrottlingException") == ""
    assert awsmodel.error_problem("ce", "GetCostAndUsage", "DuplicateReportNameException")


def test_an_unknown_operation_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        awsmodel.request_problem("ce", "GetEverything", {})


@pytest.mark.parametrize(
    ("name", "wrong"), [("Shop/October", False), ("a:b", True), ("a <SCRIPT> </script>", True)]
)
def test_flags_in_the_middle_of_a_pattern_are_understood(name: str, wrong: bool) -> None:
    budget = {"BudgetName": name, "BudgetType": "COST", "TimeUnit": "MONTHLY"}
    problem = awsmodel.answer_problem("budgets", "DescribeBudgets", {"Budgets": [budget]})
    assert bool(problem) is wrong

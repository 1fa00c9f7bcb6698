"""What each source asks and makes of AWS's answers, which are held against botocore's models."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from cloudspend.access.checks import PERMISSIONS
from cloudspend.accounts.model import AccountType
from cloudspend.collect.invoices import InvoiceSummary, read_invoices
from cloudspend.collect.model import Days
from cloudspend.collect.pages import all_pages
from cloudspend.collect.ports import NotAvailable
from cloudspend.collect.source import COLLECTED_AT, number
from cloudspend.collect.sources import SOURCES, TABLES
from cloudspend.collect.sources.reservable import SERVICES
from cloudspend.errors import Defect
from cloudspend.exports.model import BillingPeriod
from tests.fakes.accounts import an_account
from tests.fakes.collecting import FakeServices

ACCOUNT = an_account()
DAY = Days(date(2026, 11, 23), date(2026, 11, 24))
MONTH = Days(date(2026, 11, 1), date(2026, 12, 1))
TIME = {"Start": "2026-11-23", "End": "2026-11-24"}
MOMENT = datetime(2026, 11, 3, tzinfo=UTC)

Rows = list[dict[str, Any]]


def rows(name: str, services: FakeServices, asked: Days = DAY) -> Rows:
    """The rows of a source, all of the first day that is asked for; each fits its table."""
    source = SOURCES[name]
    found = list(source.read(all_pages(services), ACCOUNT, asked))
    assert {day for day, _ in found} <= {asked.start}
    columns = [column.name for column in source.table.columns]
    for _, row in found:
        assert sorted([*row, COLLECTED_AT.name]) == sorted(columns)
    keys = [tuple(row[column] for column in source.key) for _, row in found]
    assert not source.key or len(set(keys)) == len(keys)
    return [dict(row) for _, row in found]


@pytest.mark.parametrize(
    ("name", "dimensions", "granularity"),
    [
        ("daily_services", ["LINKED_ACCOUNT", "SERVICE"], "DAILY"),
        ("daily_charge_types", ["LINKED_ACCOUNT", "RECORD_TYPE"], "DAILY"),
        ("monthly_services", ["LINKED_ACCOUNT", "SERVICE"], "MONTHLY"),
    ],
)
def test_costs_by_two_dimensions_in_three_metrics(
    name: str, dimensions: list[str], granularity: str
) -> None:
    figures = {"UnblendedCost": "1.5", "AmortizedCost": "1.25", "NetAmortizedCost": "-1"}
    metrics = {key: {"Amount": value, "Unit": "EUR"} for key, value in figures.items()}
    group = {"Keys": ["222222222222", "Usage"], "Metrics": metrics}
    result = {"TimePeriod": TIME, "Groups": [group], "Estimated": True}
    services = FakeServices(get_cost_and_usage=lambda _: {"ResultsByTime": [result]})
    (row,) = rows(name, services)
    question = services.asked[0][1]
    assert [each["Key"] for each in question["GroupBy"]] == dimensions
    assert question["Granularity"] == granularity
    assert (row["unblended_cost"], row["amortized_cost"], row["net_amortized_cost"]) == (
        1.5,
        1.25,
        -1.0,
    )
    assert (row["currency"], row["estimated"], row["sub_account_id"]) == (
        "EUR",
        True,
        "222222222222",
    )


def test_dimension_values_bear_the_names_of_accounts() -> None:
    def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        linked = request["Dimension"] == "LINKED_ACCOUNT"
        attributes = {"description": "Shop"} if linked else {}
        values = [{"Value": "x", "Attributes": attributes}]
        return {"DimensionValues": values, "ReturnSize": 1, "TotalSize": 1}

    found = rows("dimension_values", FakeServices(get_dimension_values=answer))
    assert [(row["dimension"], row["description"]) for row in found] == [
        ("SERVICE", None),
        ("LINKED_ACCOUNT", "Shop"),
        ("RECORD_TYPE", None),
    ]


def test_tag_keys_come_over_all_pages() -> None:
    def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        if "NextPageToken" in request:
            return {"Tags": ["b"], "ReturnSize": 1, "TotalSize": 2}
        return {"Tags": ["a"], "ReturnSize": 1, "TotalSize": 2, "NextPageToken": "more"}

    assert [row["tag_key"] for row in rows("tag_keys", FakeServices(get_tags=answer))] == ["a", "b"]


def test_cost_categories_keep_their_rules_as_aws_writes_them() -> None:
    arn = "arn:aws:ce::111111111111:costcategory/01234567-89ab-cdef-0123-456789abcdef"
    rule = {"Value": "Shop", "Rule": {"Dimensions": {"Key": "REGION", "Values": ["eu-west-1"]}}}
    services = FakeServices(
        list_cost_category_definitions=lambda _: {
            "CostCategoryReferences": [{"CostCategoryArn": arn, "Values": ["Shop"]}]
        },
        describe_cost_category_definition=lambda _: {
            "CostCategory": {
                "CostCategoryArn": arn,
                "Name": "Unit",
                "EffectiveStart": "2024-01-01T00:00:00Z",
                "RuleVersion": "CostCategoryExpression.v1",
                "Rules": [rule],
            }
        },
    )
    (row,) = rows("cost_categories", services)
    assert json.loads(row["rules"]) == [rule]
    assert (row["name"], row["category_values"]) == ("Unit", '["Shop"]')


def test_coverage_is_asked_for_by_service_and_what_does_not_run_is_left_out() -> None:
    hours = {
        "ReservedHours": "18",
        "OnDemandHours": "6",
        "TotalRunningHours": "24",
        "CoverageHoursPercentage": "75",
    }
    total = {"CoverageHours": hours, "CoverageCost": {"OnDemandCost": "1.5"}}

    def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        if request["Filter"]["Dimensions"]["Values"] != [SERVICES[0]]:
            raise NotAvailable("Nothing runs.")
        return {"CoveragesByTime": [{"TimePeriod": TIME, "Groups": [], "Total": total}]}

    services = FakeServices(get_reservation_coverage=answer)
    (row,) = rows("reservation_coverage", services)
    assert (row["reserved_hours"], row["coverage_percentage"]) == (18, 75)
    assert len(services.asked) == len(SERVICES)


def test_utilization_is_by_reservation_with_its_end() -> None:
    group = {
        "Key": "SUBSCRIPTION_ID",
        "Value": "42",
        "Attributes": {"accountId": "222222222222", "endDateTime": "2027-01-01T00:00:00.000Z"},
        "Utilization": {"PurchasedHours": "24", "UnusedHours": "6", "UtilizationPercentage": "75"},
    }

    def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        assert "Granularity" not in request  # AWS takes no granularity with groups
        if request["Filter"]["Dimensions"]["Values"] != [SERVICES[1]]:
            raise NotAvailable("No reservation.")
        return {"UtilizationsByTime": [{"TimePeriod": TIME, "Groups": [group]}]}

    found = rows("reservation_utilization", FakeServices(get_reservation_utilization=answer), MONTH)
    assert [(row["subscription_id"], row["service"]) for row in found] == [("42", SERVICES[1])]
    assert found[0]["ends_at"] == "2027-01-01T00:00:00.000Z"
    assert found[0]["net_savings"] is None


@pytest.mark.parametrize(
    ("kind", "instance", "named"),
    [
        ("EC2InstanceDetails", {"InstanceType": "m5.large", "Platform": "Linux"}, "m5.large"),
        ("RedshiftInstanceDetails", {"NodeType": "ra3.xlplus"}, "ra3.xlplus"),
        ("ESInstanceDetails", {"InstanceClass": "r6g", "InstanceSize": "large"}, "r6g.large"),
    ],
)
def test_recommendations_are_asked_for_by_service_and_term(
    kind: str, instance: dict[str, str], named: str
) -> None:
    detail = {
        "AccountId": "222222222222",
        "InstanceDetails": {kind: instance},
        "RecommendedNumberOfInstancesToPurchase": "2",
        "EstimatedMonthlySavingsAmount": "12.5",
        "CurrencyCode": "USD",
    }

    def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        if request["Service"] != SERVICES[0]:
            raise NotAvailable("Nothing runs.")
        return {"Recommendations": [{"RecommendationDetails": [detail]}]}

    services = FakeServices(get_reservation_purchase_recommendation=answer)
    found = rows("reservation_recommendations", services)
    assert [row["term"] for row in found] == ["ONE_YEAR", "THREE_YEARS"]
    assert {(row["instance_type"], row["monthly_savings"]) for row in found} == {(named, 12.5)}


def test_savings_plans_are_collected_by_day() -> None:
    use = {"TotalCommitment": "24", "UsedCommitment": "18", "UtilizationPercentage": "75"}
    by_time = [{"TimePeriod": TIME, "Utilization": use, "Savings": {"NetSavings": "3"}}]
    utilization = {"SavingsPlansUtilizationsByTime": by_time, "Total": {"Utilization": {}}}
    (row,) = rows(
        "savings_plans_utilization",
        FakeServices(get_savings_plans_utilization=lambda _: utilization),
    )
    assert (row["commitment"], row["net_savings"]) == (24, 3)
    cover = {"TimePeriod": TIME, "Coverage": {"CoveragePercentage": "60", "OnDemandCost": "2"}}
    (row,) = rows(
        "savings_plans_coverage",
        FakeServices(get_savings_plans_coverage=lambda _: {"SavingsPlansCoverages": [cover]}),
    )
    assert (row["coverage_percentage"], row["on_demand_cost"]) == (60, 2)


def test_budgets_have_actual_and_forecast_spend_and_their_notifications() -> None:
    budget = {
        "BudgetName": "month",
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": "100", "Unit": "USD"},
        "CalculatedSpend": {"ActualSpend": {"Amount": "80", "Unit": "USD"}},
        "TimePeriod": {"Start": MOMENT, "End": MOMENT},
        "CostFilters": {"Service": ["S3"]},
    }
    (row,) = rows("budgets", FakeServices(describe_budgets=lambda _: {"Budgets": [budget]}))
    assert (row["limit_amount"], row["actual_amount"], row["forecast_amount"]) == (100, 80, None)
    assert json.loads(row["filters"]) == {"Service": ["S3"]}
    stated = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
    budgets = [{"BudgetName": "month", "Notifications": [stated]}]
    (row,) = rows(
        "budget_notifications",
        FakeServices(
            describe_budget_notifications_for_account=lambda _: {
                "BudgetNotificationsForAccount": budgets
            }
        ),
    )
    assert (row["threshold"], row["threshold_type"], row["state"]) == (80, "PERCENTAGE", None)


def test_invoices_are_summed_by_nobody_but_aws() -> None:
    amount = {"TotalAmount": "11.90", "TotalAmountBeforeTax": "10.00", "CurrencyCode": "USD"}
    stated = {
        "InvoiceId": "EUINUS26-1",
        "InvoiceType": "INVOICE",
        "Entity": {"BillingEntity": "AWS"},
        "BaseCurrencyAmount": amount,
        "PaymentCurrencyAmount": amount | {"TotalAmount": "10.80", "CurrencyCode": "EUR"},
        "IssuedDate": MOMENT,
    }
    services = FakeServices(list_invoice_summaries=lambda _: {"InvoiceSummaries": [stated]})
    (row,) = rows("invoices", services, MONTH)
    assert (row["total"], row["payment_total"], row["payment_currency"]) == (11.9, 10.8, "EUR")
    assert services.asked[0][1]["Filter"] == {"BillingPeriod": {"Month": 11, "Year": 2026}}
    assert read_invoices(services, ACCOUNT.account_id, BillingPeriod(2026, 11)) == [
        InvoiceSummary(
            "EUINUS26-1",
            "INVOICE",
            "AWS",
            "",
            Decimal("11.90"),
            Decimal("10.00"),
            "USD",
            Decimal("10.80"),
            "EUR",
            MOMENT,
            None,
        )
    ]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "n/a"])
def test_an_invoice_whose_amount_is_no_number_is_a_defect(text: str) -> None:
    amount = {"TotalAmount": text, "TotalAmountBeforeTax": "10.00", "CurrencyCode": "USD"}
    stated = {"InvoiceId": "EUINUS26-1", "BaseCurrencyAmount": amount}
    services = FakeServices(list_invoice_summaries=lambda _: {"InvoiceSummaries": [stated]})
    with pytest.raises(Defect, match="amount is no number"):
        read_invoices(services, ACCOUNT.account_id, BillingPeriod(2026, 11))


def test_accounts_have_their_place_and_no_persons_address() -> None:
    root, unit = "r-ab12", "ou-ab12-12345678"
    member = {"Id": "222222222222", "Name": "Shop", "Email": "Jane.Doe@Example.COM"}
    services = FakeServices(
        describe_organization=lambda _: {"Organization": {"MasterAccountId": ACCOUNT.account_id}},
        list_roots=lambda _: {"Roots": [{"Id": root, "Name": "Root"}]},
        list_accounts_for_parent=lambda request: {
            "Accounts": [member] if request["ParentId"] == unit else []
        },
        list_organizational_units_for_parent=lambda request: {
            "OrganizationalUnits": [{"Id": unit, "Name": "Shops"}]
            if request["ParentId"] == root
            else []
        },
        list_accounts=lambda _: {"Accounts": [member | {"State": "ACTIVE"}]},
        list_tags_for_resource=lambda _: {"Tags": [{"Key": "team", "Value": "a"}]},
    )
    (row,) = rows("organization_accounts", services)
    assert (row["unit_path"], row["email_domain"]) == ("Root/Shops", "example.com")
    assert row["tags"] == {"team": "a"}
    assert "Jane" not in str(row)


def test_every_call_of_a_source_is_a_permission_of_the_role() -> None:
    tried = {permission.action: permission for permission in PERMISSIONS}
    for source in SOURCES.values():
        for call in source.calls:
            assert source.types <= tried[call.action].types, (source.name, call.action)


def test_tables_are_described_and_no_two_sources_share_one() -> None:
    assert len({table.name for table in TABLES}) == len(SOURCES)
    for table in TABLES:
        assert table.comment
        assert all(column.comment for column in table.columns), table.name
    for source in SOURCES.values():
        assert set(source.key) <= {column.name for column in source.table.columns}


@pytest.mark.parametrize("kind", AccountType)
def test_units_are_an_organizations_alone(kind: AccountType) -> None:
    assert SOURCES["organization_accounts"].is_for(an_account(type=kind)) is (
        kind is AccountType.ORGANIZATION
    )


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1,5", "x"])
def test_what_is_no_number_is_named(text: str) -> None:
    with pytest.raises(Defect, match="UnblendedCost is no number"):
        number(text, "UnblendedCost")

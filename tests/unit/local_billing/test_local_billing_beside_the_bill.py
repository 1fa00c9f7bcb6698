"""Invoices, budgets, tags, cost categories and the organization's units of the local cloud."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from local.billing import COST_EXPLORER, budgets, invoices, organizations
from local.billing.ledger import LEDGER
from local.services import Handler, respond
from tests.unit.local_billing.a_bill import COLUMNS, MEMBER, PAYER, post, row

EXTRA = ("resourceTags/user:team", "resourceTags/aws:createdBy", "costCategory/Unit")
WHEN = {"Start": "2026-10-01", "End": "2026-11-01"}
ROOT = "organizations"


def ask(service: str, operation: str, account: str = PAYER, **request: Any) -> dict[str, Any]:
    handlers: Mapping[str, Mapping[str, Handler]] = {
        "ce": COST_EXPLORER,
        "budgets": budgets.HANDLERS,
        "invoicing": invoices.HANDLERS,
        "organizations": organizations.HANDLERS,
    }
    body = json.dumps(request).encode()
    answer: dict[str, Any] = json.loads(
        respond(service, handlers[service], operation, account, body)[2]
    )
    return answer


# Invoices


def summaries(account: str = PAYER, month: int = 10, **more: Any) -> dict[str, Any]:
    return ask(
        "invoicing",
        "ListInvoiceSummaries",
        account,
        Selector={"ResourceType": "ACCOUNT_ID", "Value": PAYER},
        Filter={"BillingPeriod": {"Month": month, "Year": 2026}},
        **more,
    )


def test_an_invoice_is_the_sum_of_its_line_items_to_the_cent() -> None:
    tax = row(PAYER, "1.904", kind="Tax")
    post([row(PAYER, "6.001"), row(MEMBER, "4"), tax, row(PAYER, "9", invoice="")])
    (found,) = summaries()["InvoiceSummaries"]
    assert found["InvoiceId"] == "123"
    assert found["BaseCurrencyAmount"] == {
        "TotalAmount": "11.90",
        "TotalAmountBeforeTax": "10.00",
        "CurrencyCode": "USD",
    }
    assert summaries(month=9)["InvoiceSummaries"] == []


def test_invoices_are_the_payers_and_come_in_pages() -> None:
    post([row(PAYER, "1", invoice=str(number)) for number in range(7)])
    first = summaries()
    rest = summaries(NextToken=first["NextToken"])
    assert len(first["InvoiceSummaries"] + rest["InvoiceSummaries"]) == 7
    assert summaries(MEMBER)["__type"] == "AccessDeniedException"


def test_a_negative_invoice_is_a_credit_memo() -> None:
    post([row(PAYER, "-5", kind="Refund")])
    assert summaries()["InvoiceSummaries"][0]["InvoiceType"] == "CREDIT_MEMO"


# Budgets


def stated(**budget: Any) -> None:
    status, answer = budgets.door(
        "PUT", json.dumps({"account": PAYER, "budgets": [budget]}).encode()
    )
    assert status == 200, answer


def test_a_budget_has_what_was_spent_and_what_will_be() -> None:
    days = [row(PAYER, "10", day=f"2026-11-{day:02}T00:00:00Z") for day in range(1, 11)]
    post([*days, row(MEMBER, "5", day="2026-11-02T00:00:00Z")], "2026-11")
    stated(
        name="month",
        limit="200",
        filters={"LinkedAccount": [PAYER]},
        notifications=[
            {"type": "ACTUAL", "threshold": 40},
            {"type": "ACTUAL", "threshold": 150, "threshold_type": "ABSOLUTE_VALUE"},
            {"type": "FORECASTED", "threshold": 100},
        ],
    )
    (budget,) = ask("budgets", "DescribeBudgets", AccountId=PAYER)["Budgets"]
    assert budget["CalculatedSpend"] == {
        "ActualSpend": {"Amount": "100.000", "Unit": "USD"},
        "ForecastedSpend": {"Amount": "300.000", "Unit": "USD"},
    }
    (found,) = ask("budgets", "DescribeBudgetNotificationsForAccount", AccountId=PAYER)[
        "BudgetNotificationsForAccount"
    ]
    states = [each["NotificationState"] for each in found["Notifications"]]
    assert states == ["ALARM", "OK", "ALARM"]


def test_budgets_are_the_accounts_own_and_the_door_refuses_what_is_none() -> None:
    stated(name="month", limit="200")
    assert ask("budgets", "DescribeBudgets", MEMBER, AccountId=PAYER)["__type"] == (
        "AccessDeniedException"
    )
    assert budgets.door("GET", b"") == (200, {PAYER: 1})
    wrong = {"account": PAYER, "budgets": [{"name": "x", "limit": "1", "filters": {"Colour": []}}]}
    assert budgets.door("PUT", json.dumps(wrong).encode())[0] == 400
    assert budgets.door("DELETE", b"")[0] == 405


# Tags and cost categories


def labelled() -> None:
    rows = [
        [*row(PAYER, "1"), "shop", "", "Retail"],
        [*row(MEMBER, "1"), "lake", "root", "Data"],
        [*row(PAYER, "1"), "", "", "Data"],
    ]
    LEDGER.replace(PAYER, "2026-10", [*COLUMNS, *EXTRA], rows)


def test_tag_keys_are_those_on_the_bill_without_the_users_prefix() -> None:
    labelled()
    assert ask("ce", "GetTags", TimePeriod=WHEN)["Tags"] == ["aws:createdBy", "team"]
    assert ask("ce", "GetTags", TimePeriod=WHEN, TagKey="team")["Tags"] == ["lake", "shop"]
    assert ask("ce", "GetTags", "999999999999", TimePeriod=WHEN)["__type"] == (
        "DataUnavailableException"
    )


def test_a_cost_category_has_a_rule_for_each_value() -> None:
    labelled()
    (listed,) = ask("ce", "ListCostCategoryDefinitions")["CostCategoryReferences"]
    assert (listed["Name"], listed["Values"]) == ("Unit", ["Data", "Retail"])
    arn = listed["CostCategoryArn"]
    described = ask("ce", "DescribeCostCategoryDefinition", CostCategoryArn=arn)["CostCategory"]
    accounts = [rule["Rule"]["Dimensions"]["Values"] for rule in described["Rules"]]
    assert accounts == [[PAYER, MEMBER], [PAYER]]
    assert ask("ce", "ListCostCategoryDefinitions", MEMBER)["CostCategoryReferences"] == []
    missing = ask("ce", "DescribeCostCategoryDefinition", MEMBER, CostCategoryArn=arn)
    assert missing["__type"] == "ResourceNotFoundException"


# The organization's units


@pytest.fixture
def organization() -> None:
    members = [
        {"id": PAYER, "name": "Payer", "email": "a@example.com"},
        {
            "id": MEMBER,
            "name": "Shop",
            "email": "b@example.com",
            "unit": "Workloads/Production",
            "tags": {"team": "shop"},
        },
    ]
    organizations.door("PUT", json.dumps({"management": PAYER, "members": members}).encode())


def test_units_are_walked_from_the_root(organization: None) -> None:
    (root,) = ask(ROOT, "ListRoots")["Roots"]
    (workloads,) = ask(ROOT, "ListOrganizationalUnitsForParent", ParentId=root["Id"])[
        "OrganizationalUnits"
    ]
    (production,) = ask(ROOT, "ListOrganizationalUnitsForParent", ParentId=workloads["Id"])[
        "OrganizationalUnits"
    ]
    assert (workloads["Name"], production["Name"]) == ("Workloads", "Production")
    found = {
        parent: [
            each["Id"] for each in ask(ROOT, "ListAccountsForParent", ParentId=parent)["Accounts"]
        ]
        for parent in (root["Id"], workloads["Id"], production["Id"])
    }
    assert list(found.values()) == [[PAYER], [], [MEMBER]]
    nowhere = ask(ROOT, "ListAccountsForParent", ParentId="ou-abcd-12345678")
    assert nowhere["__type"] == "ParentNotFoundException"


def test_tags_are_an_accounts_and_for_the_management_account_only(organization: None) -> None:
    assert ask(ROOT, "ListTagsForResource", ResourceId=MEMBER)["Tags"] == [
        {"Key": "team", "Value": "shop"}
    ]
    assert ask(ROOT, "ListTagsForResource", MEMBER, ResourceId=MEMBER)["__type"] == (
        "AccessDeniedException"
    )
    assert ask(ROOT, "ListTagsForResource", ResourceId="999999999999")["__type"] == (
        "TargetNotFoundException"
    )

"""Budgets of an account with actual and forecast spend."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from cloudspend.accounts.model import Account
from cloudspend.collect.calls import BUDGETS
from cloudspend.collect.model import Days, Granularity
from cloudspend.collect.source import Ask, Found, Source, number, table
from cloudspend.lake.tables import Column


def read(ask: Ask, account: Account, asked: Days) -> Iterator[Found]:
    question = {"AccountId": account.account_id, "ShowFilterExpression": True}
    for page in ask(BUDGETS, question):
        for budget in page.get("Budgets", ()):
            yield asked.start, _row(budget)


def _row(budget: Any) -> dict[str, Any]:
    """Return the row of a budget. For planned limits, AWS returns the current one among them
    only.
    """
    spent = budget.get("CalculatedSpend", {})
    limit, actual = budget.get("BudgetLimit", {}), spent.get("ActualSpend", {})
    period: dict[str, datetime] = budget.get("TimePeriod", {})
    filters = budget.get("FilterExpression") or budget.get("CostFilters") or {}
    return {
        "budget_name": budget["BudgetName"],
        "budget_type": budget["BudgetType"],
        "time_unit": budget["TimeUnit"],
        "limit_amount": number(limit.get("Amount"), "BudgetLimit"),
        "actual_amount": number(actual.get("Amount"), "ActualSpend"),
        "forecast_amount": number(
            spent.get("ForecastedSpend", {}).get("Amount"), "ForecastedSpend"
        ),
        "unit": limit.get("Unit") or actual.get("Unit"),
        "filters": json.dumps(filters),
        "begins_at": period.get("Start"),
        "ends_at": period.get("End"),
        "updated_at": budget.get("LastUpdatedTime"),
    }


SOURCE = Source(
    name="budgets",
    table=table(
        "budgets",
        "The account's budgets with what they have spent and are forecast to spend",
        Granularity.SNAPSHOT,
        Column("budget_name", "string", "The budget's name"),
        Column("budget_type", "string", "COST, USAGE, RI_UTILIZATION and so on, as AWS names it"),
        Column("time_unit", "string", "DAILY, MONTHLY, QUARTERLY, ANNUALLY or CUSTOM"),
        Column("limit_amount", "double", "The limit, in the unit; null if it is planned by month"),
        Column("actual_amount", "double", "What was spent so far, in the unit"),
        Column(
            "forecast_amount",
            "double",
            "What will have been spent at the end; null if AWS does not say",
        ),
        Column("unit", "string", "A currency, or what usage is counted in"),
        Column("filters", "string", "What the budget is for, as AWS writes it, as JSON"),
        Column("begins_at", "timestamp", "When the budget begins, in UTC"),
        Column("ends_at", "timestamp", "When the budget ends, in UTC"),
        Column("updated_at", "timestamp", "When AWS last worked the spend out, in UTC"),
    ),
    grain=Granularity.SNAPSHOT,
    key=("budget_name",),
    overlap=1,
    calls=(BUDGETS,),
    read=read,
)

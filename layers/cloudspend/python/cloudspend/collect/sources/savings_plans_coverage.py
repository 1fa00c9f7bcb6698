"""Savings Plans coverage by day."""

from collections.abc import Iterator
from typing import Any

from cloudspend.accounts.model import Account
from cloudspend.collect.calls import SAVINGS_PLANS_COVERAGE
from cloudspend.collect.model import Days, Granularity
from cloudspend.collect.source import Ask, Found, Source, day_of, number, table
from cloudspend.lake.tables import Column


def read(ask: Ask, _: Account, asked: Days) -> Iterator[Found]:
    question = {"TimePeriod": asked.as_aws, "Granularity": "DAILY"}
    for page in ask(SAVINGS_PLANS_COVERAGE, question):
        for result in page["SavingsPlansCoverages"]:
            yield day_of(result), _row(result)


def _row(result: Any) -> dict[str, Any]:
    cover = result["Coverage"]
    return {
        "usage_date": day_of(result),
        "covered_cost": number(
            cover.get("SpendCoveredBySavingsPlans"), "SpendCoveredBySavingsPlans"
        ),
        "on_demand_cost": number(cover.get("OnDemandCost"), "OnDemandCost"),
        "total_cost": number(cover.get("TotalCost"), "TotalCost"),
        "coverage_percentage": number(cover.get("CoveragePercentage"), "CoveragePercentage"),
    }


SOURCE = Source(
    name="savings_plans_coverage",
    table=table(
        "savings_plans_coverage",
        "How far Savings Plans covered the usage that they could have, by day, in USD",
        Granularity.DAY,
        Column("usage_date", "date", "The day, in UTC"),
        Column("covered_cost", "double", "What was paid with Savings Plans"),
        Column("on_demand_cost", "double", "What was paid on demand though a plan could have"),
        Column("total_cost", "double", "Both together"),
        Column("coverage_percentage", "double", "Of the total, from 0 to 100"),
    ),
    grain=Granularity.DAY,
    key=("usage_date",),
    overlap=7,
    calls=(SAVINGS_PLANS_COVERAGE,),
    read=read,
    histories=(3,),
    at_once=4,
)

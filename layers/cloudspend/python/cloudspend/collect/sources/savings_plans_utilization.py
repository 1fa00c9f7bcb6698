"""Savings Plans utilization by day."""

from collections.abc import Iterator
from typing import Any

from cloudspend.accounts.model import Account
from cloudspend.collect.calls import SAVINGS_PLANS_UTILIZATION
from cloudspend.collect.model import Days, Granularity
from cloudspend.collect.source import Ask, Found, Source, day_of, number, table
from cloudspend.lake.tables import Column


def read(ask: Ask, _: Account, asked: Days) -> Iterator[Found]:
    question = {"TimePeriod": asked.as_aws, "Granularity": "DAILY"}
    for page in ask(SAVINGS_PLANS_UTILIZATION, question):
        for result in page.get("SavingsPlansUtilizationsByTime", ()):
            yield day_of(result), _row(result)


def _row(result: Any) -> dict[str, Any]:
    use, savings = result["Utilization"], result.get("Savings", {})
    fee = result.get("AmortizedCommitment", {})
    return {
        "usage_date": day_of(result),
        "commitment": number(use.get("TotalCommitment"), "TotalCommitment"),
        "used_commitment": number(use.get("UsedCommitment"), "UsedCommitment"),
        "unused_commitment": number(use.get("UnusedCommitment"), "UnusedCommitment"),
        "utilization_percentage": number(use.get("UtilizationPercentage"), "UtilizationPercentage"),
        "amortized_commitment": number(
            fee.get("TotalAmortizedCommitment"), "TotalAmortizedCommitment"
        ),
        "on_demand_cost": number(savings.get("OnDemandCostEquivalent"), "OnDemandCostEquivalent"),
        "net_savings": number(savings.get("NetSavings"), "NetSavings"),
    }


SOURCE = Source(
    name="savings_plans_utilization",
    table=table(
        "savings_plans_utilization",
        "What of the commitment of all Savings Plans was used, by day, in USD",
        Granularity.DAY,
        Column("usage_date", "date", "The day, in UTC"),
        Column("commitment", "double", "What was committed to"),
        Column("used_commitment", "double", "What of it usage was paid with"),
        Column("unused_commitment", "double", "What of it nothing was paid with"),
        Column("utilization_percentage", "double", "Of the commitment, from 0 to 100"),
        Column("amortized_commitment", "double", "The day's part of all fees"),
        Column("on_demand_cost", "double", "What the covered usage would have cost on demand"),
        Column("net_savings", "double", "On-demand cost less commitment; negative is a loss"),
    ),
    grain=Granularity.DAY,
    key=("usage_date",),
    overlap=7,
    calls=(SAVINGS_PLANS_UTILIZATION,),
    read=read,
    histories=(3,),
    at_once=4,
)

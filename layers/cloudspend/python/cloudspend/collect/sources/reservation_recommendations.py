"""AWS's reservation recommendations for each service and term."""

from collections.abc import Iterator
from typing import Any

from cloudspend.accounts.model import Account
from cloudspend.collect.calls import RESERVATION_RECOMMENDATION
from cloudspend.collect.model import Days, Granularity
from cloudspend.collect.ports import NotAvailable
from cloudspend.collect.source import Ask, Found, Source, number, table
from cloudspend.collect.sources.reservable import SERVICES
from cloudspend.lake.tables import Column

TERMS = ("ONE_YEAR", "THREE_YEARS")
LOOKBACK = "THIRTY_DAYS"
# The payment option that every service offers for every term: RDS has no No Upfront for three
# years.
PAYMENT = "PARTIAL_UPFRONT"
FIGURES = {
    "recommended_instances": (
        "RecommendedNumberOfInstancesToPurchase",
        "How many instances or nodes to reserve",
    ),
    "monthly_savings": ("EstimatedMonthlySavingsAmount", "What that would save in a month"),
    "monthly_savings_percentage": (
        "EstimatedMonthlySavingsPercentage",
        "Of what it costs on demand, from 0 to 100",
    ),
    "monthly_on_demand_cost": ("EstimatedMonthlyOnDemandCost", "What it costs on demand now"),
    "upfront_cost": ("UpfrontCost", "What is to be paid at once"),
    "monthly_cost": ("RecurringStandardMonthlyCost", "What is to be paid each month"),
    "break_even_months": ("EstimatedBreakEvenInMonths", "After how many months it has paid off"),
}


def read(ask: Ask, _: Account, asked: Days) -> Iterator[Found]:
    for service in SERVICES:
        for term in TERMS:
            question = {
                "Service": service,
                "AccountScope": "PAYER",
                "LookbackPeriodInDays": LOOKBACK,
                "TermInYears": term,
                "PaymentOption": PAYMENT,
            }
            try:
                pages = ask(RESERVATION_RECOMMENDATION, question)
            except NotAvailable:
                break  # nothing of this service ran
            for page in pages:
                for recommendation in page.get("Recommendations", ()):
                    for detail in recommendation.get("RecommendationDetails", ()):
                        yield asked.start, _row(service, term, detail)


def _row(service: str, term: str, detail: Any) -> dict[str, Any]:
    instance: dict[str, Any] = next(iter(detail.get("InstanceDetails", {}).values()), {})
    kind = instance.get("InstanceType") or instance.get("NodeType")
    if not kind and "InstanceClass" in instance:
        kind = ".".join(filter(None, (instance["InstanceClass"], instance.get("InstanceSize"))))
    return {
        "service": service,
        "term": term,
        "payment_option": PAYMENT,
        "sub_account_id": detail.get("AccountId"),
        "region": instance.get("Region"),
        "instance_type": kind,
        "platform": instance.get("Platform") or instance.get("DatabaseEngine"),
        "currency": detail.get("CurrencyCode"),
        **{column: number(detail.get(name), name) for column, (name, _) in FIGURES.items()},
    }


SOURCE = Source(
    name="reservation_recommendations",
    table=table(
        "reservation_recommendations",
        "What AWS recommends to reserve by the usage of the last 30 days, partly paid upfront, for "
        "each service and term. Costs are in units of the currency",
        Granularity.SNAPSHOT,
        Column("service", "string", "The service as Cost Explorer names it"),
        Column("term", "string", "ONE_YEAR or THREE_YEARS"),
        Column("payment_option", "string", "How it would be paid"),
        Column("sub_account_id", "string", "The linked account that it is for"),
        Column("region", "string", "The region, in words or as a code, as AWS writes it"),
        Column("instance_type", "string", "What to reserve"),
        Column("platform", "string", "The operating system or engine"),
        Column("currency", "string", "ISO 4217 currency of all costs"),
        *(Column(column, "double", words) for column, (_, words) in FIGURES.items()),
    ),
    grain=Granularity.SNAPSHOT,
    # AWS may recommend one instance type twice, for another tenancy or edition.
    key=(),
    # At least ten requests, and recommendations change slowly.
    overlap=7,
    calls=(RESERVATION_RECOMMENDATION,),
    read=read,
)

"""Utilization of each reservation by month."""

from collections.abc import Iterator
from typing import Any

from cloudspend.accounts.model import Account
from cloudspend.collect.calls import RESERVATION_UTILIZATION
from cloudspend.collect.model import Days, Granularity
from cloudspend.collect.ports import NotAvailable
from cloudspend.collect.source import Ask, Found, Source, number, table
from cloudspend.collect.sources.reservable import SERVICES, of_service
from cloudspend.lake.tables import Column

# Columns, AWS's members, and their meaning.
FIGURES = {
    "purchased_hours": ("PurchasedHours", "Hours that were paid for"),
    "used_hours": ("TotalActualHours", "Hours that were used"),
    "unused_hours": ("UnusedHours", "Hours that were not"),
    "utilization_percentage": ("UtilizationPercentage", "Of the hours paid for, from 0 to 100"),
    "on_demand_cost": (
        "OnDemandCostOfRIHoursUsed",
        "What the used hours would have cost on demand, in USD",
    ),
    "amortized_fee": ("TotalAmortizedFee", "Upfront and recurring fees of the month, in USD"),
    "unused_cost": ("RICostForUnusedHours", "The part of the fees that nothing used, in USD"),
    "net_savings": ("NetRISavings", "On-demand cost less fees, in USD; negative is a loss"),
}
ATTRIBUTES = {
    "sub_account_id": ("accountId", "The linked account that bought it"),
    "region": ("region", "Where it is valid"),
    "instance_type": ("instanceType", "What it reserves"),
    "platform": ("platform", "The operating system or engine"),
    "payment_option": ("offeringType", "How it is paid"),
    "instances": ("numberOfInstances", "How many it reserves, as AWS writes it"),
    "begins_at": ("startDateTime", "When it begins, as AWS writes it"),
    "ends_at": ("endDateTime", "When it ends, as AWS writes it"),
}


def read(ask: Ask, _: Account, asked: Days) -> Iterator[Found]:
    """Yield the utilization. AWS has no days per reservation, so a question is a month."""
    for service in SERVICES:
        question = {
            "TimePeriod": asked.as_aws,
            "GroupBy": [{"Type": "DIMENSION", "Key": "SUBSCRIPTION_ID"}],
            "Filter": of_service(service),
        }
        try:
            pages = ask(RESERVATION_UTILIZATION, question)
        except NotAvailable:
            continue  # no reservation of this service
        for page in pages:
            for result in page["UtilizationsByTime"]:
                for group in result.get("Groups", ()):
                    yield asked.start, _row(service, group)


def _row(service: str, group: Any) -> dict[str, Any]:
    attributes, use = group.get("Attributes", {}), group["Utilization"]
    return {
        "subscription_id": group["Value"],
        "service": service,
        **{column: attributes.get(name) for column, (name, _) in ATTRIBUTES.items()},
        **{column: number(use.get(name), name) for column, (name, _) in FIGURES.items()},
    }


SOURCE = Source(
    name="reservation_utilization",
    table=table(
        "reservation_utilization",
        "What of each reservation was used in each month",
        Granularity.MONTH,
        Column("subscription_id", "string", "The reservation, as Cost Explorer names it"),
        Column("service", "string", "The service as Cost Explorer names it"),
        *(Column(column, "string", words) for column, (_, words) in ATTRIBUTES.items()),
        *(Column(column, "double", words) for column, (_, words) in FIGURES.items()),
    ),
    grain=Granularity.MONTH,
    key=("service", "subscription_id"),
    overlap=1,
    calls=(RESERVATION_UTILIZATION,),
    read=read,
    histories=(3,),
)

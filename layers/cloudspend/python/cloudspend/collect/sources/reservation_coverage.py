"""Reservation coverage by day and service."""

from collections.abc import Iterator
from typing import Any

from cloudspend.accounts.model import Account
from cloudspend.collect.calls import RESERVATION_COVERAGE
from cloudspend.collect.model import Days, Granularity
from cloudspend.collect.ports import NotAvailable
from cloudspend.collect.source import Ask, Found, Source, day_of, number, table
from cloudspend.collect.sources.reservable import SERVICES, of_service
from cloudspend.lake.tables import Column


def read(ask: Ask, _: Account, asked: Days) -> Iterator[Found]:
    """Yield the coverage of each service. Without a filter, Cost Explorer only returns EC2."""
    for service in SERVICES:
        question = {
            "TimePeriod": asked.as_aws,
            "Granularity": "DAILY",
            "Filter": of_service(service),
        }
        try:
            pages = ask(RESERVATION_COVERAGE, question)
        except NotAvailable:
            continue  # nothing of this service ran
        for page in pages:
            for result in page["CoveragesByTime"]:
                yield day_of(result), _row(service, result)


def _row(service: str, result: Any) -> dict[str, Any]:
    total = result["Total"]
    hours, cost = total.get("CoverageHours", {}), total.get("CoverageCost", {})
    return {
        "usage_date": day_of(result),
        "service": service,
        "reserved_hours": number(hours.get("ReservedHours"), "ReservedHours"),
        "on_demand_hours": number(hours.get("OnDemandHours"), "OnDemandHours"),
        "running_hours": number(hours.get("TotalRunningHours"), "TotalRunningHours"),
        "coverage_percentage": number(
            hours.get("CoverageHoursPercentage"), "CoverageHoursPercentage"
        ),
        "on_demand_cost": number(cost.get("OnDemandCost"), "OnDemandCost"),
    }


SOURCE = Source(
    name="reservation_coverage",
    table=table(
        "reservation_coverage",
        "How far reservations covered the instances that ran, by day and service",
        Granularity.DAY,
        Column("usage_date", "date", "The day, in UTC"),
        Column("service", "string", "The service as Cost Explorer names it"),
        Column("reserved_hours", "double", "Instance hours that a reservation covered"),
        Column("on_demand_hours", "double", "Instance hours that none covered"),
        Column("running_hours", "double", "Both together"),
        Column("coverage_percentage", "double", "Of the running hours, from 0 to 100"),
        Column("on_demand_cost", "double", "What the hours cost that none covered, in USD"),
    ),
    grain=Granularity.DAY,
    key=("service",),
    overlap=7,
    calls=(RESERVATION_COVERAGE,),
    read=read,
    # Each month takes one request per service; a quarter shows the trend.
    histories=(3,),
)

"""Shared parts of the cost sources of Cost Explorer: the question and its metrics."""

from collections.abc import Iterator, Mapping
from typing import Any

from cloudspend.collect.calls import COST_AND_USAGE
from cloudspend.collect.model import Days
from cloudspend.collect.source import Ask, Found, day_of, number
from cloudspend.lake.tables import Column

LINKED_ACCOUNT, SERVICE, RECORD_TYPE = "LINKED_ACCOUNT", "SERVICE", "RECORD_TYPE"
# Cost Explorer's metrics and their columns.
METRICS = {
    "UnblendedCost": "unblended_cost",
    "AmortizedCost": "amortized_cost",
    "NetAmortizedCost": "net_amortized_cost",
}
SUB_ACCOUNT = Column("sub_account_id", "string", "The linked account")
SERVICE_NAME = Column("service", "string", "The service as Cost Explorer names it")
CHARGE_TYPE = Column("charge_type", "string", "The record type as Cost Explorer names it")
FIGURES = (
    Column("unblended_cost", "double", "UnblendedCost, in units of the currency"),
    Column("amortized_cost", "double", "AmortizedCost, in units of the currency"),
    Column("net_amortized_cost", "double", "NetAmortizedCost, in units of the currency"),
    Column("currency", "string", "ISO 4217 currency of all costs"),
    Column("estimated", "boolean", "Whether Cost Explorer calls the figures an estimate"),
)


def read_costs(
    ask: Ask, asked: Days, granularity: str, dimensions: Mapping[str, str], day: str
) -> Iterator[Found]:
    """Yield costs by time and up to two `dimensions`, each with its column.

    The column `day` is the first day of the time.
    """
    question = {
        "TimePeriod": asked.as_aws,
        "Granularity": granularity,
        "Metrics": list(METRICS),
        "GroupBy": [{"Type": "DIMENSION", "Key": key} for key in dimensions],
    }
    for page in ask(COST_AND_USAGE, question):
        for result in page.get("ResultsByTime", ()):
            for group in result.get("Groups", ()):
                row: dict[str, Any] = dict(zip(dimensions.values(), group["Keys"], strict=True))
                yield day_of(result), row | {day: day_of(result)} | _figures(result, group)


def _figures(result: Mapping[str, Any], group: Mapping[str, Any]) -> dict[str, Any]:
    metrics = group["Metrics"]
    figures = {column: number(metrics[name]["Amount"], name) for name, column in METRICS.items()}
    return {
        **figures,
        "currency": metrics["UnblendedCost"]["Unit"],
        "estimated": bool(result.get("Estimated", False)),
    }

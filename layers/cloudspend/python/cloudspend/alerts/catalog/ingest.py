"""Events of ingest: deliveries that are published, restated, rolled back or refused."""

from cloudspend.alerts.catalog.event_type import (
    QUERY_PERIODS,
    Count,
    Currency,
    EventDetails,
    Money,
    Names,
    Period,
)
from cloudspend.alerts.catalog.reconcile import CostChanges
from cloudspend.alerts.event import Severity

SEE_DIFFERENCE = (
    "See the difference: cloudspend periods diff {id} {period} {previous_generation} {generation}."
)


class PeriodPublished(EventDetails, frozen=True, kw_only=True):
    """A period is published for the first time, or grew during its month."""

    severity = Severity.INFO
    title = "{month}'s bill is published, {billed_cost} {currency}"
    sentence = (
        "The bill of {period} for {name} ({id}) is published: {rows} rows, {billed_cost} "
        "{currency} billed."
    )
    period: Period
    generation: str
    rows: Count
    billed_cost: Money
    currency: Currency


class PeriodRestated(EventDetails, frozen=True, kw_only=True):
    """AWS has changed a period that was complete."""

    severity = Severity.WARNING
    title = "{month}'s bill was restated, {change} {currency}[ ({percent})]"
    sentence = (
        "AWS restated the bill of {period} for {name} ({id}) from {previous_billed_cost} to "
        "{billed_cost} {currency}, a difference of {difference} {currency}."
    )
    actions = ("Correct reports and charges that used the earlier figures.", SEE_DIFFERENCE)
    period: Period
    generation: str
    previous_generation: str
    billed_cost: Money
    previous_billed_cost: Money
    difference: Money
    currency: Currency
    changes: CostChanges


class PeriodRolledBack(EventDetails, frozen=True, kw_only=True):
    """An operator has made an earlier generation current."""

    severity = Severity.WARNING
    title = "{month}'s bill was rolled back, {change} {currency}[ ({percent})]"
    sentence = (
        "An operator rolled the bill of {period} for {name} ({id}) back from "
        "{previous_generation} to {generation}: readers now see {billed_cost} {currency} billed "
        "instead of {previous_billed_cost} {currency}. {reason}"
    )
    actions = (
        "Correct reports and charges that used the other figures.",
        SEE_DIFFERENCE,
        "The next delivery of {period} that is newer than both is published automatically.",
    )
    period: Period
    generation: str
    previous_generation: str
    billed_cost: Money
    previous_billed_cost: Money
    difference: Money
    currency: Currency
    reason: str


class IngestFailed(EventDetails, frozen=True, kw_only=True):
    """A delivery was not ingested."""

    severity = Severity.CRITICAL
    title = "a delivery was not ingested[ ({month})]"
    sentence = (
        "A delivery for {name} ({id})[, period {period},] was not ingested. The published bill "
        "stays as it was. {reason}"
    )
    actions = ("{remedy}", "Then try again: cloudspend ingest {id}.")
    period: Period | None = None
    generation: str | None = None
    error: str
    reason: str
    file: str | None = None
    line: Count | None = None
    column: str | None = None
    value: str | None = None
    remedy: str


class IngestUnfinished(EventDetails, frozen=True, kw_only=True):
    """A delivery was published, but a later step failed."""

    severity = Severity.WARNING
    title = "{month}'s bill is published but stays {verdict}"
    sentence = (
        "The delivery {generation} is published as {period} for {name} ({id}), but a later step "
        "failed, and the bill stays {verdict}. {reason}"
    )
    actions = (
        "{remedy}",
        "Then compare it: cloudspend reconcile {id} {period}.",
        QUERY_PERIODS,
    )
    period: Period
    generation: str
    verdict: str
    error: str
    reason: str
    remedy: str


class UnknownColumns(EventDetails, frozen=True, kw_only=True):
    """A bill has columns that CloudSpend does not know."""

    severity = Severity.INFO
    title = "{month}'s bill has new columns"
    sentence = (
        "The bill of {period} for {name} ({id}) has columns that CloudSpend does not know: "
        "{columns}. Their values are in the column x_other."
    )
    actions = (
        "Read a value by its name: SELECT element_at(x_other, '<column>') FROM cost_and_usage.",
    )
    period: Period
    generation: str
    columns: Names


class UnknownChargeTypes(EventDetails, frozen=True, kw_only=True):
    """A bill has charge types that CloudSpend does not know."""

    severity = Severity.WARNING
    title = "{month}'s bill has new charge types: {charge_types}"
    sentence = (
        "The bill of {period} for {name} ({id}) has charge types that CloudSpend does not know: "
        "{charge_types}. Every total includes their cost, with the charge category Adjustment."
    )
    actions = (
        "See them: SELECT x_chargetype, sum(billedcost) FROM cost_and_usage GROUP BY 1.",
        "Report them to CloudSpend, which can then assign a charge category.",
    )
    period: Period
    generation: str
    charge_types: Names

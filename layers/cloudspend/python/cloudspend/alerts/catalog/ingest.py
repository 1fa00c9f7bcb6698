"""What becomes of deliveries and published periods."""

from collections.abc import Mapping

from cloudspend.alerts import schema as s
from cloudspend.alerts.catalog.event_type import (
    GENERATION,
    MAX_CHANGES,
    MAX_NAMES,
    QUERY_PERIODS,
    EventType,
)
from cloudspend.alerts.event import Severity

SEE_DIFFERENCE = (
    "See what differs: cloudspend periods diff {id} {period} {previous_generation} {generation}."
)
_CHANGE = s.obj(account=s.TEXT, service=s.TEXT, before=s.MONEY, after=s.MONEY, difference=s.MONEY)

EVENTS: Mapping[str, EventType] = {
    "PeriodPublished": EventType(
        Severity.INFO,
        "The bill of {period} for {name} ({id}) is published: {rows} rows, "
        "{billed_cost} {currency} billed.",
        (),
        {**GENERATION, "rows": s.COUNT, "billed_cost": s.MONEY, "currency": s.CURRENCY},
    ),
    "PeriodRestated": EventType(
        Severity.WARNING,
        "AWS restated the bill of {period} for {name} ({id}): from {previous_billed_cost} to "
        "{billed_cost} {currency}, a difference of {difference} {currency}.",
        (
            "Correct what was reported or charged on from the earlier figures.",
            SEE_DIFFERENCE,
        ),
        {
            **GENERATION,
            "previous_generation": s.TEXT,
            "billed_cost": s.MONEY,
            "previous_billed_cost": s.MONEY,
            "difference": s.MONEY,
            "currency": s.CURRENCY,
            "changes": s.listing(_CHANGE, MAX_CHANGES),
        },
    ),
    "PeriodRolledBack": EventType(
        Severity.WARNING,
        "An operator rolled the bill of {period} for {name} ({id}) back from {previous_generation} "
        "to {generation}: readers now see {billed_cost} {currency} billed instead of "
        "{previous_billed_cost} {currency}. {reason}",
        (
            "Correct what was reported or charged on from the other figures.",
            SEE_DIFFERENCE,
            "The next delivery of {period} that is newer than both is published by itself.",
        ),
        {
            **GENERATION,
            "previous_generation": s.TEXT,
            "billed_cost": s.MONEY,
            "previous_billed_cost": s.MONEY,
            "difference": s.MONEY,
            "currency": s.CURRENCY,
            "reason": s.TEXT,
        },
    ),
    "IngestFailed": EventType(
        Severity.CRITICAL,
        "A delivery for {name} ({id}), period {period}, was not taken in; what was published "
        "before stays. {reason}",
        ("{remedy}", "Then try again: cloudspend ingest {id}."),
        {
            "period": s.nullable(s.PERIOD),
            "generation": s.nullable(s.TEXT),
            "error": s.TEXT,
            "reason": s.TEXT,
            "file": s.nullable(s.TEXT),
            "line": s.nullable(s.COUNT),
            "column": s.nullable(s.TEXT),
            "value": s.nullable(s.TEXT),
            "remedy": s.TEXT,
        },
    ),
    "IngestUnfinished": EventType(
        Severity.WARNING,
        "The delivery {generation} is the published one of {period} for {name} ({id}), but a step "
        "after that failed, so that nothing new is proved of the bill, which stays {verdict}. "
        "{reason}",
        (
            "{remedy}",
            "Then compare it: cloudspend reconcile {id} {period}.",
            QUERY_PERIODS,
        ),
        {
            **GENERATION,
            "verdict": s.TEXT,
            "error": s.TEXT,
            "reason": s.TEXT,
            "remedy": s.TEXT,
        },
    ),
    "UnknownColumns": EventType(
        Severity.INFO,
        "The bill of {period} for {name} ({id}) has columns that CloudSpend does not know: "
        "{columns}. Their values are kept in the column x_other.",
        ("Read one by its name: SELECT element_at(x_other, '<column>') FROM cost_and_usage.",),
        {**GENERATION, "columns": s.listing(s.TEXT, MAX_NAMES)},
    ),
    "UnknownChargeTypes": EventType(
        Severity.WARNING,
        "The bill of {period} for {name} ({id}) has charge types that CloudSpend does not know: "
        "{charge_types}. Their costs are in every total, as charge category Adjustment.",
        (
            "See them: SELECT x_chargetype, sum(billedcost) FROM cost_and_usage GROUP BY 1.",
            "Report them to CloudSpend, so that they get a charge category of their own.",
        ),
        {**GENERATION, "charge_types": s.listing(s.TEXT, MAX_NAMES)},
    ),
}

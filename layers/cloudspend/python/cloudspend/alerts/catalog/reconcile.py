"""What the comparison with AWS's own figures says."""

from collections.abc import Mapping

from cloudspend.alerts import schema as s
from cloudspend.alerts.catalog.kind import GENERATION, MAX_CELLS, QUERY_PERIODS, EventType
from cloudspend.alerts.event import Severity

_CELL = s.obj(
    account=s.TEXT,
    service=s.TEXT,
    charge_type=s.TEXT,
    lake=s.MONEY,
    cost_explorer=s.MONEY,
    residual=s.MONEY,
)
_COMPARISON = {
    **GENERATION,
    "lake_total": s.MONEY,
    "cost_explorer_total": s.MONEY,
    "residual": s.MONEY,
    "currency": s.CURRENCY,
    "reason": s.TEXT,
    "cells": s.listing(_CELL, MAX_CELLS),
}

EVENTS: Mapping[str, EventType] = {
    "PeriodCertified": EventType(
        Severity.INFO,
        "The bill of {period} for {name} ({id}) is certified: {lake_total} {currency} in the lake, "
        "{cost_explorer_total} {currency} in Cost Explorer. {reason}",
        (),
        _COMPARISON,
    ),
    "PeriodProvisional": EventType(
        Severity.INFO,
        "The bill of {period} for {name} ({id}) is provisional: {lake_total} {currency} in the "
        "lake, {cost_explorer_total} {currency} in Cost Explorer. {reason}",
        (),
        _COMPARISON,
    ),
    "PeriodDisputed": EventType(
        Severity.CRITICAL,
        "The bill of {period} for {name} ({id}) does not match Cost Explorer: {lake_total} "
        "{currency} in the lake, {cost_explorer_total} {currency} there. {reason}",
        (
            "Do not report on {period} for this account before the difference is explained.",
            "Look for a lost or repeated file in the delivery of generation {generation}.",
            "Take in the newest delivery: cloudspend ingest {id} --period {period}.",
            QUERY_PERIODS,
        ),
        _COMPARISON,
    ),
    "ReconciliationUnavailable": EventType(
        Severity.WARNING,
        "The bill of {period} for {name} ({id}) is published but could not be compared with Cost "
        "Explorer, so it stays provisional. {reason}",
        (
            "See whether the account may still call Cost Explorer: cloudspend accounts show {id}.",
            QUERY_PERIODS,
        ),
        {**GENERATION, "reason": s.TEXT},
    ),
}

"""What the comparison with AWS's own figures says."""

from collections.abc import Mapping

from cloudspend.alerts import schema as s
from cloudspend.alerts.catalog.event_type import (
    GENERATION,
    MAX_CELLS,
    MAX_CHANGES,
    MAX_NAMES,
    QUERY_PERIODS,
    EventType,
)
from cloudspend.alerts.event import Severity

_CELL = s.obj(
    account=s.TEXT,
    service=s.TEXT,
    charge_type=s.TEXT,
    lake=s.MONEY,
    cost_explorer=s.MONEY,
    residual=s.MONEY,
)
_EXPLANATION = s.obj(
    account=s.TEXT,
    service=s.TEXT,
    charge_type=s.TEXT,
    rule=s.TEXT,
    amount=s.MONEY,
    because=s.TEXT,
)
_CHANGE = s.obj(account=s.TEXT, service=s.TEXT, before=s.MONEY, after=s.MONEY, difference=s.MONEY)
_COMPARISON = {
    **GENERATION,
    "lake_total": s.MONEY,
    "cost_explorer_total": s.MONEY,
    "explained": s.MONEY,
    "residual": s.MONEY,
    "currency": s.CURRENCY,
    "reason": s.TEXT,
    "cells": s.listing(_CELL, MAX_CELLS),
    "explanations": s.listing(_EXPLANATION, MAX_CELLS),
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
            "See every cell and what is explained: cloudspend reconcile {id} {period}.",
            "Look for a lost or repeated file in the delivery of generation {generation}.",
            "Take in the newest delivery: cloudspend ingest {id} --period {period}.",
            QUERY_PERIODS,
        ),
        _COMPARISON,
    ),
    "CertificateWithdrawn": EventType(
        Severity.WARNING,
        "AWS changed the bill of {period} for {name} ({id}) after it was certified on "
        "{certified_at}: by {difference} {currency} in Cost Explorer, while the lake is as it was. "
        "{reason}",
        (
            "Expect the delivery that brings the change; what was reported may need correction.",
            "See what differs: cloudspend reconcile {id} {period}.",
            "When no delivery comes, see that the export refreshes closed bills.",
        ),
        {
            **GENERATION,
            "certified_at": s.TIME,
            "difference": s.MONEY,
            "currency": s.CURRENCY,
            "reason": s.TEXT,
            "changes": s.listing(_CHANGE, MAX_CHANGES),
        },
    ),
    "DataQualityDoubtful": EventType(
        Severity.WARNING,
        "The bill of {period} for {name} ({id}) is published, and something of it is doubtful: "
        "{doubts}",
        (
            'See what was counted: cloudspend query "SELECT * FROM data_quality".',
            "See what differs: cloudspend periods show {id} {period}, then periods diff.",
        ),
        {
            **GENERATION,
            "previous_generation": s.nullable(s.TEXT),
            "doubts": s.listing(s.TEXT, MAX_NAMES),
        },
    ),
    "ReconciliationUnavailable": EventType(
        Severity.WARNING,
        "The bill of {period} for {name} ({id}) is published but could not be compared with Cost "
        "Explorer, so it stays provisional. {reason}",
        (
            "{remedy}",
            "Then compare it: cloudspend reconcile {id} {period}.",
            QUERY_PERIODS,
        ),
        {**GENERATION, "reason": s.TEXT, "remedy": s.TEXT},
    ),
}

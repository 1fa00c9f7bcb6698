"""Every event that CloudSpend puts on its bus: severity, sentence, actions and schema.

A sentence and its actions are templates over the account (`{name}`, `{id}`) and the event's
details. An action that comes out empty is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from cloudspend.alerts import schema as s
from cloudspend.alerts.event import Event, EventAccount, Severity
from cloudspend.errors import Defect
from cloudspend.settings import VERSIONS_KEPT_DAYS

MAX_CELLS = 20
MAX_CHANGES = 200
MAX_NAMES = 200

SEE_DIFFERENCE = (
    "See what differs: cloudspend periods diff {id} {period} {previous_generation} {generation}."
)
# What a sweep counts, in the order in which people read it.
SWEEP_COUNTS = (
    "accounts",
    "deliveries_found",
    "ingestions_resumed",
    "partitions_repaired",
    "generations_restored",
    "generations_without_files",
    "staging_removed",
    "periods_expired",
    "generations_expired",
    "objects_deleted",
    "comparisons",
    "accounts_overdue",
    "accounts_unreachable",
)

QUERY_PERIODS = 'Look at the proof: cloudspend query "SELECT * FROM billing_periods".'


@dataclass(frozen=True)
class EventType:
    """One kind of event. `details` maps each key to the JSON Schema of its value; a key whose
    value may be null need not be given."""

    severity: Severity
    sentence: str
    actions: tuple[str, ...]
    details: Mapping[str, s.Schema]


_CELL = s.obj(
    account=s.TEXT,
    service=s.TEXT,
    charge_type=s.TEXT,
    lake=s.MONEY,
    cost_explorer=s.MONEY,
    residual=s.MONEY,
)
_CHANGE = s.obj(account=s.TEXT, service=s.TEXT, before=s.MONEY, after=s.MONEY, difference=s.MONEY)
_CHECK = s.obj(name=s.TEXT, status=s.TEXT)
_GENERATION = {"period": s.PERIOD, "generation": s.TEXT}
_COMPARISON = {
    **_GENERATION,
    "lake_total": s.MONEY,
    "cost_explorer_total": s.MONEY,
    "residual": s.MONEY,
    "currency": s.CURRENCY,
    "reason": s.TEXT,
    "cells": s.listing(_CELL, MAX_CELLS),
}

CATALOG: Mapping[str, EventType] = {
    "AccountInvited": EventType(
        Severity.INFO,
        "{name} ({id}) is invited. Its quick-create link works once, until {expires_at}.",
        (
            "Send the link to someone who may create IAM roles in the account {id}.",
            "When the link expires unused, make a new one: cloudspend accounts invite.",
        ),
        {"expires_at": s.TIME},
    ),
    "AccountConnected": EventType(
        Severity.INFO,
        "The customer's stack in {name} ({id}) has registered the role {role_arn}; "
        "the connection is being verified.",
        (),
        {"role_arn": s.TEXT},
    ),
    "AccountActivated": EventType(
        Severity.INFO,
        "{name} ({id}) is active: its connection is proved and its bills are taken in.",
        (),
        {"checks": s.listing(_CHECK, MAX_NAMES)},
    ),
    "OnboardingFailed": EventType(
        Severity.CRITICAL,
        "{name} ({id}) is not active. {reason}",
        ("{remedy}", "See every check and its result: cloudspend accounts show {id}."),
        {"check": s.TEXT, "reason": s.TEXT, "remedy": s.TEXT},
    ),
    "PeriodPublished": EventType(
        Severity.INFO,
        "The bill of {period} for {name} ({id}) is published: {rows} rows, "
        "{billed_cost} {currency} billed.",
        (),
        {**_GENERATION, "rows": s.COUNT, "billed_cost": s.MONEY, "currency": s.CURRENCY},
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
            **_GENERATION,
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
            **_GENERATION,
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
        "after that failed, so the bill stays provisional. {reason}",
        (
            "{remedy}",
            "Then finish it: cloudspend ingest {id} --period {period}.",
            QUERY_PERIODS,
        ),
        {**_GENERATION, "error": s.TEXT, "reason": s.TEXT, "remedy": s.TEXT},
    ),
    "UnknownColumns": EventType(
        Severity.INFO,
        "The bill of {period} for {name} ({id}) has columns that CloudSpend does not know: "
        "{columns}. Their values are kept in the column x_other.",
        ("Read one by its name: SELECT element_at(x_other, '<column>') FROM cost_and_usage.",),
        {**_GENERATION, "columns": s.listing(s.TEXT, MAX_NAMES)},
    ),
    "UnknownChargeTypes": EventType(
        Severity.WARNING,
        "The bill of {period} for {name} ({id}) has charge types that CloudSpend does not know: "
        "{charge_types}. Their costs are in every total, as charge category Adjustment.",
        (
            "See them: SELECT x_chargetype, sum(billedcost) FROM cost_and_usage GROUP BY 1.",
            "Report them to CloudSpend, so that they get a charge category of their own.",
        ),
        {**_GENERATION, "charge_types": s.listing(s.TEXT, MAX_NAMES)},
    ),
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
        {**_GENERATION, "reason": s.TEXT},
    ),
    "DeliveryFound": EventType(
        Severity.WARNING,
        "AWS delivered the bill of {period} for {name} ({id}) and no event announced it. Sweep has "
        "found it and started its ingestion.",
        (
            "When this comes again, see that the rule in the customer's stack is enabled.",
            "See that the customer's bucket sends its events to EventBridge.",
        ),
        {**_GENERATION, "execution": s.TEXT},
    ),
    "IngestResumed": EventType(
        Severity.WARNING,
        "The ingestion of {period} for {name} ({id}) had ended without an outcome, or by what "
        "passes by itself. Sweep has started it again as {execution}.",
        ("When this comes again, see why the executions of cloudspend-ingest for {period} end.",),
        {**_GENERATION, "execution": s.TEXT},
    ),
    "PartitionRepaired": EventType(
        Severity.WARNING,
        "The partition {period} of {table} for {name} ({id}) did not show what the registry says, "
        "and does now. {wrong}",
        ("Find out who changed it: only CloudSpend should; CloudTrail has the calls to AWS Glue.",),
        {"table": s.TEXT, "period": s.PERIOD, "generation": s.nullable(s.TEXT), "wrong": s.TEXT},
    ),
    "FilesMissing": EventType(
        Severity.CRITICAL,
        "The lake no longer holds the files of {generations} of {name} ({id}), which readers are "
        "shown.",
        (
            f"Bring the objects back: the bucket keeps versions for {VERSIONS_KEPT_DAYS} days.",
            "Find out who deleted them: only CloudSpend should, and never a published generation.",
        ),
        {"generations": s.listing(s.TEXT, MAX_NAMES)},
    ),
    "StagingRemoved": EventType(
        Severity.INFO,
        "Objects that belonged to no generation of {name} ({id}) were removed: {objects} in "
        "{folder}.",
        (),
        {"period": s.PERIOD, "folder": s.TEXT, "objects": s.COUNT, "bytes": s.COUNT},
    ),
    "PeriodExpired": EventType(
        Severity.INFO,
        "The bill of {period} for {name} ({id}) is older than the {retention_months} months that "
        "the account keeps. It is no longer shown, and is deleted after a day.",
        (),
        {**_GENERATION, "retention_months": s.COUNT},
    ),
    "DeliveryOverdue": EventType(
        Severity.WARNING,
        "AWS has delivered no bill for {name} ({id}) for {hours} hours, more than the "
        "{target_hours} that are usual. The last delivery: {delivered_at}.",
        (
            "Look at the export in the customer's Billing console: its status says why.",
            "See that the customer's bucket policy still lets AWS write.",
        ),
        {"delivered_at": s.nullable(s.TIME), "hours": s.COUNT, "target_hours": s.COUNT},
    ),
    "AccountUnreachable": EventType(
        Severity.CRITICAL,
        "The deliveries of {name} ({id}) cannot be looked at. {reason}",
        ("{remedy}", "See every check and its result: cloudspend accounts show {id}."),
        {"error": s.TEXT, "reason": s.TEXT, "remedy": s.TEXT},
    ),
    "SweepCompleted": EventType(
        Severity.INFO,
        "{name} ({id}) has swept {accounts} accounts: {deliveries_found} deliveries found, "
        "{ingestions_resumed} ingestions resumed, {partitions_repaired} partitions repaired, "
        "{comparisons} months to compare, {generations_expired} generations expired. Accounts that "
        "could not be swept: {not_swept}.",
        (),
        {
            "sweep": s.TEXT,
            **dict.fromkeys(SWEEP_COUNTS, s.COUNT),
            "not_swept": s.listing(s.TEXT, MAX_NAMES),
        },
    ),
}


def event(detail_type: str, account: EventAccount, subject: str, **details: Any) -> Event:
    """The event of the catalogue with these details.

    Decimals, dates and enumerations become text; a list is cut to the schema's length, so give
    the largest first. Raises Defect when a key is missing or not in the catalogue.
    """
    kind = kind_of(detail_type)
    body = {key: _plain(value) for key, value in _complete(detail_type, kind, details).items()}
    for key, schema in kind.details.items():
        if "maxItems" in schema:
            body[key] = body[key][: schema["maxItems"]]
    words = {key: in_words(body[key], schema) for key, schema in kind.details.items()}
    words |= {"id": account.id, "name": account.name}
    actions = tuple(filled for filled in (a.format(**words) for a in kind.actions) if filled)
    summary = kind.sentence.format(**words).strip()
    return Event(detail_type, account, kind.severity, subject, summary, body, actions)


def schema_of(detail_type: str) -> dict[str, Any]:
    """The JSON Schema of the event's whole `detail`. Raises Defect when there is no such event."""
    kind = kind_of(detail_type)
    return s.envelope(detail_type, kind.severity, s.obj(**kind.details))


def kind_of(detail_type: str) -> EventType:
    """The entry of the catalogue. Raises Defect when there is none."""
    if detail_type not in CATALOG:
        raise Defect(f"There is no event {detail_type!r} in the catalogue.", known=list(CATALOG))
    return CATALOG[detail_type]


def _complete(detail_type: str, kind: EventType, details: Mapping[str, Any]) -> dict[str, Any]:
    optional = {key: None for key, schema in kind.details.items() if s.is_nullable(schema)}
    given = optional | dict(details)
    if given.keys() != kind.details.keys():
        wrong = sorted(given.keys() ^ kind.details.keys())
        raise Defect(
            f"The event {detail_type} was raised with missing or unknown details: "
            f"{', '.join(wrong)}."
        )
    return given


def _plain(value: Any) -> Any:
    """`value` as JSON holds it; a decimal without exponent, since 1E+2 is no money to a reader."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    if value is None or type(value) in (bool, int, float, str):
        return value
    return str(value)


def in_words(value: Any, schema: s.Schema) -> str:
    """A detail as a person reads it; money to the cent, or finer where a cent would hide it."""
    if value is None:
        return "unknown"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if schema is s.MONEY:
        amount = Decimal(value)
        places = 2 if amount == 0 or abs(amount) >= Decimal("0.01") else 9
        return f"{amount:,.{places}f}"
    return str(value)

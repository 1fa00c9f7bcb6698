"""Events of reconciliation: the verdict on a period, and what it is based on."""

from datetime import datetime
from typing import Annotated

from cloudspend.alerts.catalog.event_type import (
    MAX_CELLS,
    MAX_CHANGES,
    QUERY_PERIODS,
    Currency,
    EventDetails,
    Money,
    Most,
    Names,
    Period,
    Record,
)
from cloudspend.alerts.event import Severity


class Cell(Record, frozen=True, kw_only=True):
    """A cell whose figures differ."""

    account: str
    service: str
    charge_type: str
    lake: Money
    cost_explorer: Money
    residual: Money


class Explanation(Record, frozen=True, kw_only=True):
    """A difference that a rule explains."""

    account: str
    service: str
    charge_type: str
    rule: str
    amount: Money
    because: str


class CostChange(Record, frozen=True, kw_only=True):
    """A cost by account and service, before and after."""

    account: str
    service: str
    before: Money
    after: Money
    difference: Money


CostChanges = Annotated[tuple[CostChange, ...], Most(MAX_CHANGES)]


class _Comparison(EventDetails, frozen=True, kw_only=True):
    period: Period
    generation: str
    lake_total: Money
    cost_explorer_total: Money
    explained: Money
    residual: Money
    currency: Currency
    reason: str
    cells: Annotated[tuple[Cell, ...], Most(MAX_CELLS)]
    explanations: Annotated[tuple[Explanation, ...], Most(MAX_CELLS)]


class PeriodCertified(_Comparison, frozen=True, kw_only=True):
    """A period agrees with Cost Explorer and is final."""

    severity = Severity.INFO
    title = "{month}'s bill is certified, {lake_total} {currency}"
    sentence = (
        "The bill of {period} for {name} ({id}) is certified: {lake_total} {currency} in the lake, "
        "{cost_explorer_total} {currency} in Cost Explorer. {reason}"
    )


class PeriodProvisional(_Comparison, frozen=True, kw_only=True):
    """A period is not final yet."""

    severity = Severity.INFO
    title = "{month}'s bill is provisional, {lake_total} {currency}"
    sentence = (
        "The bill of {period} for {name} ({id}) is provisional: {lake_total} {currency} in the "
        "lake, {cost_explorer_total} {currency} in Cost Explorer. {reason}"
    )


class PeriodDisputed(_Comparison, frozen=True, kw_only=True):
    """A period differs from Cost Explorer."""

    severity = Severity.CRITICAL
    title = "{month}'s bill differs from Cost Explorer by {residual} {currency}"
    sentence = (
        "The bill of {period} for {name} ({id}) differs from Cost Explorer: {lake_total} "
        "{currency} in the lake, {cost_explorer_total} {currency} in Cost Explorer. {reason}"
    )
    actions = (
        "Do not report on {period} for this account until the difference is explained.",
        "See every cell and its explanation: cloudspend reconcile {id} {period}.",
        "Look for a lost or repeated file in the delivery of generation {generation}.",
        "Ingest the newest delivery: cloudspend ingest {id} --period {period}.",
        QUERY_PERIODS,
    )


class CertificateWithdrawn(EventDetails, frozen=True, kw_only=True):
    """Cost Explorer has changed a certified period."""

    severity = Severity.WARNING
    title = "AWS changed {month}'s certified bill by {change} {currency}"
    sentence = (
        "AWS changed the bill of {period} for {name} ({id}) after it was certified on "
        "{certified_at}: by {difference} {currency} in Cost Explorer, while the lake is unchanged. "
        "{reason}"
    )
    actions = (
        "Expect a delivery with the change. Reported figures may need a correction.",
        "See the difference: cloudspend reconcile {id} {period}.",
        "If no delivery arrives, check that the export refreshes closed bills.",
    )
    period: Period
    generation: str
    certified_at: datetime
    difference: Money
    currency: Currency
    reason: str
    changes: CostChanges


class DataQualityDoubtful(EventDetails, frozen=True, kw_only=True):
    """A published period has unusual values."""

    severity = Severity.WARNING
    title = "{month}'s bill is published with doubtful data"
    sentence = (
        "The bill of {period} for {name} ({id}) is published, but some of its data is doubtful: "
        "{doubts}"
    )
    actions = (
        'See the counts: cloudspend query "SELECT * FROM data_quality".',
        "See the differences: cloudspend periods show {id} {period}, then periods diff.",
    )
    period: Period
    generation: str
    previous_generation: str | None = None
    doubts: Names


class ReconciliationUnavailable(EventDetails, frozen=True, kw_only=True):
    """A period could not be compared."""

    severity = Severity.WARNING
    title = "{month}'s bill could not be compared with Cost Explorer"
    sentence = (
        "The bill of {period} for {name} ({id}) is published but could not be compared with Cost "
        "Explorer. It stays provisional. {reason}"
    )
    actions = (
        "{remedy}",
        "Then compare it: cloudspend reconcile {id} {period}.",
        QUERY_PERIODS,
    )
    period: Period
    generation: str
    reason: str
    remedy: str

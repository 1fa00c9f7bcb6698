"""Events of Sweep: missed deliveries, repairs, expiry, and conditions of accounts."""

from datetime import datetime
from typing import ClassVar

from cloudspend.alerts.catalog.event_type import Count, EventDetails, Names, Period
from cloudspend.alerts.event import Severity
from cloudspend.settings import VERSIONS_KEPT_DAYS


class DeliveryFound(EventDetails, frozen=True, kw_only=True):
    """Sweep found a delivery whose event was missing."""

    severity = Severity.WARNING
    title = "{month}'s bill arrived without an event and is being ingested"
    sentence = (
        "AWS delivered the bill of {period} for {name} ({id}), but no event arrived. Sweep found "
        "the delivery and started its ingest."
    )
    actions = (
        "If this happens again, check that the rule in the customer's stack is enabled.",
        "Check that the customer's bucket sends its events to EventBridge.",
    )
    period: Period
    generation: str
    execution: str


class IngestResumed(EventDetails, frozen=True, kw_only=True):
    """Sweep restarted an ingest that ended without a result."""

    severity = Severity.WARNING
    title = "the ingest of {month} was restarted"
    sentence = (
        "The ingest of {period} for {name} ({id}) had ended without a result, or with a transient "
        "fault. Sweep restarted it as {execution}."
    )
    actions = (
        "If this happens again, see why the executions of cloudspend-ingest for {period} end.",
    )
    period: Period
    generation: str
    execution: str


class PartitionRepaired(EventDetails, frozen=True, kw_only=True):
    """A Glue partition differed from the registry."""

    severity = Severity.WARNING
    title = "a partition of {month} was changed by someone else and repaired"
    sentence = (
        "The partition {period} of {table} for {name} ({id}) differed from the registry and is "
        "repaired. {wrong}"
    )
    actions = (
        "Find out who changed it: only CloudSpend should. CloudTrail has the calls to AWS Glue.",
    )
    table: str
    period: Period
    generation: str | None = None
    wrong: str


class FilesMissing(EventDetails, frozen=True, kw_only=True):
    """Files of a published generation are gone."""

    severity = Severity.CRITICAL
    title = "published data is missing from the lake"
    sentence = (
        "The lake no longer contains the files of {generations} of {name} ({id}), which readers "
        "query."
    )
    actions = (
        f"Restore the objects: the bucket keeps versions for {VERSIONS_KEPT_DAYS} days.",
        "Find out who deleted them: only CloudSpend should, and never a published generation.",
    )
    generations: Names


class StagingRemoved(EventDetails, frozen=True, kw_only=True):
    """Objects without a generation were removed."""

    severity = Severity.INFO
    title = "{objects} leftover objects of {month} were removed"
    sentence = (
        "Objects that belonged to no generation of {name} ({id}) were removed: {objects} in "
        "{folder}."
    )
    period: Period
    folder: str
    objects: Count
    bytes: Count


class PeriodExpired(EventDetails, frozen=True, kw_only=True):
    """A period is older than the account's retention."""

    severity = Severity.INFO
    title = "{month}'s bill has expired"
    sentence = (
        "The bill of {period} for {name} ({id}) is older than the account's retention of "
        "{retention_months} months. It is no longer shown, and is deleted after a day."
    )
    period: Period
    generation: str
    retention_months: Count


class DeliveryOverdue(EventDetails, frozen=True, kw_only=True):
    """AWS has delivered nothing for longer than usual."""

    severity = Severity.WARNING
    title = "no bill was delivered for {hours} hours"
    sentence = (
        "AWS has delivered no bill for {name} ({id}) for {hours} hours. The target is "
        "{target_hours} hours.[ The last delivery was at {delivered_at}.]"
    )
    actions = (
        "Look at the export in the customer's Billing console: its status shows the reason.",
        "Check that the customer's bucket policy still allows AWS to write.",
    )
    delivered_at: datetime | None = None
    hours: Count
    target_hours: Count


class DeliveryFailing(EventDetails, frozen=True, kw_only=True):
    """AWS reports that it cannot deliver an export."""

    severity = Severity.CRITICAL
    title = "AWS cannot deliver the export {export}: {status}"
    sentence = (
        "AWS cannot deliver the export {export} of {name} ({id}). It reports {status}: {reason}."
    )
    actions = (
        "Have the customer fix the reported cause; AWS then delivers again.",
        "See the export and its status: cloudspend exports list {id}.",
    )
    export: str
    status: str
    reason: str


class AccountUnreachable(EventDetails, frozen=True, kw_only=True):
    """The deliveries of an account cannot be listed."""

    severity = Severity.CRITICAL
    title = "CloudSpend cannot read the customer's deliveries"
    sentence = "CloudSpend cannot read the deliveries of {name} ({id}). {reason}"
    actions = ("{remedy}", "See every check and its result: cloudspend accounts show {id}.")
    error: str
    reason: str
    remedy: str


class _SweepCounts(EventDetails, frozen=True, kw_only=True):
    """What a run of Sweep counts, in the order in which people read it."""

    severity: ClassVar[Severity | None] = None
    title = ""
    sentence = ""
    sweep: str
    accounts: Count
    deliveries_found: Count
    ingestions_resumed: Count
    partitions_repaired: Count
    generations_restored: Count
    generations_without_files: Count
    staging_removed: Count
    periods_expired: Count
    generations_expired: Count
    objects_deleted: Count
    comparisons: Count
    accounts_overdue: Count
    accounts_unreachable: Count


class SweepCompleted(_SweepCounts, frozen=True, kw_only=True):
    """A run of Sweep has ended."""

    severity = Severity.INFO
    title = "swept {accounts} accounts[; not swept: {not_swept}]"
    sentence = (
        "{name} ({id}) has swept {accounts} accounts: {deliveries_found} deliveries found, "
        "{ingestions_resumed} ingests restarted, {partitions_repaired} partitions repaired, "
        "{comparisons} months to compare, {generations_expired} generations expired.[ Accounts "
        "that could not be swept: {not_swept}.]"
    )
    not_swept: Names


SWEEP_COUNTS = _SweepCounts.__struct_fields__[1:]

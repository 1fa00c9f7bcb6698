"""What Sweep finds that events missed, and mends."""

from collections.abc import Mapping

from cloudspend.alerts import schema as s
from cloudspend.alerts.catalog.event_type import GENERATION, MAX_NAMES, EventType
from cloudspend.alerts.event import Severity
from cloudspend.settings import VERSIONS_KEPT_DAYS

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

EVENTS: Mapping[str, EventType] = {
    "DeliveryFound": EventType(
        Severity.WARNING,
        "AWS delivered the bill of {period} for {name} ({id}) and no event announced it. Sweep has "
        "found it and started its ingestion.",
        (
            "When this comes again, see that the rule in the customer's stack is enabled.",
            "See that the customer's bucket sends its events to EventBridge.",
        ),
        {**GENERATION, "execution": s.TEXT},
    ),
    "IngestResumed": EventType(
        Severity.WARNING,
        "The ingestion of {period} for {name} ({id}) had ended without an outcome, or by what "
        "passes by itself. Sweep has started it again as {execution}.",
        ("When this comes again, see why the executions of cloudspend-ingest for {period} end.",),
        {**GENERATION, "execution": s.TEXT},
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
        {**GENERATION, "retention_months": s.COUNT},
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
    "DeliveryFailing": EventType(
        Severity.CRITICAL,
        "AWS fails to deliver the export {export} of {name} ({id}), by its own word {status}: "
        "{reason}.",
        (
            "Have the customer mend what the reason says; AWS then delivers by itself.",
            "See the export and its status: cloudspend exports list {id}.",
        ),
        {"export": s.TEXT, "status": s.TEXT, "reason": s.TEXT},
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

"""Rules over the registry: late or disputed bills, lost permissions, an old key."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cloudspend.access.key_age import AT_LEAST, LIMITS, OldKey
from cloudspend.accounts.model import Check, CheckStatus
from cloudspend.alerts.catalog.findings import FindingKind
from cloudspend.alerts.event import Severity
from cloudspend.alerts.money import money
from cloudspend.findings.event_findings import DELIVERIES
from cloudspend.findings.model import Observation
from cloudspend.lake.model import PublishedPeriod, SweepState, Verdict

# Kinds that these rules evaluate completely: without an observation, a finding is over.
KINDS = frozenset(
    {
        FindingKind.FRESHNESS,
        FindingKind.KEY_OLD,
        FindingKind.MISMATCH,
        FindingKind.PERMISSION_LOST,
    }
)


@dataclass(frozen=True)
class Standing:
    """The registry data of an account that these rules read."""

    published: tuple[PublishedPeriod, ...]
    watch: SweepState | None
    checks: tuple[Check, ...]
    key: OldKey | None = None


def observed(standing: Standing) -> list[Observation]:
    """Return all current observations of `KINDS`."""
    announced = standing.watch.last_announced if standing.watch else {}
    return [
        *overdue(announced),
        *unreachable(announced),
        *permissions_lost(standing.checks),
        *mismatches(standing.published),
        *([too_old(standing.key)] if standing.key else []),
    ]


def overdue(announced: Mapping[str, str]) -> Iterable[Observation]:
    """Yield an overdue delivery that Sweep found."""
    if "DeliveryOverdue" in announced:
        last = announced["DeliveryOverdue"]
        yield Observation(
            FindingKind.FRESHNESS,
            DELIVERIES,
            Severity.WARNING,
            reason="AWS delivers no bill any more. "
            + ("It never did." if last == "None" else f"The last one came at {last}."),
            remedy="Look at the export in the customer's Billing console: its status says why.",
        )


def unreachable(announced: Mapping[str, str]) -> Iterable[Observation]:
    """Yield an unreachable customer's bucket that Sweep found."""
    if state := announced.get("AccountUnreachable"):
        error, _, summary = state.partition(" ")
        yield Observation(
            FindingKind.PERMISSION_LOST,
            DELIVERIES,
            Severity.CRITICAL,
            reason=f"The deliveries cannot be looked at. {summary or error}",
            remedy="Have the customer's stack updated with the newest template.",
            mark=state,
        )


def permissions_lost(checks: Iterable[Check]) -> Iterable[Observation]:
    """Yield each denied permission."""
    for check in checks:
        if check.status is CheckStatus.DENIED:
            yield Observation(
                FindingKind.PERMISSION_LOST,
                check.name,
                Severity.WARNING,
                reason=f"{check.action} is refused. {check.reason}",
                remedy=check.remedy
                or "Have the customer's stack updated with the newest template.",
                since=check.checked_at.date(),
                mark=check.action,
            )


def too_old(found: OldKey) -> Observation:
    """Return the observation of a key beyond a limit; critical beyond the last one."""
    key, at_least = found.key, "" if found.key.age_known else AT_LEAST
    return Observation(
        FindingKind.KEY_OLD,
        key.ending,
        Severity.CRITICAL if found.limit == LIMITS[-1][0] else Severity.WARNING,
        reason=f"The access key of {key.user_arn} ending in {key.ending} is {at_least}{found.days} "
        f"days old; {found.limit} are allowed.",
        remedy="Have the customer make a new key and give it: cloudspend accounts rotate-key. "
        "Better a role, if there can be one: cloudspend accounts move-to-role.",
        since=key.made_at.date(),
    )


def mismatches(published: Iterable[PublishedPeriod]) -> Iterable[Observation]:
    """Yield each published period that differs from Cost Explorer."""
    for each in published:
        if each.verdict is Verdict.DISPUTED:
            yield Observation(
                FindingKind.MISMATCH,
                str(each.period),
                Severity.CRITICAL,
                reason=f"The bill of {each.period} does not match Cost Explorer. "
                f"{each.verdict_reason}",
                remedy=f"Do not report on {each.period} before the difference is explained.",
                since=each.reconciled_at.date() if each.reconciled_at else None,
                mark="" if each.residual is None else str(money(each.residual)),
            )

"""Apply decisions about findings: first the event, then the registry.

After an interruption, the next run decides the same and publishes the same event with the same id:
an alert may repeat, but never gets lost.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cloudspend.accounts.model import Account
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.event_type import EventDetails
from cloudspend.alerts.catalog.findings import (
    CostDriverRow,
    FindingKind,
    FindingRaised,
    FindingResolved,
    FindingRow,
    FindingsDigest,
    FindingUpdated,
)
from cloudspend.alerts.event import Bus, Event, EventAccount
from cloudspend.findings.decide import (
    Decision,
    Raise,
    Resolve,
    Suppress,
    Update,
    after,
    decide,
    first,
)
from cloudspend.findings.model import Finding, Observation
from cloudspend.findings.ports import Findings

# Kinds that happen once and do not last: such a finding is over after this time.
HAPPENS_ONCE = frozenset({FindingKind.RESTATEMENT})
HAPPENED_FOR = timedelta(days=30)


@dataclass(frozen=True)
class Outcome:
    """The result for one finding."""

    finding: Finding
    decision: Decision

    @property
    def is_quiet_change(self) -> bool:
        """Return whether the finding changed without an alert; the digest then lists it."""
        return not isinstance(self.decision, Suppress) and not self.decision.tell


def apply_decisions(
    account: Account,
    judged: Iterable[FindingKind],
    observations: Iterable[Observation],
    findings: Findings,
    bus: Bus,
    now: datetime,
) -> list[Outcome]:
    """Apply the observations of the kinds `judged` to the account's findings.

    Open findings without an observation are resolved, so `judged` must only contain completely
    evaluated kinds. Raises FindingChanged when a person changed a finding in the meantime: try
    again.
    """
    kinds = set(judged)
    seen = {each.finding_id: each for each in observations}
    known = {each.finding_id: each for each in findings.of(account.account_id)}
    concerned = {key for key, each in known.items() if each.seen.kind in kinds} | seen.keys()
    outcomes = [
        settle_one(account.for_events, known.get(key), seen.get(key), findings, bus, now)
        for key in sorted(concerned)
    ]
    return [each for each in outcomes if each]


def settle_one(
    account: EventAccount,
    known: Finding | None,
    seen: Observation | None,
    findings: Findings,
    bus: Bus,
    now: datetime,
) -> Outcome | None:
    """Decide about one finding, publish, and save it. None if there is nothing to do."""
    if seen is None and known and known.is_open and _still_counts(known, now):
        return None
    decision = decide(known, seen, now)
    finding = next_finding(account.id, decision, known, seen, now)
    if finding is None:
        return None
    for one in events_of(account, decision, finding):
        bus.put(one)
    return Outcome(findings.save(finding) if finding != known else finding, decision)


def next_finding(
    account_id: str,
    decision: Decision,
    known: Finding | None,
    seen: Observation | None,
    now: datetime,
) -> Finding | None:
    """Return the finding after `decision`; None when there is none."""
    if known is not None:
        return after(decision, known, seen, now)
    return first(account_id, seen, now) if seen else None


def events_of(account: EventAccount, decision: Decision, finding: Finding) -> list[Event]:
    """Return the events of a decision."""
    if isinstance(decision, Suppress) or not decision.tell:
        return []
    # A finding that returns is another outcome than the first one.
    subject = f"{finding.finding_id}/{finding.changes}"
    match decision:
        case Raise():
            details: EventDetails = FindingRaised(**_fields(finding.seen))
            return [event(details, account, subject, severity=finding.seen.severity)]
        case Update(reason=change):
            details = FindingUpdated(**_fields(finding.seen), change=change)
            return [event(details, account, subject, severity=finding.seen.severity)]
        case Resolve(reason=reason):
            return [
                event(FindingResolved(**_identity(finding.seen), reason=reason), account, subject)
            ]


def digest(account: Account, outcomes: Iterable[Outcome], day: datetime) -> Event | None:
    """Return the event with the changes that had no alert; None if there are none."""
    done = list(outcomes)
    quiet = [each for each in done if each.is_quiet_change]
    if not quiet:
        return None
    return event(
        FindingsDigest(
            open=sum(each.finding.is_open for each in done),
            changed=len(quiet),
            findings=tuple(
                FindingRow(
                    finding=each.finding.finding_id,
                    kind=each.finding.seen.kind,
                    why=each.decision.reason,
                    summary=each.finding.seen.reason,
                )
                for each in quiet
            ),
        ),
        account.for_events,
        f"{day:%Y-%m-%d}",
    )


def _still_counts(known: Finding, now: datetime) -> bool:
    """Return whether a one-time finding is still recent."""
    return known.seen.kind in HAPPENS_ONCE and now - known.seen_at < HAPPENED_FOR


def _identity(seen: Observation) -> dict[str, Any]:
    return {
        "finding": seen.finding_id,
        "kind": seen.kind,
        "subject": seen.subject,
        "since": seen.since,
    }


def _fields(seen: Observation) -> dict[str, Any]:
    """Return the fields that events of open findings share."""
    return {
        **_identity(seen),
        "amount": seen.amount,
        "currency": seen.currency,
        "reason": seen.reason,
        "remedy": seen.remedy,
        "moved": tuple(
            CostDriverRow(
                what=driver.what,
                before=driver.before,
                after=driver.after,
                difference=driver.difference,
            )
            for driver in seen.moved
        ),
    }

"""Decide whether an observation is raised, updated, resolved or suppressed, and why.

All rules against alert floods are here: a finding is alerted once, again when it gets worse, and
once when it is over. Everything else is in the digest and the list.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from cloudspend.findings.model import WEIGHT, Finding, Observation, Status

# An amount is alerted again when it has grown by half.
WORSE = Decimal("1.5")
# A finding that returns within this time after it ended is the same problem, and no news.
FLICKER = timedelta(days=3)


@dataclass(frozen=True)
class Raise:
    """New, or returned long after it ended. `tell` is False while muted."""

    reason: str
    tell: bool = True


@dataclass(frozen=True)
class Update:
    """Open and changed. Changes without an alert are in the digest."""

    reason: str
    tell: bool = True


@dataclass(frozen=True)
class Resolve:
    """Over."""

    reason: str
    tell: bool = True


@dataclass(frozen=True)
class Suppress:
    """Nothing to report."""

    reason: str


Decision = Raise | Update | Resolve | Suppress


def decide(known: Finding | None, seen: Observation | None, now: datetime) -> Decision:
    """Decide what to do about `seen` (None: not observed any more), given the known finding."""
    if known is None:
        return Raise("new") if seen else Suppress("there is nothing")
    if seen is None:
        return _gone(known, now)
    if known.is_open:
        return _lasting(known, seen, now)
    return _again(known, seen, now)


def first(account_id: str, seen: Observation, now: datetime) -> Finding:
    """Return the new finding for `seen`."""
    return Finding(account_id, seen, seen, Status.OPEN, now, now, changes=1)


def after(decision: Decision, known: Finding, seen: Observation | None, now: datetime) -> Finding:
    """Return the known finding after `decision`."""
    if isinstance(decision, Resolve):
        return known.closed(now)
    if seen is None:
        # If a person had closed it: it may be raised again now that it is over.
        return replace(known, closed_by="")
    if isinstance(decision, Suppress):
        return replace(known, seen=seen, seen_at=now)
    last_alert = seen if decision.tell else known.last_alert
    opened = known.raised_at if known.is_open else now
    return replace(
        known,
        seen=seen,
        last_alert=last_alert,
        status=Status.OPEN,
        raised_at=opened,
        seen_at=now,
        changes=known.changes + decision.tell,
        announced=decision.tell or (known.announced and known.is_open),
        resolved_at=None,
        closed_by="",
        muted_until=known.muted_until if known.is_muted(now) else None,
        mute_reason=known.mute_reason if known.is_muted(now) else "",
    )


def _gone(known: Finding, now: datetime) -> Decision:
    if not known.is_open:
        return Suppress("it was over before")
    return Resolve("It is not seen any more.", tell=known.announced and not known.is_muted(now))


def _lasting(known: Finding, seen: Observation, now: datetime) -> Decision:
    if known.is_muted(now):
        if _differs(known.seen, seen):
            return Update(f"muted: {known.mute_reason}", tell=False)
        return Suppress(f"muted: {known.mute_reason}")
    if known.muted_until is not None:
        return Update("it still lasts after its mute")
    if worse := _worse(known.last_alert, seen):
        return Update(worse)
    if _differs(known.seen, seen):
        return Update("it changed a little", tell=False)
    return Suppress("it lasts unchanged")


def _again(known: Finding, seen: Observation, now: datetime) -> Decision:
    """Decide about a finding that is observed again after its end."""
    if known.closed_by:
        worse = _worse(known.last_alert, seen)
        if not worse:
            return Suppress(f"closed by a person: {known.closed_by}")
        return Raise(f"closed, but {worse}", tell=not known.is_muted(now))
    if (
        known.resolved_at
        and now - known.resolved_at < FLICKER
        and not _worse(known.last_alert, seen)
    ):
        return Raise("it is back after a short while", tell=False)
    return Raise("it is back", tell=not known.is_muted(now))


def _worse(last_alert: Observation, seen: Observation) -> str:
    """Return how `seen` is worse than the last alert; empty if it is not."""
    if WEIGHT[seen.severity] > WEIGHT[last_alert.severity]:
        return f"now {seen.severity}"
    if seen.mark != last_alert.mark:
        return "it is another one now"
    if last_alert.amount is None or seen.amount is None:
        return ""
    if seen.amount > last_alert.amount and seen.amount >= last_alert.amount * WORSE:
        return "the amount has grown by half or more"
    return ""


def _differs(before: Observation, seen: Observation) -> bool:
    return (before.severity, before.amount, before.mark) != (seen.severity, seen.amount, seen.mark)

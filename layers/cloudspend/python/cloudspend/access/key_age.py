"""Age limits of access keys."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cloudspend.accounts.model import Account, KeyFacts
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.access import AccessKeyAging, AccessKeyTooOld
from cloudspend.alerts.event import Event

# Days, the strictest limit last. The CIS AWS Foundations Benchmark requires 90.
LIMITS: tuple[tuple[int, type[AccessKeyAging | AccessKeyTooOld]], ...] = (
    (90, AccessKeyAging),
    (180, AccessKeyTooOld),
)
AT_LEAST = "at least "


@dataclass(frozen=True)
class OldKey:
    """A key beyond a limit. `days` is a lower bound where AWS does not show the key's age."""

    key: KeyFacts
    days: int
    limit: int
    event: type[AccessKeyAging | AccessKeyTooOld]


def old_key(account: Account, now: datetime) -> OldKey | None:
    """Return the strictest limit that the account's key exceeds.

    None for an account without a key, and for a key within the limits.
    """
    if account.key is None:
        return None
    age = now - account.key.made_at
    passed = [(limit, kind) for limit, kind in LIMITS if age > timedelta(days=limit)]
    return OldKey(account.key, age.days, *passed[-1]) if passed else None


def old_key_event(account: Account, found: OldKey) -> Event:
    """Return the event for an old key; the same for every repeat with this limit and key."""
    key = found.key
    return event(
        found.event(
            user_arn=key.user_arn,
            ending=key.ending,
            made_at=key.made_at,
            days=found.days,
            limit_days=found.limit,
            at_least="" if key.age_known else AT_LEAST,
        ),
        account.for_events,
        f"{key.ending} {key.made_at.isoformat()} {found.limit}",
    )

"""Age limits of access keys, and the events for keys that exceed them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cloudspend.accounts.model import Account, KeyFacts
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.access import AccessKeyAging, AccessKeyTooOld
from cloudspend.alerts.event import Event

# Ages in days that a key must not exceed, in ascending order, each with its event. The CIS AWS
# Foundations Benchmark requires a rotation after 90 days.
LIMITS: tuple[tuple[int, type[AccessKeyAging | AccessKeyTooOld]], ...] = (
    (90, AccessKeyAging),
    (180, AccessKeyTooOld),
)
# Begins the age of a key whose creation time AWS does not show.
AT_LEAST = "at least "


@dataclass(frozen=True)
class OldKey:
    """A key that exceeds an age limit."""

    key: KeyFacts
    # Whole days since the key was created; a lower bound if AWS does not show when that was.
    days: int
    # The highest limit that it exceeds, in days.
    limit: int
    event: type[AccessKeyAging | AccessKeyTooOld]


def old_key(account: Account, now: datetime) -> OldKey | None:
    """Return the account's key with the highest limit that it exceeds.

    None for an account without a key, and for a key within the limits.
    """
    if account.key is None:
        return None
    age = now - account.key.made_at
    exceeded = [entry for entry in LIMITS if age > timedelta(days=entry[0])]
    return OldKey(account.key, age.days, *exceeded[-1]) if exceeded else None


def old_key_event(account: Account, old: OldKey) -> Event:
    """Return the event for an old key. Its id depends on key and limit only, not on the day."""
    key = old.key
    return event(
        old.event(
            user_arn=key.user_arn,
            ending=key.ending,
            made_at=key.made_at,
            days=old.days,
            limit_days=old.limit,
            at_least="" if key.age_known else AT_LEAST,
        ),
        account.for_events,
        f"{key.ending} {key.made_at.isoformat()} {old.limit}",
    )

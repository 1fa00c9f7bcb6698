"""Retention of billing periods and generations. Pure: decides what is due; Sweep's `expire` removes
it.

A billing period is kept as long as its account requires: the running month and `retention_months`
before it, or all. Within a kept period, the current generation stays, the newest delivery stays
(its registry item marks it as known), and of the earlier published generations the newest few and
the youngest, so that rollback and comparison stay possible.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cloudspend.accounts.model import Account
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import AccountInventory, Generation, GenerationState, PublishedPeriod

# How long objects outlive the moment after which nothing refers to them. A query reads the objects
# that it planned with; Athena ends a query after 30 minutes (Amazon Athena user guide, "Service
# Quotas").
READERS_LEAVE = timedelta(hours=24)


@dataclass(frozen=True)
class RetentionPolicy:
    """Which superseded generations of a kept period stay.

    The newest `generations` of those that were published, and all delivered in the last `days`.
    """

    generations: int = 3
    days: int = 7


@dataclass(frozen=True)
class Due:
    """Data to remove, in this order.

    retire      periods beyond the account's retention, with their current generation expire
    generations that nothing refers to and no rule keeps remove      generations that expired long
    enough ago for all readers to have finished
    """

    retire: tuple[PublishedPeriod, ...] = ()
    expire: tuple[Generation, ...] = ()
    remove: tuple[Generation, ...] = ()


def kept_since(account: Account, now: datetime) -> BillingPeriod | None:
    """Return the oldest billing period that the account keeps; None when it keeps all."""
    if account.retention_months is None:
        return None
    today = BillingPeriod.of(now)
    months = today.year * 12 + today.month - 1 - account.retention_months
    return BillingPeriod(months // 12, months % 12 + 1)


def due(account: Account, holdings: AccountInventory, kept: RetentionPolicy, now: datetime) -> Due:
    """Decide which data of the account is due for removal at `now`.

    Never includes the current generation of a kept period.
    """
    oldest = kept_since(account, now)

    def is_over(period: BillingPeriod) -> bool:
        return oldest is not None and period < oldest

    current = {each.period: each.generation for each in holdings.published}
    retire = tuple(each for each in holdings.published if is_over(each.period))
    expire, remove = [], []
    for period, generations in _by_period(holdings.generations).items():
        others = [each for each in generations if each.generation != current.get(period)]
        remove += [each for each in others if _readers_have_left(each, now)]
        alive = [each for each in others if each.state is not GenerationState.EXPIRED]
        stay = set() if is_over(period) else _staying(generations, current.get(period), kept, now)
        expire += [each for each in alive if each.generation not in stay]
    return Due(retire, tuple(expire), tuple(remove))


def _staying(
    generations: list[Generation], current: str | None, kept: RetentionPolicy, now: datetime
) -> set[str]:
    """Return the names of a kept period's generations that stay; `generations` are oldest first."""
    shown = [each for each in generations if each.state is GenerationState.PUBLISHED]
    before = [each for each in shown if each.generation != current]
    young = [each for each in generations if now - each.delivered_at < timedelta(days=kept.days)]
    newest_few = before[-kept.generations :] if kept.generations else []
    return {each.generation for each in (*newest_few, *young, generations[-1])}


def _readers_have_left(generation: Generation, now: datetime) -> bool:
    return generation.expired_at is not None and now - generation.expired_at >= READERS_LEAVE


def _by_period(generations: Iterable[Generation]) -> Mapping[BillingPeriod, list[Generation]]:
    found: dict[BillingPeriod, list[Generation]] = {}
    for each in generations:
        found.setdefault(each.period, []).append(each)
    return found

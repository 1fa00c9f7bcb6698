"""Expire collected data beyond the account's retention: first its partitions, a day later its
objects.

No state is needed in between: a month that ended its retention a day ago has lost its partition by
then, unless the account was changed since.
"""

from datetime import datetime

from cloudspend.accounts.model import Account
from cloudspend.collect.model import Days
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.ports import Catalog, Lake
from cloudspend.lake.retention import READERS_LEAVE, kept_since
from cloudspend.lake.tables import Table


def expire(account: Account, table: Table, catalog: Catalog, lake: Lake, now: datetime) -> int:
    """Execute the next step for the account's months of `table`; return the number of deleted
    objects.

    Can be repeated.
    """
    oldest = kept_since(account, now)
    if oldest is None:
        return 0
    shown = {values[1] for values in catalog.locations(table.name, account.account_id)}
    for month in sorted(shown):
        if BillingPeriod.parse(month) < oldest:
            catalog.remove(table.name, (account.account_id, month))
    keys = _unread(account, table, lake, shown, now)
    lake.delete(keys)
    return len(keys)


def still_kept(days: Days, account: Account, now: datetime) -> Days | None:
    """Return the part of `days` that the account keeps."""
    oldest = kept_since(account, now)
    if oldest is None:
        return days
    first = max(days.start, oldest.start.date())
    return Days(first, days.end) if first < days.end else None


def _unread(
    account: Account, table: Table, lake: Lake, shown: set[str], now: datetime
) -> list[str]:
    """Return the objects of months without a partition whose retention ended a day ago."""
    changed = account.last_change
    if changed is not None and now - changed.at < READERS_LEAVE:
        return []
    over = kept_since(account, now - READERS_LEAVE)
    prefix = f"{table.data_folder}/account_id={account.account_id}/billing_period="
    found = []
    for file in lake.staged(prefix):
        month = file.key.removeprefix(prefix).partition("/")[0]
        if over is not None and month not in shown and BillingPeriod.parse(month) < over:
            found.append(file.key)
    return found

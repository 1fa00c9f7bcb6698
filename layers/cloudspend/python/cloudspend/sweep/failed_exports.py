"""Exports whose delivery AWS reports as failed.

AWS delivers at least once a day, so an account's exports are only queried after a day without a
delivery: a healthy account costs no call.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from cloudspend.accounts.model import Account
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.sweep import DeliveryFailing
from cloudspend.errors import PermissionDenied
from cloudspend.exports.definition import Definition, reason_of
from cloudspend.sweep.condition import AccountCondition

ListExports = Callable[[Account], Iterable[Definition]]
# AWS Data Exports user guide: an export is refreshed at least once a day.
USUAL = timedelta(hours=24)


def failing(
    account: Account, since: datetime, list_exports: ListExports, now: datetime
) -> AccountCondition | None:
    """Return AWS's reason for the account's export, if nothing was delivered since `since`.

    An export that cannot be read is not reported here: the permission check reports it.
    """
    if now - since < USUAL:
        return None
    try:
        found = [one for one in list_exports(account) if one.export == account.export]
    except PermissionDenied:
        return None
    failure = next((one.failure for one in found if one.failure), None)
    if failure is None:
        return None
    said = event(
        DeliveryFailing(export=account.export.name, status=failure, reason=reason_of(failure)),
        account.for_events,
        f"{failure} {now:%Y-%m-%d}",
    )
    return AccountCondition(failure, said)

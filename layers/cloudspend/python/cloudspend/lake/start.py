"""Start Ingest: one execution a delivery, named after it, so that a repeat starts nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from cloudspend import payload as p
from cloudspend.accounts.model import Account, AccountState
from cloudspend.accounts.ports import AccountReader
from cloudspend.errors import UsageError
from cloudspend.exports.deliveries import newest_deliveries
from cloudspend.exports.model import BillingPeriod, Delivery
from cloudspend.exports.ports import CustomerBucket
from cloudspend.lake.ports import Executions

OpenBucket = Callable[[Account], CustomerBucket]

RUNNING, SUCCEEDED = "RUNNING", "SUCCEEDED"


@dataclass(frozen=True)
class Started:
    """What came of starting Ingest for a delivery; `execution` is the name that decided it."""

    period: BillingPeriod
    generation: str
    execution: str
    started: bool
    reason: str


def start_ingest(
    account: Account, delivery: Delivery, executions: Executions, *, again: bool = False
) -> Started:
    """Start the delivery's first attempt; `again` starts the next one after a failed attempt.

    Nothing is started while an attempt runs or after one succeeded, and without `again` nothing
    after any attempt, so that an event that arrives late cannot repeat a failure.
    """
    attempt = 1
    while True:
        name = execution_name(account.account_id, delivery, attempt)
        if executions.start(name, _request(account, delivery)):
            return _started(delivery, name, "Ingest was started.", started=True)
        status = executions.status(name)
        if status in (RUNNING, None):  # None: taken a moment ago, and not to be read yet
            return _started(delivery, name, "Ingest is running.")
        if status == SUCCEEDED:
            return _started(delivery, name, "The delivery was taken in before.")
        if not again:
            return _started(delivery, name, f"The attempt before ended as {status}.")
        attempt += 1


def ingest_account(
    account_id: str,
    period: BillingPeriod | None,
    registry: AccountReader,
    open_bucket: OpenBucket,
    executions: Executions,
) -> list[Started]:
    """Start Ingest for the newest delivery of each period since the account's start date, or of
    `period` alone.

    Raises UsageError when the account is not active, or when AWS has not delivered `period`.
    """
    account = registry.get(account_id)
    if account.state is not AccountState.ACTIVE:
        raise UsageError(
            f"The account {account_id} is {account.state}, not active.",
            remedy=f"See what is missing with: cloudspend accounts show {account_id}",
        )
    since = (
        BillingPeriod(account.start_date.year, account.start_date.month) if period is None else None
    )
    deliveries = newest_deliveries(account, open_bucket(account), since, period)
    if period is not None and not deliveries:
        raise UsageError(
            f"AWS has delivered no bill of {period} for the account {account_id}.",
            remedy="AWS delivers the first export within 24 hours; earlier months come only by "
            "an AWS support case.",
        )
    return [start_ingest(account, delivery, executions, again=True) for delivery in deliveries]


def execution_name(account_id: str, delivery: Delivery, attempt: int = 1) -> str:
    """`<account>_<yyyy-mm>_<generation>`, from the second attempt on with `_<attempt>`."""
    name = f"{account_id}_{delivery.period}_{delivery.generation}"
    return name if attempt == 1 else f"{name}_{attempt}"


def _request(account: Account, delivery: Delivery) -> dict[str, str]:
    return {
        p.ACCOUNT_ID: account.account_id,
        p.MANIFEST_BUCKET: delivery.manifest_bucket,
        p.MANIFEST_KEY: delivery.manifest_key,
    }


def _started(delivery: Delivery, name: str, reason: str, *, started: bool = False) -> Started:
    return Started(delivery.period, delivery.generation, name, started, reason)

"""Onboard: take in what AWS delivered before the account was active.

A delivery that cannot be read is reported like any other and does not undo the activation: the next
delivery may be sound, and it comes by itself.
"""

from typing import Any

from cloudspend import payload as p
from cloudspend import wiring
from cloudspend.errors import CustomerActionError
from cloudspend.lake.failure import failed_event, failure_of
from cloudspend.lake.start import ingest_account
from cloudspend.wiring import logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    account = platform.accounts.get(event[p.ACCOUNT_ID])
    try:
        started = ingest_account(
            account.account_id,
            None,
            platform.accounts,
            platform.customer_bucket,
            platform.executions,
        )
    except CustomerActionError as error:
        logger.exception("the deliveries that are there cannot be read")
        platform.bus.put(failed_event(account, None, None, failure_of(error)))
        return event
    logger.info("started a backfill", periods=[str(one.period) for one in started])
    return event

"""Onboard: take in what AWS delivered before the account was active."""

from typing import Any

from cloudspend import payload as p
from cloudspend import wiring
from cloudspend.lake.start import ingest_account
from cloudspend.wiring import logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    started = ingest_account(
        event[p.ACCOUNT_ID],
        None,
        platform.accounts,
        platform.customer_bucket,
        platform.executions,
    )
    logger.info("started a backfill", periods=[str(one.period) for one in started])
    return event

"""Findings: evaluate a batch of accounts and publish new and resolved findings."""

from datetime import UTC, datetime
from typing import Any

from cloudspend import wiring
from cloudspend.findings.evaluate import evaluate_accounts
from cloudspend.wiring import entry, logger


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return evaluate_accounts(
        event["Items"], wiring.platform().evaluation_ports, datetime.now(UTC), _log
    )


def _log(account_id: str) -> None:
    logger.exception("an account was not evaluated", account_id=account_id)

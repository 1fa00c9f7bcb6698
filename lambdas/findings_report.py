"""Findings: fail the execution when an account was not evaluated."""

from typing import Any

from cloudspend.findings.evaluate import report
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return report(event)

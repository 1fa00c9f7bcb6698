"""An observation, and days to see it on."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from cloudspend.alerts.catalog.findings import FindingKind
from cloudspend.alerts.event import Severity
from cloudspend.findings.model import CostDriver, Observation

NOW = datetime(2026, 11, 23, 5, 15, tzinfo=UTC)
A_DAY = timedelta(days=1)
ANOMALY = Observation(
    FindingKind.COST_ANOMALY,
    "Amazon S3 in 222222222222",
    Severity.WARNING,
    reason="Amazon S3 cost more.",
    remedy="Ask its owner.",
    since=date(2026, 11, 20),
    amount=Decimal("100.00"),
    currency="USD",
    moved=(CostDriver("Requests-Tier1 of a-bucket, a day", Decimal("1.5"), Decimal("101.5")),),
)


def observed(**changes: Any) -> Observation:
    return replace(ANOMALY, **changes)

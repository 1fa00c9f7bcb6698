"""Each rule over what it reads: what it says, and what it leaves alone."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from cloudspend.accounts.model import Check, CheckStatus
from cloudspend.alerts.catalog.insights import FindingKind
from cloudspend.alerts.event import Severity
from cloudspend.insights.anomaly import Sensitivity
from cloudspend.insights.model import Mover
from cloudspend.insights.rules import commitments, spend, standing
from cloudspend.insights.rules.commitments import End, Use
from cloudspend.insights.rules.spend import RegionCost, SeriesKey
from cloudspend.insights.rules.standing import Standing
from cloudspend.lake.model import Verdict, Watch
from tests.fakes.lake import a_published

NOW = datetime(2026, 11, 23, tzinfo=UTC)
TODAY = NOW.date()
FIRST = TODAY - timedelta(days=99)
S3 = SeriesKey("222222222222", "Amazon S3", "USD")
AT = Sensitivity(money=50, deviations=6)


def _check(status: CheckStatus) -> Check:
    return Check("cost-explorer", "ce:GetCostAndUsage", status, "Denied by an SCP.", "", NOW)


def test_a_sound_account_has_nothing() -> None:
    sound = Standing((a_published(verdict=Verdict.CERTIFIED),), Watch(NOW), ())
    assert standing.observed(sound) == []
    assert standing.observed(Standing((), None, (_check(CheckStatus.PASSED),))) == []


def test_what_sweep_and_reconcile_found_is_there_while_it_lasts() -> None:
    told = {"DeliveryOverdue": "2026-11-20", "AccountUnreachable": "PermissionDenied Refused."}
    disputed = a_published(verdict=Verdict.DISPUTED, residual=Decimal("9.5"), reconciled_at=NOW)
    checks = (_check(CheckStatus.DENIED), _check(CheckStatus.NOT_AVAILABLE))
    seen = standing.observed(Standing((disputed,), Watch(NOW, told=told), checks))
    assert [(each.kind, each.subject) for each in seen] == [
        (FindingKind.FRESHNESS, "deliveries"),
        (FindingKind.PERMISSION_LOST, "deliveries"),
        (FindingKind.PERMISSION_LOST, "cost-explorer"),
        (FindingKind.MISMATCH, "2026-10"),
    ]
    assert seen[3].mark == "9.50"
    assert "ce:GetCostAndUsage is refused." in seen[2].reason


def test_an_anomaly_says_what_where_how_much_since_when_and_what_moved() -> None:
    costs = {FIRST + timedelta(days=n): 100.0 for n in range(100)}
    costs[TODAY] = 900.0
    found = spend.anomalies({S3: costs}, FIRST, TODAY, AT)
    moved = (Mover("Requests-Tier1 of a-bucket, a day", Decimal(1), Decimal(801)),)
    (seen,) = spend.cost_anomalies(found, {("222222222222", "Amazon S3"): moved}, AT)
    assert seen.reason == (
        "Amazon S3 in 222222222222 cost 900.00 USD on 2026-11-23, 800.00 more than the 100.00 that "
        "were to be expected. Most of it: Requests-Tier1 of a-bucket, a day."
    )
    assert (seen.severity, seen.amount, seen.since) == (Severity.CRITICAL, Decimal(800), TODAY)
    assert seen.moved == moved


def _cost(region: str, cost: str) -> RegionCost:
    return RegionCost(region, "USD", "Amazon EC2", "222222222222", TODAY, Decimal(cost))


@pytest.mark.parametrize(
    ("home", "abroad"),
    [
        (("eu-central-1",), ["ap-south-1"]),
        (("eu-central-1", "ap-south-1"), []),
        ((), []),
    ],
)
def test_spending_outside_the_primary_regions(home: tuple[str, ...], abroad: list[str]) -> None:
    costs = [_cost("eu-central-1", "500"), _cost("ap-south-1", "12.5"), _cost("sa-east-1", "0.2")]
    assert [each.subject for each in spend.foreign_regions(costs, home)] == abroad


@pytest.mark.parametrize(
    ("cost", "unused", "found"), [("100", "20", True), ("100", "19.99", False), ("40", "9", False)]
)
def test_a_commitment_that_nothing_uses(cost: str, unused: str, found: bool) -> None:
    use = Use("arn:ri", "Reserved Instance", "USD", Decimal(cost), Decimal(unused), 14)
    assert bool(commitments.unused([use])) is found


@pytest.mark.parametrize(
    ("days", "severity"),
    [(61, None), (60, Severity.INFO), (14, Severity.WARNING), (-14, Severity.WARNING), (-15, None)],
)
def test_a_commitment_that_ends(days: int, severity: Severity | None) -> None:
    ends = [End("arn:sp", date.fromordinal(TODAY.toordinal() + days))]
    found = commitments.expiring(ends, TODAY)
    assert [each.severity for each in found] == ([severity] if severity else [])

"""Each rule over what it reads: what it says, and what it leaves alone."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from cloudspend.access.key_age import old_key, old_key_event
from cloudspend.accounts.model import Check, CheckStatus, KeyFacts
from cloudspend.alerts.catalog.findings import FindingKind
from cloudspend.alerts.event import Severity
from cloudspend.exports.model import BillingPeriod
from cloudspend.findings.anomaly import Sensitivity
from cloudspend.findings.event_findings import meaning_of
from cloudspend.findings.model import CostDriver
from cloudspend.findings.rules import account_state, commitments, spend
from cloudspend.findings.rules.account_state import Standing
from cloudspend.findings.rules.budgets import Budget, Threshold, reached
from cloudspend.findings.rules.commitments import End, Use
from cloudspend.findings.rules.coverage import Gap, gaps
from cloudspend.findings.rules.purchases import Recommendation, worthwhile
from cloudspend.findings.rules.spend import RegionCost, SeriesKey
from cloudspend.lake.model import SweepState, Verdict
from tests.fakes.accounts import an_account
from tests.fakes.lake import a_published

NOW = datetime(2026, 11, 23, tzinfo=UTC)
TODAY = NOW.date()
FIRST = TODAY - timedelta(days=99)
S3 = SeriesKey("222222222222", "Amazon S3", "USD")
AT = Sensitivity(money=50, deviations=6)


def _check(status: CheckStatus) -> Check:
    return Check("cost-explorer", "ce:GetCostAndUsage", status, "Denied by an SCP.", "", NOW)


def test_a_sound_account_has_nothing() -> None:
    sound = Standing((a_published(verdict=Verdict.CERTIFIED),), SweepState(NOW), ())
    assert account_state.observed(sound) == []
    assert account_state.observed(Standing((), None, (_check(CheckStatus.PASSED),))) == []


def test_what_sweep_and_reconcile_found_is_there_while_it_lasts() -> None:
    stated = {"DeliveryOverdue": "2026-11-20", "AccountUnreachable": "PermissionDenied Refused."}
    disputed = a_published(verdict=Verdict.DISPUTED, residual=Decimal("9.5"), reconciled_at=NOW)
    checks = (_check(CheckStatus.DENIED), _check(CheckStatus.NOT_AVAILABLE))
    seen = account_state.observed(
        Standing((disputed,), SweepState(NOW, last_announced=stated), checks)
    )
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
    moved = (CostDriver("Requests-Tier1 of a-bucket, a day", Decimal(1), Decimal(801)),)
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


@pytest.mark.parametrize(
    ("days", "severity"),
    [(90, None), (91, Severity.WARNING), (180, Severity.WARNING), (181, Severity.CRITICAL)],
)
def test_a_key_that_is_too_old(days: int, severity: Severity | None) -> None:
    made = NOW - timedelta(days=days)
    key = KeyFacts("arn:aws:iam::111111111111:user/cloudspend", "ABCD", made, True, made)
    found = account_state.observed(Standing((), None, (), old_key(an_account(key=key), NOW)))
    assert [each.severity for each in found] == ([severity] if severity else [])
    assert [each.subject for each in found] == ["ABCD"] * len(found)


@pytest.mark.parametrize("days", [91, 181])
def test_an_old_key_that_sweep_told_of_is_the_same_finding(days: int) -> None:
    made = NOW - timedelta(days=days)
    key = KeyFacts("arn:aws:iam::111111111111:user/cloudspend", "ABCD", made, True, made)
    account = an_account(key=key)
    old = old_key(account, NOW)
    assert old
    event = old_key_event(account, old)
    about = meaning_of(event.detail_type, event.detail)
    seen = account_state.too_old(old)
    assert about
    assert about.seen
    assert (about.finding_id, about.seen.severity, about.seen.mark) == (
        seen.finding_id,
        seen.severity,
        seen.mark,
    )


def test_a_key_of_unknown_age_is_at_least_that_old() -> None:
    made = NOW - timedelta(days=100)
    key = KeyFacts("arn:aws:iam::111111111111:user/cloudspend", "ABCD", made, False, made)
    (found,) = account_state.observed(Standing((), None, (), old_key(an_account(key=key), NOW)))
    assert "is at least 100 days old; 90 are allowed" in found.reason


def _budget(actual: str, forecast: str | None = None, *thresholds: Threshold) -> Budget:
    ahead = None if forecast is None else Decimal(forecast)
    return Budget("Month", "COST", "USD", Decimal(1000), Decimal(actual), ahead, thresholds)


def _above(amount: str, of: str = "ACTUAL", **more: bool) -> Threshold:
    return Threshold(of, "GREATER_THAN", Decimal(amount), **more)


@pytest.mark.parametrize(
    ("budget", "mark", "severity"),
    [
        (_budget("1000"), None, None),
        (_budget("1000.01"), "ACTUAL above 100 %", Severity.WARNING),
        (_budget("10", "1000"), None, None),
        (_budget("10", "1000.01"), "FORECASTED above 100 %", Severity.INFO),
        (_budget("1200", "2000"), "ACTUAL above 100 %", Severity.WARNING),
        (_budget("801", "900", _above("80")), "ACTUAL above 80 %", Severity.WARNING),
        (_budget("800", "900", _above("80")), None, None),
        (_budget("10", "900", _above("80", "FORECASTED")), "FORECASTED above 80 %", Severity.INFO),
        (_budget("1300", None, _above("80"), _above("120")), "ACTUAL above 120 %",
         Severity.WARNING),
        (_budget("501", None, _above("500", is_percentage=False)), "ACTUAL above 500",
         Severity.WARNING),
        (_budget("10", None, _above("80", alarms=True)), "ACTUAL above 80 %", Severity.WARNING),
        (Budget("Use", "RI_UTILIZATION", "PERCENTAGE", Decimal(100), Decimal(70), None,
                (Threshold("ACTUAL", "LESS_THAN", Decimal(80)),)), "ACTUAL below 80 %",
         Severity.WARNING),
        (Budget("Use", "RI_UTILIZATION", "PERCENTAGE", Decimal(100), Decimal(101), None), None,
         None),
        (Budget("Planned", "COST", "USD", None, Decimal(70), None, (_above("80"),)), None, None),
    ],
)  # fmt: skip
def test_a_budget_beyond_its_furthest_threshold(
    budget: Budget, mark: str | None, severity: Severity | None
) -> None:
    found = reached([budget])
    assert [(each.mark, each.severity) for each in found] == ([(mark, severity)] if mark else [])


def test_a_budget_says_how_it_stands() -> None:
    (found,) = reached([_budget("1200.5", "2000")])
    assert found.reason == (
        "The budget Month is above 100 % of its limit: it is at 1200.50 USD of 1000.00 USD."
    )
    assert (found.amount, found.currency) == (Decimal("1200.50"), "USD")
    (found,) = reached([_budget("10", "2000")])
    assert "is forecast to be above 100 % of its limit" in found.reason
    assert "is forecast to reach 2000.00 USD" in found.reason


def _purchase(service: str, term: str, savings: str, what: str = "1 x") -> Recommendation:
    sums = (Decimal(savings), Decimal(500), Decimal(900))
    return Recommendation(service, term, "PARTIAL_UPFRONT", what, "USD", *sums)


def test_a_purchase_is_worth_a_finding_from_a_sum_on_and_by_its_better_term() -> None:
    found = worthwhile(
        [
            _purchase("Amazon RDS", "ONE_YEAR", "60", "2 db.r6g.large"),
            _purchase("Amazon RDS", "ONE_YEAR", "39.99"),
            _purchase("Amazon EC2", "ONE_YEAR", "90"),
            _purchase("Amazon EC2", "THREE_YEARS", "70", "1 c5.large"),
            _purchase("Amazon EC2", "THREE_YEARS", "80", "9 m5.large"),
        ],
        Decimal(100),
    )
    assert [(each.subject, each.amount) for each in found] == [("Amazon EC2", Decimal("150.00"))]
    assert "for three years, partly paid upfront, saves 150.00 USD a month" in found[0].reason
    assert "1800.00 USD are to be paid" in found[0].reason
    assert found[0].moved[0] == CostDriver("9 m5.large, a month", Decimal(500), Decimal(420))


def _gap(what: str, stated: str, lake: str, month: int = 10, *, known: bool = False) -> Gap:
    period = BillingPeriod(2026, month)
    return Gap("service", what, period, "USD", Decimal(stated), Decimal(lake), known)


@pytest.mark.parametrize(
    ("gap", "subject", "severity", "said"),
    [
        (_gap("Amazon S3", "5", "0"), "service Amazon S3", Severity.WARNING,
         "The export has nothing of the service Amazon S3 in 2026-10; Cost Explorer has 5.00 USD"),
        (_gap("Amazon S3", "0", "5"), "service Amazon S3 in Cost Explorer", Severity.WARNING,
         "Cost Explorer has nothing of the service Amazon S3 in 2026-10; the export has 5.00 USD"),
        (_gap("AWS Thinkbox", "5", "0", known=True), "service AWS Thinkbox", Severity.INFO,
         "The export has nothing"),
        (_gap("Amazon S3", "0.004", "0"), None, None, ""),
    ],
)  # fmt: skip
def test_what_only_one_side_knows(
    gap: Gap, subject: str | None, severity: Severity | None, said: str
) -> None:
    found = gaps([gap])
    assert [(each.subject, each.severity) for each in found] == (
        [(subject, severity)] if subject else []
    )
    assert all(said in each.reason for each in found)


def test_a_gap_of_several_months_is_one_finding() -> None:
    (found,) = gaps([_gap("Amazon S3", "7", "0", 11), _gap("Amazon S3", "5", "0", 10)])
    assert "in 2026-10, 2026-11" in found.reason
    assert (found.since, found.amount) == (date(2026, 10, 1), Decimal("7.00"))

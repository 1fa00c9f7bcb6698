"""What the bus and the registry hold after findings are settled, and what people say to them."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cloudspend.accounts.model import Account, AccountState
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.findings import FindingKind, FindingResolved
from cloudspend.alerts.event import Event, Severity
from cloudspend.errors import TransientError, UsageError
from cloudspend.findings.apply import HAPPENED_FOR, apply_decisions, digest
from cloudspend.findings.event_findings import deliver_if_new
from cloudspend.findings.findings_table import FindingsTable
from cloudspend.findings.manage import mute, mute_end, order, resolve
from cloudspend.findings.model import Observation
from tests.fakes.accounts import FakeAccounts, an_account
from tests.fakes.alerts import FakeBus
from tests.fakes.findings import FakeFindings
from tests.fakes.lake import FakeCatalog
from tests.fakes.reconcile import FakeTables
from tests.unit.alerts.event_examples import example
from tests.unit.findings.findings_world import A_DAY, ANOMALY, NOW, observed

SOMEONE = an_account()
ALL = frozenset({FindingKind.COST_ANOMALY, FindingKind.BUDGET})


class Desk:
    """One account, looked at day after day."""

    def __init__(self) -> None:
        self.findings, self.bus, self.day = FakeFindings(), FakeBus(), 0
        self.tables, self.accounts = FakeTables(), FakeAccounts(SOMEONE)
        self.findings_table = FindingsTable(
            self.findings, self.tables, FakeCatalog(), self.accounts
        )

    def see(self, *seen: Observation) -> list[str]:
        """The messages of the next day."""
        self.bus.events.clear()
        now = NOW + self.day * A_DAY
        self.outcomes = apply_decisions(SOMEONE, ALL, seen, self.findings, self.bus, now)
        self.day += 1
        return self.bus.kinds

    @property
    def now(self) -> Any:
        return NOW + self.day * A_DAY


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_finding_lives_from_raise_to_resolve(desk: Desk) -> None:
    assert desk.see(ANOMALY) == ["FindingRaised"]
    raised = desk.bus.events[0]
    assert raised.severity is Severity.WARNING
    assert raised.details["moved"][0]["difference"] == "100.0"
    assert desk.see(ANOMALY) == []
    assert desk.see(observed(amount=Decimal(200))) == ["FindingUpdated"]
    assert desk.see() == ["FindingResolved"]
    assert desk.see() == []


def test_each_message_about_a_finding_has_a_number_of_its_own(desk: Desk) -> None:
    ids = []
    for seen in ([ANOMALY], [observed(amount=Decimal(200))], []):
        desk.see(*seen)
        ids += [each.event_id for each in desk.bus.events]
    assert len(set(ids)) == 3


def test_what_could_not_be_told_is_told_by_the_next_run_under_the_same_number(desk: Desk) -> None:
    desk.bus.broken = True
    with pytest.raises(TransientError):
        desk.see(ANOMALY)
    desk.bus.broken = False
    assert desk.see(ANOMALY) == ["FindingRaised"]
    other = Desk()
    other.see(ANOMALY)
    assert desk.bus.events[0].event_id == other.bus.events[0].event_id


def test_kinds_that_were_not_looked_at_stay_as_they_are(desk: Desk) -> None:
    desk.see(ANOMALY)
    apply_decisions(SOMEONE, {FindingKind.BUDGET}, [], desk.findings, desk.bus, desk.now)
    assert [each.is_open for each in desk.findings.of(SOMEONE.account_id)] == [True]


def test_a_muted_finding_is_silent_and_stands_in_the_digest(desk: Desk) -> None:
    desk.see(ANOMALY)
    until = mute_end(desk.now, timedelta(days=30))
    mute(desk.findings_table, SOMEONE.account_id, ANOMALY.finding_id, until, "a known job")
    assert desk.see(observed(amount=Decimal(900))) == []
    stated = digest(SOMEONE, desk.outcomes, desk.now)
    assert stated
    assert stated.details["findings"][0]["why"] == "muted: a known job"
    assert desk.see() == []


def test_a_day_on_which_all_was_told_has_no_digest(desk: Desk) -> None:
    desk.see(ANOMALY)
    assert digest(SOMEONE, desk.outcomes, desk.now) is None


def test_what_a_person_resolved_stays_so_until_it_is_worse(desk: Desk) -> None:
    desk.see(ANOMALY)
    resolve(desk.findings_table, SOMEONE.account_id, ANOMALY.finding_id, desk.now, "it was a test")
    assert desk.see(ANOMALY) == []
    assert desk.see(observed(amount=Decimal(500))) == ["FindingRaised"]


@pytest.mark.parametrize("said", [mute, resolve])
def test_nothing_can_be_said_to_what_is_not_there(desk: Desk, said: Any) -> None:
    with pytest.raises(UsageError, match="no finding"):
        said(desk.findings_table, SOMEONE.account_id, "0123456789", desk.now, "why")


@pytest.mark.parametrize("said", [mute, resolve])
def test_a_reason_is_needed_and_what_is_over_is_over(desk: Desk, said: Any) -> None:
    desk.see(ANOMALY)
    where = (desk.findings_table, SOMEONE.account_id, ANOMALY.finding_id, desk.now)
    with pytest.raises(UsageError, match="empty"):
        said(*where, "  ")
    desk.see()
    with pytest.raises(UsageError, match="over"):
        said(*where, "why")


def test_the_worst_and_largest_come_first(desk: Desk) -> None:
    small = observed(subject="small", amount=Decimal(1))
    worst = observed(subject="worst", severity=Severity.CRITICAL, amount=None)
    desk.see(small, ANOMALY, worst)
    found = order(desk.findings.open())
    assert [each.seen.subject for each in found] == ["worst", ANOMALY.subject, "small"]


def hear(desk: Desk, said: Event, day: int = 0) -> bool:
    stated: list[Event] = []
    now = NOW + day * A_DAY
    deliver_if_new(
        said.detail_type, said.detail, desk.findings_table, now, lambda: stated.append(said)
    )
    return bool(stated)


def test_an_event_that_is_said_every_day_is_told_once(desk: Desk) -> None:
    disputed = example("PeriodDisputed")
    assert [hear(desk, disputed, day) for day in range(3)] == [True, False, False]
    assert hear(desk, example("PeriodDisputed", residual=Decimal(99)))


def leaves(desk: Desk, state: AccountState | None) -> None:
    """The account is in `state` from now on; gone for good if that is None."""
    if state is None:
        desk.accounts.drop(SOMEONE.account_id)
    else:
        desk.accounts.save(SOMEONE, replace(SOMEONE, state=state))


@pytest.mark.parametrize("state", [AccountState.OFFBOARDING, AccountState.REMOVED, None])
def test_what_is_heard_of_an_account_that_left_is_told_and_not_kept(
    desk: Desk, state: AccountState | None
) -> None:
    leaves(desk, state)
    assert [hear(desk, example("PeriodDisputed"), day) for day in range(2)] == [True, True]
    assert desk.findings.of(SOMEONE.account_id) == []
    assert desk.tables.objects == {}
    assert hear(desk, example("PeriodCertified"))
    assert not desk.findings.open()


def test_a_muted_event_is_not_told(desk: Desk) -> None:
    overdue = example("DeliveryOverdue")
    assert hear(desk, overdue)
    (known,) = desk.findings.open()
    mute(
        desk.findings_table, known.account_id, known.finding_id, NOW + 9 * A_DAY, "the export moves"
    )
    assert not hear(desk, example("DeliveryOverdue", hours=99), 1)


def test_an_event_about_no_finding_is_always_told(desk: Desk) -> None:
    assert [hear(desk, example("SweepCompleted")) for _ in range(2)] == [True, True]
    assert not desk.findings.of("111111111111")


def test_what_happens_once_is_over_after_a_while(desk: Desk) -> None:
    restated = example("PeriodRestated")
    assert hear(desk, restated)
    account: Account = SOMEONE
    kinds = {FindingKind.RESTATEMENT}
    for after, still in ((HAPPENED_FOR - A_DAY, True), (HAPPENED_FOR + A_DAY, False)):
        apply_decisions(account, kinds, [], desk.findings, desk.bus, NOW + after)
        assert bool(desk.findings.open()) is still


def test_days_of_findings_are_dates() -> None:
    stated = event(
        FindingResolved(
            finding="0123456789",
            kind=FindingKind.BUDGET,
            subject="a budget",
            since=date(2026, 11, 1),
            reason="Gone.",
        ),
        SOMEONE.for_events,
        "x",
    )
    assert stated.details["since"] == "2026-11-01"

"""The table of findings follows the registry."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cloudspend.accounts.model import Account
from cloudspend.findings.decide import first
from cloudspend.findings.event_findings import deliver_if_new
from cloudspend.findings.findings_table import FindingsTable
from cloudspend.findings.manage import mute, resolve
from cloudspend.findings.tables import FINDINGS, row
from tests.fakes.accounts import FakeAccounts, an_account
from tests.fakes.findings import FakeFindings
from tests.fakes.lake import FakeCatalog
from tests.fakes.reconcile import FakeTables
from tests.unit.alerts.event_examples import example
from tests.unit.findings.findings_world import A_DAY, ANOMALY, NOW, observed
from tests.unit.lake.test_lake_sql import Engine
from tests.unit.test_docs import ROOT
from tests.unit.test_docs import queries as queries_of

SOMEONE: Account = an_account()
ID = SOMEONE.account_id
PLACE = f"findings/account_id={ID}/"


class Table(FakeTables):
    """Counts what is written, and lets something happen after a write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.then: list[Any] = []

    def write(self, *arguments: Any) -> None:
        super().write(*arguments)
        self.writes += 1
        if self.then:
            self.then.pop()()


@pytest.fixture
def findings_table() -> FindingsTable:
    return FindingsTable(FakeFindings(), Table(), FakeCatalog(), FakeAccounts(SOMEONE))


def rows(findings_table: FindingsTable) -> list[dict[str, Any]]:
    return findings_table.tables.objects[PLACE]  # type: ignore[attr-defined, no-any-return]


def test_a_row_says_all_of_a_finding() -> None:
    finding = first(ID, ANOMALY, NOW).muted(NOW + A_DAY, "known").closed(NOW, by="dealt with")
    written = row(finding)
    assert list(written) == [column.name for column in FINDINGS.columns]
    assert (written["amount"], written["currency"]) == (100.0, "USD")
    assert json.loads(written["moved"]) == [
        {"what": "Requests-Tier1 of a-bucket, a day", "before": "1.5", "after": "101.5"}
    ]
    assert (written["status"], written["resolved_because"]) == ("resolved", "dealt with")
    assert (written["muted_until"], written["muted_because"]) == (NOW + A_DAY, "known")


def test_what_is_not_known_is_null() -> None:
    written = row(first(ID, observed(amount=None, currency=None, since=None), NOW))
    empty = {name for name, value in written.items() if value is None}
    assert empty == {
        *("amount", "currency", "since", "resolved_at", "resolved_because"),
        *("muted_until", "muted_because"),
    }


def test_an_account_without_findings_has_no_file(findings_table: FindingsTable) -> None:
    findings_table.show(ID)
    assert findings_table.tables.objects == {}  # type: ignore[attr-defined]
    assert findings_table.catalog.locations("findings", ID) == {}


def test_every_finding_of_the_account_is_shown_and_no_other(findings_table: FindingsTable) -> None:
    for account, seen in ((ID, ANOMALY), (ID, observed(subject="x")), ("222222222222", ANOMALY)):
        findings_table.findings.save(first(account, seen, NOW))
    findings_table.show(ID)
    assert {each["subject"] for each in rows(findings_table)} == {ANOMALY.subject, "x"}
    assert (
        findings_table.catalog.location("findings", (ID,))
        == f"s3://{findings_table.tables.bucket}/{PLACE}"
    )


def test_the_partition_is_pointed_at_once(findings_table: FindingsTable) -> None:
    for n in range(3):
        findings_table.findings.save(first(ID, observed(subject=f"{n}"), NOW))
        findings_table.show(ID)
    assert len(findings_table.catalog.shown) == 1  # type: ignore[attr-defined]


def test_what_is_written_meanwhile_is_shown_as_well(findings_table: FindingsTable) -> None:
    """Two write at the same time: the one whose file is the last sees the other's finding."""
    findings_table.findings.save(first(ID, ANOMALY, NOW))
    findings_table.tables.then = [  # type: ignore[attr-defined]
        lambda: findings_table.findings.save(first(ID, observed(subject="late"), NOW))
    ]
    findings_table.show(ID)
    assert {each["subject"] for each in rows(findings_table)} == {ANOMALY.subject, "late"}
    assert findings_table.tables.writes == 2  # type: ignore[attr-defined]


def test_what_a_person_says_is_shown(findings_table: FindingsTable) -> None:
    finding = findings_table.findings.save(first(ID, ANOMALY, NOW))
    mute(findings_table, ID, finding.finding_id, NOW + timedelta(days=3), "a test")
    (shown,) = rows(findings_table)
    assert (shown["status"], shown["muted_because"]) == ("open", "a test")
    resolve(findings_table, ID, finding.finding_id, NOW, "it is over")
    (shown,) = rows(findings_table)
    assert (shown["status"], shown["resolved_because"]) == ("resolved", "it is over")


def test_what_was_heard_is_shown(findings_table: FindingsTable) -> None:
    said = example("DeliveryOverdue")
    deliver_if_new(said.detail_type, said.detail, findings_table, NOW, lambda: None)
    (shown,) = rows(findings_table)
    assert (shown["kind"], shown["status"]) == ("freshness", "open")


def test_what_is_heard_again_mends_a_table_that_lags_behind(findings_table: FindingsTable) -> None:
    said = example("DeliveryOverdue")
    deliver_if_new(said.detail_type, said.detail, findings_table, NOW, lambda: None)
    findings_table.tables.objects.clear()  # type: ignore[attr-defined]
    deliver_if_new(said.detail_type, said.detail, findings_table, NOW + A_DAY, lambda: None)
    assert rows(findings_table)


def test_an_event_about_no_finding_writes_nothing(findings_table: FindingsTable) -> None:
    said = example("SweepCompleted")
    deliver_if_new(said.detail_type, said.detail, findings_table, NOW, lambda: None)
    assert findings_table.tables.writes == 0  # type: ignore[attr-defined]


def asked(word: str) -> list[dict[str, Any]]:
    """What the analysts' query with `word` in it says of open, muted and closed findings."""
    (sql,) = [
        each
        for each in queries_of(ROOT / "docs" / "analysts.md")
        if "FROM findings" in each and word in each
    ]
    engine = Engine()
    large = first(ID, observed(subject="large", amount=Decimal(900)), NOW)
    muted = first(ID, observed(subject="muted"), NOW).muted(datetime(2999, 1, 1, tzinfo=UTC), "why")
    over = first(ID, observed(subject="over"), NOW).closed(NOW + timedelta(hours=12))
    found = [first(ID, ANOMALY, NOW), large, muted, over]
    engine.put("findings", [{**_naive(row(each)), "account_id": ID} for each in found])
    return engine.rows(sql)


def test_the_page_for_analysts_asks_for_what_is_open_and_not_muted() -> None:
    assert [each["amount"] for each in asked("days_open")] == [900.0, 100.0]


def test_the_page_for_analysts_asks_how_long_findings_last() -> None:
    assert [(each["findings"], each["hours"]) for each in asked("AS hours")] == [(1, 12.0)]


def test_the_page_for_analysts_asks_what_moved() -> None:
    rows_found = asked("UNNEST")
    assert len(rows_found) == 4
    assert {(each["what"], each["now"]) for each in rows_found} == {
        ("Requests-Tier1 of a-bucket, a day", "101.5")
    }


def _naive(values: dict[str, Any]) -> dict[str, Any]:
    """Times as Parquet holds them: UTC without a zone."""
    return {
        name: value.replace(tzinfo=None) if isinstance(value, datetime) else value
        for name, value in values.items()
    }

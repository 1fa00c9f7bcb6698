"""Tables for people, on terminals of any width."""

import pytest

from cloudspend.cli.output import WIDEST, Output, show

ACCOUNT = {
    "account_id": "111111111111",
    "name": "Example Shop",
    "type": "ORGANIZATION",
    "state": "active",
    "connection": "IAM_ROLE",
    "export_kind": "CUR_LEGACY",
    "since": "2026-09-01",
    "reason": None,
}


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_an_account_id_is_never_broken(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    show([ACCOUNT], list(ACCOUNT), Output.TABLE, "")
    out = capsys.readouterr().out
    assert "111111111111" in out
    assert "ORGANIZATION" in out


def test_an_arn_is_not_broken_while_others_can_give_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    arn = "arn:aws:sqs:us-east-1:000000000000:cost-alerts"
    row = {"endpoint": arn, "kinds": ["PeriodDisputed", "IngestFailed", "AccountDegraded"]}
    show([{**row, "why": "no " * 30}], [*row, "why"], Output.TABLE, "")
    assert arn in capsys.readouterr().out


def test_a_long_text_is_wrapped_where_the_words_have_room(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    show([{"check": "role-opens", "reason": "no " * 60}], ["check", "reason"], Output.TABLE, "")
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_one_very_long_word_does_not_make_the_table_endless(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    show([{"a": "word", "b": "s3://" + "x" * 300}], ["a", "b"], Output.TABLE, "")
    assert max(map(len, capsys.readouterr().out.splitlines())) <= WIDEST

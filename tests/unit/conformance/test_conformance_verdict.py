"""Comparison with the validator's report, without the validator."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.focus import rules
from cloudspend.convert.focus.mappings import MAPPINGS
from conformance import __main__ as command
from conformance import validator, verdict
from conformance.bill import line_items
from conformance.dataset import focus_dataset, without_null_class
from conformance.deliveries import FOCUS, LINE_ITEMS
from conformance.validator import Judgement, NotJudged
from scripts import pythons

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "focus-conformance.md"
LEGACY = ExportKind.CUR_LEGACY
RULE = re.compile(r"`([A-Z]\w+-[A-Z]-\d{3}-[A-Z])`")


def judgement(**failing: str) -> Judgement:
    return Judgement(578, 368, {rule.replace("_", "-"): words for rule, words in failing.items()})


def test_the_bill_has_every_charge_type() -> None:
    found = {item["lineItem/LineItemType"] for item in line_items()}
    assert found == rules.KNOWN_CHARGE_TYPES


def test_every_kind_that_can_be_converted_is_judged() -> None:
    assert {*LINE_ITEMS, *FOCUS} == {*MAPPINGS}
    for kind in MAPPINGS:
        assert focus_dataset(kind).num_rows > 15, kind


@pytest.mark.parametrize("kind", MAPPINGS)
def test_a_dataset_has_the_names_and_forms_of_focus(kind: ExportKind) -> None:
    dataset = focus_dataset(kind)
    assert {"BilledCost", "ChargePeriodStart", "SkuPriceDetails", "Tags"} <= set(
        dataset.schema.names
    )
    assert all(not pa.types.is_map(field.type) for field in dataset.schema)
    assert any(tags and '"team": "shop"' in tags for tags in dataset["Tags"].to_pylist())


def test_the_stand_in_is_the_only_change() -> None:
    dataset = focus_dataset(LEGACY)
    classed = without_null_class(dataset)
    assert set(classed["ChargeClass"].to_pylist()) == {"Regular", "Correction"}
    assert classed.drop_columns("ChargeClass") == dataset.drop_columns("ChargeClass")


def test_a_new_failure_and_a_mended_one_are_both_told() -> None:
    found = {LEGACY: judgement(A_C_001_M="A MUST be.", B_C_001_M="B MUST be.")}
    assert verdict.differences(found, {"A-C-001-M": {LEGACY}, "B-C-001-M": {LEGACY}}) == []
    stated = verdict.differences(found, {"B-C-001-M": {LEGACY}, "C-C-001-M": {LEGACY}})
    assert stated == [
        "CUR_LEGACY: A-C-001-M fails and is not listed: A MUST be.",
        "CUR_LEGACY: C-C-001-M is listed as failing and does not fail: take it off the list.",
    ]


def test_a_rule_may_fail_for_one_kind_only() -> None:
    found = {LEGACY: judgement(A_C_001_M="A MUST be."), ExportKind.CUR_2_0: judgement()}
    assert verdict.differences(found, {"A-C-001-M": {LEGACY}}) == []


def test_what_fails_only_with_the_stand_in_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(paths: list[Path]) -> list[Judgement]:
        stand_in = judgement(
            A_C_001_M="A", ChargeClass_C_005_C="Correction or null", SkuId_C_005_C="S"
        )
        return [judgement(A_C_001_M="A"), stand_in] * (len(paths) // 2)

    monkeypatch.setattr(validator, "judge", judge)
    for found in verdict.judgements().values():
        assert found.failing == {"A-C-001-M": "A", "SkuId-C-005-C": "S"}


def test_the_page_explains_what_fails_and_nothing_else() -> None:
    listed = set(RULE.findall(PAGE.read_text(encoding="utf-8").split("\n## Fixed")[0]))
    assert listed == set(verdict.known())


def test_without_a_python_312_the_way_out_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHON312", str(tmp_path / "none"))
    with pytest.raises(NotJudged, match=r"needs Python 3\.12, and none was found.*PYTHON312="):
        validator.find_python()
    monkeypatch.setattr(validator.prepare, "__defaults__", (tmp_path / "home",))
    assert command.main() == 1
    assert capsys.readouterr().err.startswith("cloudspend: The FOCUS validator needs Python 3.12")


def test_an_environment_that_is_there_is_not_made_again(tmp_path: Path, tools: list[Any]) -> None:
    assert validator.prepare(tmp_path / "home")
    made = len(tools)
    assert made == 2
    assert not validator.prepare(tmp_path / "home")
    assert len(tools) == made


def test_packages_that_cannot_be_fetched_are_told(
    tmp_path: Path, tools: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pythons, "find", lambda _version: "python3.12")
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda *_, **__: subprocess.CompletedProcess([], 1, "", "ERROR: no index"),
    )
    with pytest.raises(NotJudged, match=r"no index.*package index"):
        validator.prepare(tmp_path / "home")
    assert not (tmp_path / "home" / validator.STAMP).exists()


def test_a_validator_that_stops_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = subprocess.CompletedProcess([], 1, "", "ImportError: numpy")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: stopped)
    with pytest.raises(NotJudged, match=r"stopped \(ImportError: numpy\)"):
        validator.judge([tmp_path / "bill.parquet"], tmp_path)


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every command that would be run; each succeeds."""
    commands: list[Any] = []
    monkeypatch.setattr(pythons, "find", lambda _version: "python3.12")

    def run(command: Any, **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        if "venv" in command:
            Path(command[-1]).mkdir()
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    return commands

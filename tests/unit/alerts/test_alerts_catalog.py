"""Every event of the catalog fits its own schema and reads as a sentence."""

import json
import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

from cloudspend.alerts import schema as s
from cloudspend.alerts.catalog import CATALOG, ROOMS, event, kind_of, schema_of
from cloudspend.alerts.catalog.accounts import AccountConnected
from cloudspend.alerts.catalog.event_type import MAX_CELLS, EventDetails
from cloudspend.alerts.catalog.ingest import IngestFailed
from cloudspend.alerts.catalog.reconcile import Cell
from cloudspend.alerts.event import Event, Severity
from cloudspend.alerts.message import message_of
from cloudspend.errors import Defect
from tests.unit.alerts.event_examples import ACCOUNT, example, value_of

ROOT = Path(__file__).parents[3]
LIBRARY = ROOT / "layers" / "cloudspend" / "python"
GOLDEN = ROOT / "tests" / "golden" / "wire"

CELL = Cell(
    account="222222222222",
    service="Amazon Simple Storage Service",
    charge_type="Usage",
    lake=Decimal("1E+2"),
    cost_explorer=Decimal("90.5"),
    residual=Decimal("9.5"),
)


def test_no_two_rooms_have_an_event_of_the_same_name() -> None:
    classes = [
        kind
        for room in ROOMS
        for name, kind in vars(room).items()
        if isinstance(kind, type)
        and issubclass(kind, EventDetails)
        and kind.__module__ == room.__name__
        and not name.startswith("_")
    ]
    assert sorted(CATALOG) == sorted(kind.__name__ for kind in classes)


@pytest.mark.parametrize("detail_type", CATALOG)
def test_fits_its_schema(detail_type: str) -> None:
    schema = schema_of(detail_type)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(example(detail_type).detail, schema)


@pytest.mark.parametrize("detail_type", CATALOG)
def test_reads_as_a_sentence_that_names_the_account(detail_type: str) -> None:
    made = example(detail_type)
    assert "Acme {Corp} (111111111111)" in made.summary
    assert made.summary[0].isupper()
    assert all(action.strip() for action in made.actions)


@pytest.mark.parametrize(
    "detail_type", [name for name, kind in CATALOG.items() if kind.severity is not Severity.INFO]
)
def test_what_is_not_mere_news_says_what_to_do(detail_type: str) -> None:
    assert example(detail_type).actions


@pytest.mark.parametrize("detail_type", CATALOG)
def test_is_no_other_event_by_its_schema(detail_type: str) -> None:
    detail = example(detail_type).detail | {"severity": "trivial"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(detail, schema_of(detail_type))


def test_money_is_plain_decimal_text() -> None:
    details = example("PeriodDisputed", cells=[CELL]).detail["details"]
    assert details["cells"][0]["lake"] == "100"
    assert details["residual"] == "1234.5"


def test_a_sentence_shows_money_to_the_cent_and_finer_only_where_needed() -> None:
    made = example("PeriodRestated", billed_cost=Decimal("1234567.891"), difference=Decimal("2E-7"))
    assert "to 1,234,567.89 USD" in made.summary
    assert "a difference of 0.000000200 USD" in made.summary


def test_where_is_unknown_unless_given() -> None:
    failed = event(
        IngestFailed(error="DeliveryError", reason="It is torn.", remedy=""), ACCOUNT, "x"
    )
    assert failed.details["file"] is None
    assert failed.summary == (
        "A delivery for Acme {Corp} (111111111111) was not ingested. The published bill stays as "
        "it was. It is torn."
    )
    assert failed.actions == ("Then try again: cloudspend ingest 111111111111.",)
    jsonschema.validate(failed.detail, schema_of("IngestFailed"))


def test_long_lists_are_cut() -> None:
    made = example("PeriodDisputed", cells=[CELL] * (MAX_CELLS + 5))
    assert len(made.details["cells"]) == MAX_CELLS


@pytest.mark.parametrize("details", [{}, {"role_arn": "x", "color": "red"}])
def test_missing_and_unknown_fields_are_refused(details: dict[str, str]) -> None:
    with pytest.raises(TypeError, match=r"role_arn|color"):
        AccountConnected(**details)


def test_a_misspelled_event_or_field_fails_type_checking(tmp_path: Path) -> None:
    snippet = tmp_path / "snippet.py"
    snippet.write_text(
        "from cloudspend.alerts.catalog.ingest import UnknownColumns\n"
        "from cloudspend.alerts.catalog.reconcile import PeriodCertifed\n"
        "UnknownColumns(perod='2026-10', generation='x', columns=())\n"
        "UnknownColumns(period='2026-10', generation='x', columns='one')\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(snippet)]
    environment = os.environ | {"MYPYPATH": str(LIBRARY)}
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert '"PeriodCertifed"' in result.stdout
    assert 'Unexpected keyword argument "perod"' in result.stdout
    assert 'Argument "columns" to "UnknownColumns" has incompatible type "str"' in result.stdout


@pytest.mark.parametrize("detail_type", CATALOG)
def test_the_wire_format_is_unchanged(detail_type: str) -> None:
    golden = json.loads((GOLDEN / "events.json").read_text(encoding="utf-8"))[detail_type]
    detail = example(detail_type).detail
    del detail["summary"], detail["actions"]
    assert detail == golden["detail"]
    assert schema_of(detail_type) == golden["schema"]


def without_optional(detail_type: str) -> Event:
    """The event without any field that can be missing."""
    kind = CATALOG[detail_type]
    full = {name: value_of(schema, name) for name, schema in kind.schemas().items()}
    given = {n: v for n, v in full.items() if not s.is_nullable(kind.schemas()[n])}
    return event(kind(**given), ACCOUNT, "subject", severity=Severity.WARNING)


@pytest.mark.parametrize("detail_type", CATALOG)
def test_no_text_prints_a_missing_value(detail_type: str) -> None:
    bare = without_optional(detail_type)
    message = message_of(detail_type, bare.detail)
    texts = (bare.summary, *bare.actions, message.subject, message.text)
    for text in texts:
        assert not re.search(
            r"\b(None|null|nan|unknown)\b|\(\)|  +\.|,,|\{|\[\]",
            text.replace("Acme {Corp}", "Acme"),
        ), text


@pytest.mark.parametrize("detail_type", CATALOG)
def test_a_subject_is_news(detail_type: str) -> None:
    message = message_of(detail_type, example(detail_type).detail)
    assert message.subject.startswith("Acme {Corp}: ")
    assert detail_type not in message.subject
    assert len(message.subject) < 100


def test_each_subject_belongs_to_one_event() -> None:
    subjects = [message_of(name, example(name).detail).subject for name in CATALOG]
    assert len(set(subjects)) == len(subjects) == 55


def test_an_unknown_event_is_our_defect() -> None:
    with pytest.raises(Defect, match="NoSuchThing"):
        kind_of("NoSuchThing")


def test_a_repeat_bears_the_same_id_and_another_outcome_another() -> None:
    once, again = example("AccountConnected"), example("AccountConnected", role_arn="other")
    other = event(AccountConnected(role_arn="x"), ACCOUNT, "another")
    assert once.event_id == again.event_id != other.event_id

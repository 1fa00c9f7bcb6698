"""Every event of the catalogue fits its own schema and reads as a sentence."""

from decimal import Decimal

import jsonschema
import pytest

from cloudspend.alerts.catalog import CATALOG, ROOMS, event, kind_of, schema_of
from cloudspend.alerts.catalog.event_type import MAX_CELLS
from cloudspend.alerts.event import Severity
from cloudspend.errors import Defect
from tests.unit.alerts.event_examples import ACCOUNT, example

CELL = {
    "account": "222222222222",
    "service": "Amazon Simple Storage Service",
    "charge_type": "Usage",
    "lake": Decimal("1E+2"),
    "cost_explorer": Decimal("90.5"),
    "residual": Decimal("9.5"),
}


def test_no_two_rooms_have_an_event_of_the_same_name() -> None:
    assert len(CATALOG) == sum(map(len, ROOMS))


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
        "IngestFailed", ACCOUNT, "x", error="DeliveryError", reason="It is torn.", remedy=""
    )
    assert failed.details["file"] is None
    assert "period unknown" in failed.summary
    assert failed.actions == ("Then try again: cloudspend ingest 111111111111.",)
    jsonschema.validate(failed.detail, schema_of("IngestFailed"))


def test_long_lists_are_cut() -> None:
    made = example("PeriodDisputed", cells=[CELL] * (MAX_CELLS + 5))
    assert len(made.details["cells"]) == MAX_CELLS


@pytest.mark.parametrize("details", [{}, {"role_arn": "x", "colour": "red"}])
def test_wrong_details_are_our_defect(details: dict[str, str]) -> None:
    with pytest.raises(Defect, match=r"role_arn|colour"):
        event("AccountConnected", ACCOUNT, "x", **details)


def test_an_unknown_event_is_our_defect() -> None:
    with pytest.raises(Defect, match="NoSuchThing"):
        kind_of("NoSuchThing")


def test_a_repeat_bears_the_same_id_and_another_outcome_another() -> None:
    once, again = example("AccountConnected"), example("AccountConnected", role_arn="other")
    other = event("AccountConnected", ACCOUNT, "another", role_arn="x")
    assert once.event_id == again.event_id != other.event_id

"""What the rows of a generation are like, and what of it is doubtful."""

import re
from dataclasses import replace
from decimal import Decimal
from importlib.resources import files

import pytest

from cloudspend.reconcile.quality import NEVER_NULL, Quality, doubts, losses
from tests.unit.reconcile.reconcile_bills import S3, Line, World, usage

GOOD = Quality(
    generation="20261105T000000Z-0000abcd",
    rows=100,
    billed_cost=Decimal("500"),
    corrections=Decimal("-10"),
    correction_rows=1,
    negative_usage_rows=0,
    usage_rows=80,
    usage_rows_without_resource=8,
    usage_rows_with_tags=60,
    charge_types=("Credit", "Usage"),
    currencies=("USD",),
    unknown_columns=(),
    nulls={},
)


@pytest.mark.parametrize(
    ("changed", "doubt"),
    [
        ({"nulls": {"billedcost": 3}}, "3 rows have no billedcost"),
        ({"negative_usage_rows": 2}, "2 rows have a negative usage"),
        ({"currencies": ("EUR", "USD")}, "2 currencies: EUR and USD"),
        ({"currencies": ("EUR",)}, "The currency was USD and is EUR"),
        ({"usage_rows_with_tags": 40}, "50% of the usage rows bear a tag; before it were 75%"),
        ({"usage_rows_without_resource": 40}, "50% of the usage rows name their resource"),
    ],
)
def test_what_is_doubtful_is_a_sentence(changed: dict[str, object], doubt: str) -> None:
    assert doubt in " ".join(doubts(replace(GOOD, **changed), GOOD))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"usage_rows_with_tags": 53},
        {"usage_rows": 0, "usage_rows_with_tags": 0, "usage_rows_without_resource": 0},
        {"charge_types": ("LoyaltyGift",), "unknown_columns": ("lineItem/New",)},
    ],
    ids=["same", "a little less", "no usage", "stated elsewhere"],
)
def test_the_ordinary_is_not_doubtful(changed: dict[str, object]) -> None:
    quality = replace(GOOD, **changed)  # type: ignore[arg-type]
    assert (list(doubts(quality, GOOD)), list(doubts(quality, None))) == ([], [])


@pytest.mark.parametrize(
    ("rows", "cost", "corrections", "loss"),
    [
        (100, "500", "-10", ""),
        (99, "500", "-10", "1 rows fewer"),
        (101, "470", "-40", ""),
        (101, "460", "-40", "account for 30.00 of it, nothing for 10.00"),
        (100, "499.96", "-10", ""),
        (100, "600", "-10", ""),
    ],
)
def test_a_closed_bill_falls_by_what_aws_took_back(
    rows: int, cost: str, corrections: str, loss: str
) -> None:
    now = replace(GOOD, rows=rows, billed_cost=Decimal(cost), corrections=Decimal(corrections))
    found = " ".join(losses(now, GOOD))
    assert loss in found
    assert bool(loss) is bool(found)


def test_unknown_charge_types_are_those_that_no_rule_knows() -> None:
    assert replace(GOOD, charge_types=("Gift", "Usage")).unknown_charge_types == ("Gift",)


def test_every_column_that_focus_allows_no_null_in_is_counted() -> None:
    sql = (files("cloudspend.reconcile.sql") / "data_quality.sql").read_text()
    assert tuple(re.findall(r"AS null_(\w+)", sql)) == NEVER_NULL


BILL = [usage(2, "AmazonS3", S3, "20.10"), usage(3, "AmazonS3", S3, "9.90")]
FIRST, SECOND = "20261105T000000Z-0000abcd", "20261106T000000Z-0000beef"


def published_after(before: list[Line], after: list[Line], ledger: list[Line]) -> World:
    world = World(ledger, [before])
    world.publish(SECOND, [after], previous=FIRST)
    return world


def test_the_generation_that_readers_see_is_measured_beside_the_one_before() -> None:
    untagged = [replace(line, tags={}, resource=None, quantity=-1.0) for line in BILL]
    world = published_after(BILL, untagged, BILL)
    assert world.reconcile() == "certified"
    [row] = world.read("data_quality")
    assert (row["generation"], row["previous_generation"]) == (SECOND, FIRST)
    assert (row["rows"], row["previous_rows"], row["nulls"]) == (2, 2, "")
    assert (row["tag_coverage"], row["previous_tag_coverage"]) == (0.0, 1.0)
    assert (row["usage_rows_without_resource"], row["negative_usage_rows"]) == (2, 2)
    assert world.bus.kinds == ["DataQualityDoubtful", "PeriodCertified"]
    assert len(world.bus.events[0].details["doubts"]) == 3


def test_a_loss_that_cost_explorer_confirms_is_not_told() -> None:
    world = published_after(BILL, BILL[:1], BILL[:1])
    assert world.reconcile() == "certified"
    [row] = world.read("data_quality")
    assert (row["losses_confirmed"], "1 rows fewer" in row["losses"]) == (True, True)
    assert world.bus.kinds == ["PeriodCertified"]


def test_a_loss_that_cost_explorer_does_not_confirm_is_told() -> None:
    world = published_after(BILL, BILL[:1], BILL)
    assert world.reconcile() == "disputed"
    assert world.read("data_quality")[0]["losses_confirmed"] is False
    assert world.bus.kinds == ["DataQualityDoubtful", "PeriodDisputed"]


def test_a_generation_is_measured_once() -> None:
    world = World(BILL, [BILL])
    world.reconcile()
    world.queries.connection.execute("DROP TABLE cost_and_usage_generations")
    assert world.reconcile() == "certified"

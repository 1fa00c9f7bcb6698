"""Faults that are injected, each found in its cell and by its amount; and clean months, which are
never disputed. Bills are converted by the platform, Cost Explorer is the local cloud's."""

import random
from decimal import Decimal

import pytest

from cloudspend.convert.focus import amortization
from cloudspend.convert.focus.amortization import Treatment
from local.world.charges import DAYS, MARKETPLACE, Item, in_files
from tests.corpus.faults import (
    COMPUTE,
    FAULTS,
    OTHER,
    PLANS,
    S3,
    SHIFTED,
    Fault,
    amortization_broken,
    shifted,
)
from tests.unit.reconcile.reconcile_organization import (
    FIRST,
    MONTH,
    OF,
    SECOND,
    Organization,
    clock,
)

__all__ = ["clock"]
pytestmark = pytest.mark.usefixtures("clock")

PAYER, PRODUCTION, STAGING, DATA = OF.payer, OF.production, OF.staging, OF.data
D = Decimal


def published(files: list[list[Item]], items: list[Item] | None = None) -> Organization:
    made = Organization(items or MONTH.items())
    made.publish(files)
    return made


# Billed, effective and net cost of each cell, by hand: AWS CUR data dictionary, and the rules of
# the Cloud Intelligence Dashboards' summary_view.sql.
GOLDEN = {
    (PRODUCTION, S3, "Usage"): ("56", "56", "53.2"),
    (STAGING, COMPUTE, "Usage"): ("30.8", "30.8", "30.8"),
    (STAGING, OTHER, "Usage"): ("7", "7", "7"),
    (DATA, COMPUTE, "DiscountedUsage"): ("10", "25", "23.75"),
    (DATA, COMPUTE, "RIFee"): ("40", "10", "9.5"),
    (DATA, COMPUTE, "Fee"): ("300", "0", "0"),
    (PRODUCTION, COMPUTE, "SavingsPlanCoveredUsage"): ("0", "35", "33.25"),
    (PAYER, PLANS, "SavingsPlanRecurringFee"): ("60", "8", "8"),
    (PAYER, PLANS, "SavingsPlanUpfrontFee"): ("365", "0", "0"),
    (PAYER, PLANS, "Refund"): ("-20", "0", "0"),
    (PRODUCTION, S3, "Refund"): ("-3.25", "-3.25", "-3.25"),
    (STAGING, COMPUTE, "Credit"): ("-12.5", "-12.5", "-12.5"),
    (PRODUCTION, "Tax", "Tax"): ("18.4", "18.4", "18.4"),
    (PAYER, "AWS Support (Business)", "Fee"): ("100", "100", "100"),
    (DATA, "A Marketplace Product", "Usage"): ("15", "15", "15"),
    (PRODUCTION, S3, "Enterprise Discount Program Discount"): ("-7", "-7", "-7"),
    (PRODUCTION, S3, "Private Rate Card Discount"): ("-2", "-2", "-2"),
    (PRODUCTION, S3, "Bundled Discount"): ("-1", "-1", "-1"),
}


def test_each_charge_type_costs_what_aws_says_unblended_amortized_and_net() -> None:
    world = published(in_files(MONTH.items()))
    assert world.reconcile() == "certified", world.reason
    [period] = world.catalog.read("reconciliation", PAYER, "2026-10")
    assert (period["invoices"], round(period["invoice_residual"], 2)) == (2, 0)
    assert "The invoices say the same." in world.reason
    found = {
        (row["sub_account_id"], row["service"], row["charge_type"]): row for row in world.cells()
    }
    assert found.keys() == GOLDEN.keys()
    for cell, figures in GOLDEN.items():
        lake = ("billed_cost", "effective_cost", "net_effective_cost")
        stated = tuple(
            f"cost_explorer_{name}" for name in ("unblended", "amortized", "net_amortized")
        )
        for names in (lake, stated):
            assert [D(str(found[cell][name])) for name in names] == [D(f) for f in figures], cell


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found_in_its_cells_and_by_its_amount(fault: Fault) -> None:
    """An old generation also when the newer one was certified before."""
    world = Organization(MONTH.items())
    world.publish(fault.delivered(MONTH), FIRST)
    if fault.is_old:
        world.publish(in_files(MONTH.items()), SECOND)
        assert world.reconcile() == "certified"
        world.show(FIRST)
    assert world.reconcile() == "disputed"
    assert world.residuals() == fault.residuals(OF)
    assert fault.says in world.reason


def test_a_linked_account_that_is_missing_is_named() -> None:
    world = published(FAULTS["a linked account missing"].delivered(MONTH), MONTH.items())
    world.reconcile()
    [row] = world.catalog.read("reconciliation", PAYER, "2026-10")
    assert row["accounts_missing"] == STAGING


def test_a_tag_column_shifted() -> None:
    """Costs agree, so that the period is certified; its rows are doubtful."""
    world = Organization(MONTH.items())
    world.publish(in_files(MONTH.items()), FIRST)
    world.publish(shifted(MONTH), SECOND)
    assert world.reconcile() == "certified"
    [doubtful] = [e for e in world.bus.events if e.detail_type == "DataQualityDoubtful"]
    assert doubtful.details["doubts"] == [SHIFTED]
    [row] = world.catalog.read("data_quality", PAYER, "2026-10")
    assert (row["tag_coverage"], row["previous_tag_coverage"]) == (0.0, 1.0)


def test_an_amortization_rule_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {**amortization.BY_CHARGE_TYPE, "DiscountedUsage": Treatment.AS_BILLED}
    monkeypatch.setattr(amortization, "BY_CHARGE_TYPE", broken)
    world = published(in_files(MONTH.items()))
    assert world.reconcile() == "disputed"
    assert world.residuals() == {}
    for figure, cells in amortization_broken(OF).items():
        assert world.residuals(figure) == cells


def shuffled(seed: int) -> list[Item]:
    """Another clean month: some of the charges, other amounts, another order and currency."""
    chance = random.Random(seed)  # noqa: S311
    items = [each for each in MONTH.items() if chance.random() < 0.9]
    negated = {"SavingsPlanNegation", "SavingsPlanCoveredUsage"}
    kept = [each for each in items if each["lineItem/LineItemType"] not in negated]
    pair = [each for each in MONTH.items() if each["lineItem/LineItemType"] in negated]
    currency = "USD" if seed % 2 else "CNY"
    changed = [
        each
        | {
            "lineItem/UnblendedCost": f"{D(each['lineItem/UnblendedCost']) * chance.randint(1, 999) / 97:.10f}",  # noqa: E501
            "lineItem/NetUnblendedCost": "",
            "lineItem/CurrencyCode": currency,
        }
        for each in kept
    ]
    pair = [each | {"lineItem/CurrencyCode": currency} for each in pair]
    chance.shuffle(changed)
    return changed + pair


@pytest.mark.parametrize("seed", range(20))
def test_a_clean_month_is_never_disputed(seed: int) -> None:
    items = shuffled(seed)
    assert len(items) > DAYS
    world = published(in_files(items, 13 + seed), items)
    assert world.reconcile() == "certified", world.reason
    assert world.bus.kinds == ["PeriodCertified"]


def test_a_restatement_that_shifts_cost_between_linked_accounts() -> None:
    """AWS shows it at once; the delivery that brings it certifies the month again."""
    items = MONTH.items()
    world = published(in_files(items))
    assert world.reconcile() == "certified"
    moved = [
        each | {"lineItem/UsageAccountId": STAGING}
        if each["lineItem/ProductCode"] == MARKETPLACE
        else each
        for each in items
    ]
    world.items = moved
    assert world.reconcile() == "provisional"
    withdrawn = next(e for e in world.bus.events if e.detail_type == "CertificateWithdrawn")
    assert {(c["account"], c["difference"]) for c in withdrawn.details["changes"]} == {
        (DATA, "-15.00"),
        (STAGING, "15.00"),
    }
    world.publish(in_files(moved), SECOND)
    assert world.reconcile() == "certified"

"""Faults that are injected, each found in its cell and by its amount; and clean months, which are
never disputed. Bills are converted by the platform, Cost Explorer is the local cloud's."""

import random
from decimal import Decimal

import pytest

from cloudspend.convert import amortization
from cloudspend.convert.amortization import Treatment
from tests.unit.reconcile.reconcile_organization import (
    DATA,
    DAYS,
    FIRST,
    PAYER,
    PRODUCTION,
    SECOND,
    STAGING,
    Item,
    Organization,
    clock,
    in_files,
    organization,
)

__all__ = ["clock"]
pytestmark = pytest.mark.usefixtures("clock")

COMPUTE, OTHER = "Amazon Elastic Compute Cloud - Compute", "EC2 - Other"
S3 = "Amazon Simple Storage Service"
PLANS = "Savings Plans for AWS Compute usage"
D = Decimal


def published(files: list[list[Item]], items: list[Item] | None = None) -> Organization:
    made = Organization(items or organization())
    made.publish(files)
    return made


# Billed, effective and net cost of each cell, by hand: AWS CUR data dictionary, and the rules of
# the Cloud Intelligence Dashboards' summary_view.sql.
GOLDEN = {
    (PRODUCTION, S3, "Usage"): ("62", "62", "58.9"),
    (STAGING, COMPUTE, "Usage"): ("34.1", "34.1", "34.1"),
    (STAGING, OTHER, "Usage"): ("7.75", "7.75", "7.75"),
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
    world = published(in_files(organization()))
    assert world.reconcile() == "certified", world.reason
    [period] = world.catalog.read("reconciliation", PAYER, "2026-10")
    assert (period["invoices"], round(period["invoice_residual"], 2)) == (1, 0)
    assert "The invoices say the same." in world.reason
    found = {
        (row["sub_account_id"], row["service"], row["charge_type"]): row for row in world.cells()
    }
    assert found.keys() == GOLDEN.keys()
    for cell, figures in GOLDEN.items():
        lake = ("billed_cost", "effective_cost", "net_effective_cost")
        told = tuple(
            f"cost_explorer_{name}" for name in ("unblended", "amortized", "net_amortized")
        )
        for names in (lake, told):
            assert [D(str(found[cell][name])) for name in names] == [D(f) for f in figures], cell


def total_of(items: list[Item], account: str, code: str, kind: str = "Usage") -> Decimal:
    return sum(
        (
            D(each["lineItem/UnblendedCost"])
            for each in items
            if each["lineItem/UsageAccountId"] == account
            and each["lineItem/ProductCode"] == code
            and each["lineItem/LineItemType"] == kind
        ),
        D(0),
    )


def ec2(items: list[Item], usage: str) -> Decimal:
    costs = (i["lineItem/UnblendedCost"] for i in items if i["lineItem/UsageType"] == usage)
    return sum(map(D, costs), D(0))


@pytest.mark.parametrize(("copies", "sign"), [(0, -1), (2, 1)], ids=["lost", "doubled"])
def test_a_file_lost_or_doubled(copies: int, sign: int) -> None:
    files = in_files(organization())
    world = published([files[0], *([files[1]] * copies), *files[2:]])
    assert world.reconcile() == "disputed"
    assert world.residuals() == {
        (PRODUCTION, S3, "Usage"): sign * total_of(files[1], PRODUCTION, "AmazonS3"),
        (STAGING, COMPUTE, "Usage"): sign * ec2(files[1], "BoxUsage:t3.medium"),
        (STAGING, OTHER, "Usage"): sign * ec2(files[1], "EBS:VolumeUsage.gp3"),
    }
    assert f"{S3} of account {PRODUCTION} (Usage)" in world.reason
    assert "1 of 1 invoices differ" in world.reason


def test_an_old_generation_published() -> None:
    """Also when the newer one was certified before."""
    items = organization()
    old = [each for each in items if each["lineItem/LineItemType"] not in ("Refund", "Credit")]
    world = Organization(items)
    world.publish(in_files(old), FIRST)
    world.publish(in_files(items), SECOND)
    assert world.reconcile() == "certified"
    world.show(FIRST)
    assert world.reconcile() == "disputed"
    assert world.residuals() == {
        (PAYER, PLANS, "Refund"): D("20"),
        (STAGING, COMPUTE, "Credit"): D("12.5"),
        (PRODUCTION, S3, "Refund"): D("3.25"),
    }


def test_a_tag_column_shifted() -> None:
    """Costs agree, so that the period is certified; its rows are doubtful."""
    items = organization()
    tag = "resourceTags/user:team"
    shifted = [each | {tag: "", "resourceTags/user:zone": ""} for each in items]
    world = Organization(items)
    world.publish(in_files(items), FIRST)
    world.publish(in_files(shifted), SECOND)
    assert world.reconcile() == "certified"
    [doubtful] = [e for e in world.bus.events if e.detail_type == "DataQualityDoubtful"]
    assert doubtful.details["doubts"] == ["0% of the usage rows bear a tag; before it were 100%."]
    [row] = world.catalog.read("data_quality", PAYER, "2026-10")
    assert (row["tag_coverage"], row["previous_tag_coverage"]) == (0.0, 1.0)


def test_an_amortization_rule_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {**amortization.BY_CHARGE_TYPE, "DiscountedUsage": Treatment.AS_BILLED}
    monkeypatch.setattr(amortization, "BY_CHARGE_TYPE", broken)
    world = published(in_files(organization()))
    assert world.reconcile() == "disputed"
    assert world.residuals() == {}
    cell = (DATA, COMPUTE, "DiscountedUsage")
    assert world.residuals("effective_residual") == {cell: D("-15")}
    assert world.residuals("net_effective_residual") == {cell: D("-13.75")}


def test_a_linked_account_missing() -> None:
    items = organization()
    kept = [each for each in items if each["lineItem/UsageAccountId"] != STAGING]
    world = published(in_files(kept), items)
    assert world.reconcile() == "disputed"
    assert world.residuals() == {
        (STAGING, COMPUTE, "Usage"): D("-34.1"),
        (STAGING, COMPUTE, "Credit"): D("12.5"),
        (STAGING, OTHER, "Usage"): D("-7.75"),
    }
    [row] = world.catalog.read("reconciliation", PAYER, "2026-10")
    assert row["accounts_missing"] == STAGING


def test_a_currency_mistaken() -> None:
    mistaken = [each | {"lineItem/CurrencyCode": "EUR"} for each in organization()]
    world = published(in_files(mistaken))
    assert world.reconcile() == "disputed"
    assert "EUR in the lake, USD in Cost Explorer" in world.reason


def test_a_day_missing() -> None:
    items = organization()
    kept = [each for each in items if not each["lineItem/UsageStartDate"].startswith("2026-10-17")]
    world = published(in_files(kept), items)
    assert world.reconcile() == "disputed"
    assert world.residuals() == {
        (PRODUCTION, S3, "Usage"): D("-2"),
        (STAGING, COMPUTE, "Usage"): D("-1.1"),
        (STAGING, OTHER, "Usage"): D("-0.25"),
    }


def shuffled(seed: int) -> list[Item]:
    """Another clean month: some of the charges, other amounts, another order and currency."""
    chance = random.Random(seed)  # noqa: S311
    items = [each for each in organization() if chance.random() < 0.9]
    negated = {"SavingsPlanNegation", "SavingsPlanCoveredUsage"}
    kept = [each for each in items if each["lineItem/LineItemType"] not in negated]
    pair = [each for each in organization() if each["lineItem/LineItemType"] in negated]
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
    items = organization()
    world = published(in_files(items))
    assert world.reconcile() == "certified"
    moved = [
        each | {"lineItem/UsageAccountId": STAGING}
        if each["lineItem/ProductCode"] == "5abcmarketplace"
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

"""What one line item costs, way by way."""

from decimal import Decimal

import pytest

from local.billing.amounts import metrics, money

SAVINGS_PLAN = {
    "savingsPlan/SavingsPlanEffectiveCost": "0.06",
    "savingsPlan/TotalCommitmentToDate": "0.15",
    "savingsPlan/UsedCommitment": "0.126",
}
RESERVATION = {
    "reservation/EffectiveCost": "0.107",
    "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod": "1.5",
    "reservation/UnusedRecurringFee": "0.25",
}


def item(kind: str, **more: str) -> dict[str, str]:
    cost = {"lineItem/LineItemType": kind, "lineItem/UnblendedCost": "1"}
    return cost | SAVINGS_PLAN | RESERVATION | more


@pytest.mark.parametrize(
    ("kind", "amortized"),
    [
        ("Usage", "1"),
        ("Tax", "1"),
        ("Credit", "1"),
        ("SavingsPlanCoveredUsage", "0.06"),
        ("SavingsPlanNegation", "0"),
        ("SavingsPlanUpfrontFee", "0"),
        ("SavingsPlanRecurringFee", "0.024"),
        ("DiscountedUsage", "0.107"),
        ("RIFee", "1.75"),
        ("Fee", "1"),
        ("Refund", "1"),
    ],
)
def test_amortization_by_charge_type(kind: str, amortized: str) -> None:
    found = metrics(item(kind))
    assert found["AmortizedCost"] == Decimal(amortized)
    assert found["UnblendedCost"] == 1


def test_money_that_was_paid_elsewhere_is_not_amortized_again() -> None:
    arn = {"reservation/ReservationARN": "arn:aws:ec2:us-east-1:111111111111:reserved-instances/x"}
    plan = {"lineItem/ProductCode": "ComputeSavingsPlans"}
    assert metrics(item("Fee") | arn)["AmortizedCost"] == 0
    upfront = {"lineItem/LineItemDescription": "Refund for one-time fee for Savings Plan ID x"}
    assert metrics(item("Refund") | plan | upfront)["AmortizedCost"] == 0
    recurring = item("Refund") | plan
    assert metrics(recurring)["AmortizedCost"] == metrics(recurring)["UnblendedCost"] != 0


def test_net_figures_stand_in_for_the_gross_ones_where_aws_states_them() -> None:
    usage = item("Usage") | {"lineItem/NetUnblendedCost": "0.9"}
    reserved = item("DiscountedUsage") | {"reservation/NetEffectiveCost": "0.1"}
    assert metrics(usage)["NetUnblendedCost"] == Decimal("0.9")
    assert metrics(usage)["NetAmortizedCost"] == Decimal("0.9")
    assert metrics(usage)["AmortizedCost"] == 1
    assert metrics(reserved)["NetAmortizedCost"] == Decimal("0.1")
    assert metrics(item("Usage"))["NetUnblendedCost"] == 1


@pytest.mark.parametrize("text", ["n/a", "NaN", "Infinity"])
def test_what_is_no_figure_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="lineItem/UnblendedCost"):
        money({"lineItem/UnblendedCost": text}, "lineItem/UnblendedCost")

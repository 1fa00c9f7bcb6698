"""Reading a period's bill from Cost Explorer: pages, requests, answers that change."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from cloudspend.collect.cost_explorer import MAX_STARTS, Charge, read_bill
from cloudspend.collect.ports import AnswerChanged
from cloudspend.errors import Defect, TransientError
from cloudspend.exports.model import BillingPeriod
from tests.fakes.collect import FakeCostExplorer

PERIOD = BillingPeriod(2026, 12)


def charge(account: int = 2, kind: str = "Usage", amount: str = "1.25") -> Charge:
    cost = Decimal(amount)
    return Charge(str(account) * 12, "Amazon Simple Storage Service", kind, cost, cost, cost, "USD")


CHARGES = [charge(n, kind) for kind in ("Credit", "Tax", "Usage") for n in (2, 3, 4)]


def test_every_page_of_every_record_type_is_read_and_counted() -> None:
    api = FakeCostExplorer(PERIOD, CHARGES, page_size=2)

    bill = read_bill(api, PERIOD)

    assert bill.charges == tuple(CHARGES)
    assert bill.requests == len(api.asked) == 2 + 3 * 2


def test_the_end_of_the_period_is_exclusive_and_may_be_next_year() -> None:
    api = FakeCostExplorer(PERIOD, CHARGES)
    read_bill(api, PERIOD)
    assert {tuple(q["TimePeriod"].values()) for q in api.asked} == {("2026-12-01", "2027-01-01")}


def test_only_the_days_since_one_can_be_asked_for() -> None:
    api = FakeCostExplorer(PERIOD, CHARGES)
    read_bill(api, PERIOD, date(2026, 12, 30))
    assert {tuple(q["TimePeriod"].values()) for q in api.asked} == {("2026-12-30", "2027-01-01")}


def test_the_net_amortized_cost_comes_with_the_others() -> None:
    api = FakeCostExplorer(PERIOD, [replace(charge(), net_amortized=Decimal("0.75"))])
    [found] = read_bill(api, PERIOD).charges
    assert (found.amortized, found.net_amortized) == (Decimal("1.25"), Decimal("0.75"))


def test_one_estimated_result_makes_the_bill_an_estimate() -> None:
    assert read_bill(FakeCostExplorer(PERIOD, CHARGES, estimated=True), PERIOD).estimated
    assert not read_bill(FakeCostExplorer(PERIOD, CHARGES), PERIOD).estimated


def test_an_empty_period_costs_one_request() -> None:
    bill = read_bill(FakeCostExplorer(PERIOD), PERIOD)
    assert (bill.charges, bill.requests) == ((), 1)


def test_a_question_whose_answer_changes_is_asked_from_the_start() -> None:
    api = FakeCostExplorer(PERIOD, [charge(n) for n in (2, 3, 4)], page_size=2)
    api.fail_with = [None, None, AnswerChanged("second page")]

    bill = read_bill(api, PERIOD)

    assert [c.account_id[0] for c in bill.charges] == ["2", "3", "4"]
    assert bill.requests == 1 + 2 + 2


def test_an_answer_that_never_holds_still_is_given_up() -> None:
    api = FakeCostExplorer(PERIOD, CHARGES)
    api.fail_with = [AnswerChanged()] * MAX_STARTS
    with pytest.raises(TransientError, match="kept changing"):
        read_bill(api, PERIOD)
    assert len(api.asked) == MAX_STARTS


@pytest.mark.parametrize("amount", ["NaN", "Infinity"])
def test_an_amount_that_is_no_number_is_a_defect(amount: str) -> None:
    with pytest.raises(Defect, match="UnblendedCost is no number"):
        read_bill(FakeCostExplorer(PERIOD, [charge(amount=amount)]), PERIOD)

"""Every kind of export, format and layout, from the invitation to certified figures in Athena."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from cloudspend.accounts.model import ExportKind
from local.story import Story
from local.world.bill import Bill
from local.world.files import Form
from tests.e2e.scene import Customer, Scene, dearer, hours_for

EXACT = Decimal("1e-9")
PAID_BY_THE_PLAN = {"SavingsPlanCoveredUsage", "SavingsPlanNegation"}


@dataclass(frozen=True)
class Way:
    """How AWS delivers to an account. Gzip as new reports of the legacy kind is the main way's."""

    account_id: str
    kind: ExportKind
    form: Form
    overwrite: bool = False

    @property
    def name(self) -> str:
        layout = "overwritten" if self.overwrite else "new"
        return f"{self.kind} {self.form.name} {layout}"

    @property
    def certification(self) -> str:
        """FOCUS 1.0 has no invoice id, without which no bill is known to be final."""
        return "provisional" if self.kind is ExportKind.FOCUS_1_0 else "certified"


WAYS = [
    Way("242424242401", ExportKind.CUR_LEGACY, Form.ZIP),
    Way("242424242402", ExportKind.CUR_LEGACY, Form.PARQUET, overwrite=True),
    Way("242424242403", ExportKind.CUR_LEGACY, Form.GZIP, overwrite=True),
    Way("242424242404", ExportKind.CUR_2_0, Form.GZIP),
    Way("242424242405", ExportKind.CUR_2_0, Form.PARQUET, overwrite=True),
    Way("242424242406", ExportKind.FOCUS_1_0, Form.GZIP, overwrite=True),
    Way("242424242407", ExportKind.FOCUS_1_0, Form.PARQUET),
    Way("242424242408", ExportKind.FOCUS_1_2, Form.GZIP),
    Way("242424242409", ExportKind.FOCUS_1_2, Form.PARQUET, overwrite=True),
]
EACH_WAY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)


@dataclass(frozen=True)
class Taken:
    """An account whose bill was delivered once, and what came of it."""

    customer: Customer
    bill: Bill
    account: dict[str, Any]
    execution: dict[str, Any]

    @property
    def scene(self) -> Scene:
        return self.customer.scene

    @property
    def account_id(self) -> str:
        return self.customer.account_id

    def cost_explorer(self, metric: str) -> Decimal:
        """Cost Explorer's total of the month, asked as the customer."""
        period = self.bill.period
        answer = self.customer.session.client("ce", "us-east-1").get_cost_and_usage(
            TimePeriod={"Start": f"{period.start:%Y-%m-%d}", "End": f"{period.end:%Y-%m-%d}"},
            Granularity="MONTHLY",
            Metrics=[metric],
        )
        return Decimal(answer["ResultsByTime"][0]["Total"][metric]["Amount"])


def connected(scene: Scene, way: Way) -> tuple[Customer, dict[str, Any]]:
    """The account, invited for its kind and onboarded."""
    name = f"{way.name} {way.account_id}"
    customer = Customer(scene, way.account_id, name, way.kind, way.form, overwrite=way.overwrite)
    assert customer.follow(customer.invite()) == "CREATE_COMPLETE", customer.stack_reasons()
    return customer, customer.wait_until_onboarded()


@pytest.fixture(scope="module")
def taken(story: Story, scene: Scene) -> dict[str, Taken]:
    """Every way at once: they are accounts that have nothing to do with one another."""
    month = story.world.bills()[1]

    def take(way: Way) -> Taken:
        customer, account = connected(scene, way)
        bill = hours_for(way.account_id, month)
        return Taken(customer, bill, account, customer.deliver(customer.assembly(bill)))

    with ThreadPoolExecutor(3) as pool:
        found = pool.map(take, WAYS)
        return {each.account_id: each for each in found}


@EACH_WAY
def test_the_account_is_active_and_its_month_agrees_with_cost_explorer(
    taken: dict[str, Taken], way: Way
) -> None:
    held = taken[way.account_id]
    assert held.account["state"] == "active", held.account["reason"]
    held.scene.expect_success(held.execution)
    period = held.scene.period(way.account_id, held.bill.period)
    assert (period["certification"], Decimal(period["residual"])) == (way.certification, 0)


@EACH_WAY
def test_totals_are_those_of_cost_explorer(taken: dict[str, Taken], way: Way) -> None:
    held = taken[way.account_id]
    seen = held.scene.totals(way.account_id, held.bill.period)
    assert len(seen.generations) == 1
    assert abs(seen.billed - held.cost_explorer("UnblendedCost")) < EXACT
    assert abs(seen.effective - held.cost_explorer("AmortizedCost")) < EXACT
    assert abs(seen.billed - held.bill.total()) < EXACT


@EACH_WAY
def test_accounts_services_and_tags_are_told_apart(taken: dict[str, Taken], way: Way) -> None:
    held = taken[way.account_id]
    rows = held.scene.ask(
        f"""
        SELECT subaccountid, tags['environment'] AS environment,
            sum(CAST(billedcost AS decimal(38, 12))) AS billed
        FROM cost_and_usage
        WHERE account_id = '{way.account_id}' AND billing_period = '{held.bill.period}'
        GROUP BY 1, 2
        """
    )
    expected: dict[tuple[str, str], Decimal] = {}
    names = ("UsageAccountId", "LineItemType", "UnblendedCost")
    columns = (*(f"lineItem/{name}" for name in names), "resourceTags/user:environment")
    for account, charge, cost, tag in zip(*map(held.bill.values, columns), strict=True):
        if charge not in PAID_BY_THE_PLAN:
            expected[account, tag] = expected.get((account, tag), Decimal()) + Decimal(cost)
    seen = {(row["subaccountid"], row["environment"]): Decimal(row["billed"]) for row in rows}
    assert {key: cost for key, cost in seen.items() if cost} == {
        key: cost for key, cost in expected.items() if cost
    }


@pytest.mark.parametrize("way", [way for way in WAYS if way.overwrite], ids=lambda way: way.name)
def test_an_overwritten_month_of_fewer_files_is_the_new_one_alone(
    taken: dict[str, Taken], way: Way
) -> None:
    held = taken[way.account_id]
    restated = dearer(replace(held.bill, files=held.bill.files[:2]))
    held.scene.expect_success(held.customer.deliver(held.customer.assembly(restated)))
    seen = held.scene.totals(way.account_id, held.bill.period)
    assert abs(seen.billed - restated.total()) < EXACT
    period = held.scene.period(way.account_id, held.bill.period)
    assert period["certification"] == way.certification


MISTAKEN = {
    "a legacy report where CUR 2.0 is expected": (
        Way("252525252501", ExportKind.CUR_2_0, Form.GZIP),
        lambda report: replace(report, kind=ExportKind.CUR_LEGACY),
        "legacy Cost and Usage Report",
    ),
    "FOCUS where CUR 2.0 is expected": (
        Way("252525252502", ExportKind.CUR_2_0, Form.GZIP),
        lambda report: replace(report, kind=ExportKind.FOCUS_1_2),
        "FOCUS 1.2",
    ),
    "CUR 2.0 where a legacy report is expected": (
        Way("252525252503", ExportKind.CUR_LEGACY, Form.GZIP),
        lambda report: replace(report, kind=ExportKind.CUR_2_0),
        "CUR 2.0",
    ),
}


@pytest.mark.parametrize(("way", "change", "found"), MISTAKEN.values(), ids=MISTAKEN.keys())
def test_another_kind_than_configured_ends_in_an_alert_that_says_what_was_found(
    story: Story, scene: Scene, way: Way, change: Callable[[Any], Any], found: str
) -> None:
    customer, account = connected(scene, way)
    assert account["state"] == "active"
    customer.report = change(customer.report)
    customer.put(hours_for(way.account_id, story.world.bills()[1], hours=1))

    event = scene.wait_for_event(way.account_id, "IngestFailed")

    assert found in event["summary"]
    assert event["details"]["remedy"]
    assert scene.command("periods", way.account_id) == []
